import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { sha256File } from "../../host/files/sha256.ts";
import { fileSource } from "../../host/files/source.ts";
import { readImage } from "../../host/photos/read.ts";
import { suite } from "../support/suite.ts";

suite("what is no file", (test) => {
  if (process.platform !== "win32") {
    test("a pipe that nobody writes to is refused at once, as photo and as weights", async () => {
      const folder = mkdtempSync(join(tmpdir(), "srmap-pipe-"));
      try {
        const pipe = join(folder, "photo.jpg");
        execFileSync("mkfifo", [pipe]);
        for (const open of [readImage, fileSource, sha256File]) {
          const message = await open(pipe).then(String, String);
          assert.is(message, "RangeError: this is a pipe, not a file.", open.name);
        }
        assert.is(await readImage("/dev/null").then(String, String), "RangeError: this is a device, not a file.");
      } finally {
        rmSync(folder, { recursive: true });
      }
    });
  }
});
