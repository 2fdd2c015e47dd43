import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { root } from "./support/paths.ts";
import { suite } from "./support/suite.ts";

const folder = join(root, "package/api-reference");
const out = mkdtempSync(join(tmpdir(), "srmap-api-"));
process.on("exit", () => rmSync(out, { recursive: true, force: true }));

suite("API reference", (test) => {
  // Its tools have a folder of their own; `npm run docs:api` installs them.
  test.needs(join(folder, "node_modules"), "is built from the doc comments without a warning, a page an entry", () => {
    spawnSync(process.execPath, [join(root, "package/declarations.mjs")]);
    const run = spawnSync(process.execPath, [join(folder, "build.mjs"), out], { encoding: "utf8" });
    assert.is(run.status, 0, run.stdout + run.stderr);
    assert.not.match(run.stdout + run.stderr, /warning|error/i);
    assert.ok(readdirSync(join(out, "functions")).length > 100);
    // "srmap/node" is the page modules/srmap_node.html.
    const pages = readdirSync(join(out, "modules"));
    for (const name of ["srmap", "srmap_node", "srmap_weights", "srmap_web", "srmap_evaluation"]) {
      assert.ok(pages.includes(`${name}.html`), `no page of ${name}: ${pages}`);
    }
  });
});
