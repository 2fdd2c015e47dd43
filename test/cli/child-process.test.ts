import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import * as assert from "uvu/assert";
import { ask, endOf, hasEnded, startProcess } from "../../cli/processes/child.ts";
import { suite } from "../support/suite.ts";

const folder = mkdtempSync(join(tmpdir(), "srmap-child-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
const script = join(folder, "echo.mjs");
writeFileSync(
  script,
  `let first;
process.on("message", (message) => {
  if (first === undefined) first = message;
  else if (message.isDeadly) process.exit(3);
  else process.send({ first, message });
});
process.on("disconnect", () => process.exit(0));
`,
);

suite("cli/processes", (test) => {
  test("a process answers; one that ends meanwhile, or has ended before, gives no answer and does not hang", async () => {
    const child = startProcess(pathToFileURL(script), { name: "first" }, true);
    assert.equal(await ask(child, { name: "second" }), { first: { name: "first" }, message: { name: "second" } });
    assert.is(hasEnded(child), false);
    assert.is(await ask(child, { isDeadly: true }), undefined);
    assert.equal([hasEnded(child), endOf(child)], [true, "ended with code 3"]);
    assert.is(await ask(child, { name: "third" }), undefined);

    const killed = startProcess(pathToFileURL(script), {}, false);
    const exit = once(killed, "exit");
    killed.kill("SIGKILL");
    await exit;
    assert.is(await ask(killed, {}), undefined);
    assert.is(endOf(killed), "was ended by SIGKILL");
  });
});
