import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import * as assert from "uvu/assert";
import { kernelModule } from "./support/kernels.ts";
import { root } from "./support/paths.ts";
import { suite } from "./support/suite.ts";

// Which rooms a room may import. The arrows of the house point one way.
const arrows: Record<string, readonly string[]> = {
  "kernels-as": [],
  engine: ["kernels-as"],
  "weights-loader": ["engine"],
  workers: ["engine", "weights-loader"],
  photos: ["engine"],
  host: ["engine", "weights-loader", "workers", "photos"],
  web: ["engine", "weights-loader", "workers", "photos"],
  cli: ["engine", "weights-loader", "photos", "host"],
  bench: ["engine", "weights-loader", "host", "test/cases"],
  test: ["engine", "weights-loader", "workers", "photos", "web", "host", "cli"],
};
const typeOnly: Record<string, readonly string[]> = { engine: ["kernels-as"], "weights-loader": ["engine"] };
// Values that a types-only arrow may carry all the same: the loader throws the engine's own error classes (a second set would
// make `instanceof` lie), writes shapes in messages as the engine does, and sorts graphs and places windows by the engine's own rules. All
// are leaves that hold no engine state.
const values: Record<string, readonly string[]> = {
  "weights-loader": [
    "engine/basics/errors.ts",
    "engine/basics/tensor.ts",
    "engine/graph/order.ts",
    "engine/graph/window.ts",
    "engine/models/preprocessing.ts",
  ],
};
// Packages and node: modules a room may import.
const packages: Record<string, RegExp> = {
  host: /^(node:|h5wasm$|sharp$)/,
  cli: /^(node:|pngjs$|jpeg-js$)/,
  web: /^preact(\/hooks)?$/,
  bench: /^(node:|benchmark$)/,
  test: /^(node:|uvu$|uvu\/assert$|puppeteer-core$|pngjs$|jpeg-js$)/,
};

interface Import {
  file: string;
  specifier: string;
  isTypeOnly: boolean;
}

function importsOf(room: string): Import[] {
  const found: Import[] = [];
  for (const name of readdirSync(join(root, room), { recursive: true, encoding: "utf8" })) {
    if (!/\.tsx?$/.test(name)) continue;
    const file = join(room, name);
    const text = readFileSync(join(root, file), "utf8").replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, "");
    for (const match of text.matchAll(/(?:^|\n)\s*(?:import|export)\s+(type\s)?[^;]*?from\s+"([^"]+)"/g)) {
      found.push({ file, specifier: match[2] ?? "", isTypeOnly: match[1] !== undefined });
    }
    for (const match of text.matchAll(/(?:^|\n)\s*import\s+"([^"]+)"|\bimport\(\s*"([^"]+)"/g)) {
      found.push({ file, specifier: match[1] ?? match[2] ?? "", isTypeOnly: false });
    }
  }
  return found;
}

suite("architecture", (test) => {
  for (const [room, allowed] of Object.entries(arrows)) {
    test(`${room} imports only what its arrows allow`, () => {
      const wrong: string[] = [];
      for (const { file, specifier, isTypeOnly } of importsOf(room)) {
        if (!specifier.startsWith(".")) {
          if (!packages[room]?.test(specifier)) wrong.push(`${file}: package "${specifier}"`);
          continue;
        }
        const target = relative(root, resolve(root, dirname(file), specifier));
        if (target === room || target.startsWith(`${room}/`)) continue;
        const arrow = allowed.find((other) => target.startsWith(`${other}/`));
        if (arrow === undefined) wrong.push(`${file}: "${specifier}"`);
        else if (typeOnly[room]?.includes(arrow) && !isTypeOnly && !values[room]?.includes(target))
          wrong.push(`${file}: "${specifier}" (types only)`);
      }
      assert.equal(wrong, []);
    });
  }

  test("the release kernel module imports env.memory and nothing else", () => {
    const imports = WebAssembly.Module.imports(kernelModule()).map(({ module, name }) => `${module}.${name}`);
    assert.equal(imports, ["env.memory"]);
  });
});
