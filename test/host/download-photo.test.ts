import type { IncomingMessage, ServerResponse } from "node:http";
import * as assert from "uvu/assert";
import { downloadPhoto } from "../../host/photos/download.ts";
import { rejection } from "../support/fixtures.ts";
import { freePort } from "../support/free-port.ts";
import { serve } from "../support/serve.ts";
import { suite } from "../support/suite.ts";

const mend = "Check the address, try again later, or download the photo yourself and give its file.";

/** What is said of a photo from a server that answers so. */
async function said(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
  const server = await serve(answer);
  try {
    return await rejection(downloadPhoto(server.url, 300));
  } finally {
    await server.close();
  }
}

suite("photos from servers", (test) => {
  test("what arrives whole is the photo", async () => {
    const server = await serve((_, response) => response.end("photo"));
    assert.is(Buffer.from(await downloadPhoto(server.url)).toString(), "photo");
    await server.close();
  });

  test("a server that nobody runs", async () => {
    const port = await freePort();
    assert.is(
      await rejection(downloadPhoto(`http://127.0.0.1:${port}/a.jpg`)),
      `RangeError: the server cannot be reached (connect ECONNREFUSED 127.0.0.1:${port}). ${mend}`,
    );
    // A name with several addresses hides its reasons one step deeper.
    assert.match(await rejection(downloadPhoto(`http://localhost:${port}/a.jpg`)), /reached \(connect ECONNREFUSED /);
  });

  test("a server that says no", async () => {
    assert.is(
      await said((_, response) => response.writeHead(403).end()),
      `RangeError: the server answered 403 Forbidden. ${mend}`,
    );
  });

  test("a server that never answers, or stops in the middle", async () => {
    const expected = `RangeError: the server sent nothing for 0.3 seconds. ${mend}`;
    assert.is(await said(() => {}), expected);
    assert.is(await said((_, response) => response.writeHead(200).write("half")), expected);
  });

  test("a connection that ends early", async () => {
    const message = await said((_, response) => {
      response.writeHead(200, { "content-length": 100 });
      response.write("12345", () => setTimeout(() => response.destroy(), 50));
    });
    // In brackets what this Node calls it.
    assert.is(message.replace(/ \(.*\)/, ""), `RangeError: the connection ended after 5 bytes. ${mend}`);
  });
});
