import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { root } from "./support/paths.ts";
import { suite } from "./support/suite.ts";

// What users of the package can name. A name that goes or changes its kind is a change they notice: it belongs in the changelog.
// Usage: node build/test/public-face.test.js --write   writes the list anew
const { exports } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
  exports: Record<string, string | { types?: string }>;
};
const declarations = Object.values(exports).map((target) => (typeof target === "string" ? undefined : target.types));
const entries = [...new Set(declarations)]
  .flatMap((types) => types?.replace("./build/types/", "").replace(/\.d\.ts$/, ".ts") ?? [])
  // Scripts that workers run export nothing; the module of kernels is WebAssembly.
  .filter((file) => !/^web\/(worker|thread)\.ts$|^kernels\.wasm/.test(file))
  .sort();
const golden = join(root, "test/golden/public-names.json");

/** Names that a file exports, types marked as such, sorted. */
function namesOf(file: string): string[] {
  const text = readFileSync(join(root, file), "utf8").replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, "");
  const names: string[] = [];
  for (const [, areTypes, list = ""] of text.matchAll(/^export (type )?\{([^}]*)\}/gm)) {
    for (const item of list.split(",").map((each) => each.trim())) {
      if (item === "") continue;
      const name = item.replace(/^type /, "").replace(/^\w+ as /, "");
      names.push(areTypes !== undefined || item.startsWith("type ") ? `type ${name}` : name);
    }
  }
  for (const [, kind, name = ""] of text.matchAll(/^export (?:async )?(function|const|class|interface|type) (\w+)/gm)) {
    names.push(kind === "interface" || kind === "type" ? `type ${name}` : name);
  }
  return names.sort();
}

if (process.argv.includes("--write")) {
  const lists = Object.fromEntries(entries.map((file) => [file, namesOf(file)]));
  writeFileSync(golden, `${JSON.stringify(lists, null, 2)}\n`);
}

suite("public face", (test) => {
  const pinned = JSON.parse(readFileSync(golden, "utf8")) as Record<string, string[]>;
  test("every entry is in the list", () => {
    assert.equal(Object.keys(pinned).sort(), entries);
  });
  for (const file of entries) {
    test(`${file} exports the names that are pinned, one by one`, async () => {
      assert.not.match(readFileSync(join(root, file), "utf8"), /^export (type )?\*/m);
      const names = namesOf(file);
      assert.equal(names, pinned[file]);
      // The list above is read from text; what runs has to agree with it.
      const module: object = await import(new URL(`../${file.replace(/ts$/, "js")}`, import.meta.url).href);
      assert.equal(
        Object.keys(module).sort(),
        names.filter((name) => !name.startsWith("type ")),
      );
    });
  }
});
