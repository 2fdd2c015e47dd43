// Writes build/types: the declarations that the package carries. Only what the entries of package.json export and what that names;
// members marked @internal are left out; imports by the names of compiled files, so that every compiler resolves them. Made anew only
// when something changed.
// Usage: node package/declarations.mjs
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, posix, relative } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../", import.meta.url));
const out = join(root, "build/types");
const whole = join(root, `build/types-whole-${process.pid}`);
const old = join(root, `build/types-old-${process.pid}`);
const pruned = join(root, `build/types-${process.pid}`);

const { exports, devDependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const sum = createHash("sha256").update(JSON.stringify([exports, devDependencies.typescript]));
for (const room of ["engine", "weights-loader", "evaluation", "photos", "workers", "host", "web", "package"]) {
  for (const file of readdirSync(join(root, room), { recursive: true, encoding: "utf8" }).sort()) {
    if (/\.(ts|mjs|json)$/.test(file))
      sum.update(file.replaceAll("\\", "/")).update(readFileSync(join(root, room, file)));
  }
}
const sources = sum.digest("hex");
const stamp = join(out, ".sources");
const isFresh = () => existsSync(stamp) && readFileSync(stamp, "utf8") === sources;
if (isFresh()) process.exit();

// One process at a time: tests that pack run side by side. A lock that is a minute old is of one that died.
const lock = join(root, "build/.types-lock");
const begun = Date.now();
for (let mine = false; !mine; ) {
  try {
    mkdirSync(lock);
    mine = true;
  } catch {
    if (isFresh()) process.exit();
    if (Date.now() - begun > 60_000) rmSync(lock, { recursive: true, force: true });
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
  }
}
process.on("exit", () => rmSync(lock, { recursive: true, force: true }));

const tsc = join(dirname(createRequire(import.meta.url).resolve("typescript/package.json")), "bin/tsc");
const compile = [tsc, "-p", "package/tsconfig.json", "--outDir", whole];
const { status } = spawnSync(process.execPath, compile, { cwd: root, stdio: "inherit" });
if (status !== 0) process.exit(status ?? 1);

/** The statements of a file as tsc writes declarations: each begins at the start of a line, its comment right before it. */
function statementsOf(text) {
  const begins = /^(?:\/\*\*(?:[^*]|\*(?!\/))*\*\/\n)?(?:export|import|declare|interface|type|class|abstract|const) /gm;
  const starts = [...text.matchAll(begins)].map(({ index }) => index);
  return starts.map((start, i) => text.slice(start, starts[i + 1]).trimEnd());
}

/** "a, type B as C" as [{ item: "a", name: "a", as: "a" }, { item: "type B as C", name: "B", as: "C" }] */
function namesIn(list) {
  return [...list.matchAll(/(?:type )?(\w+)(?: as (\w+))?/g)].map(([item, name, as = name]) => ({ item, name, as }));
}

/**
 * What a file says: its declarations by name, the names that come from other files, and the names that it exports.
 * A statement has names (it imports or passes on, `source` says whence) or a name of its own.
 */
function readDeclarations(path) {
  const file = { path, statements: [], declared: new Map(), from: new Map(), exported: new Set(), wanted: new Set() };
  for (const text of statementsOf(readFileSync(join(whole, path), "utf8"))) {
    const bare = text.replace(/\/\*[\s\S]*?\*\//g, "").trim();
    const [, verb, list, source] = /^(import|export) (?:type )?\{([^}]*)\}(?: from "([^"]+)")?;$/.exec(bare) ?? [];
    const name = /^(?:export )?(?:declare )?(?:abstract )?(?:function|const|class|interface|type) (\w+)/.exec(
      bare,
    )?.[1];
    const all = /^import type \* as (\w+) from "/.exec(bare)?.[1];
    if (all !== undefined) {
      file.statements.push({ text, names: [{ item: all, name: "*", as: all }], list: "" });
    } else if (list !== undefined) {
      const names = namesIn(list);
      file.statements.push({ text, names, list });
      for (const { name: theirs, as } of names) {
        if (verb === "export") file.exported.add(as);
        if (source?.startsWith(".")) {
          file.from.set(as, { path: posix.join(posix.dirname(path), source.replace(/\.ts$/, ".d.ts")), name: theirs });
        }
      }
    } else if (name !== undefined) {
      file.statements.push({ text, name });
      file.declared.set(name, `${file.declared.get(name) ?? ""}${bare}`);
      if (bare.startsWith("export ")) file.exported.add(name);
    } else throw new Error(`${path}: not understood: ${bare}`);
  }
  return file;
}

const files = new Map();
function fileOf(path) {
  if (!files.has(path)) files.set(path, readDeclarations(path));
  return files.get(path);
}

const entries = new Set(Object.values(exports).flatMap(({ types }) => types ?? []));
const byHand = ["webassembly.d.ts", "kernels.wasm.d.ts"]; // in this folder
const queue = [...entries]
  .map((types) => relative("build/types", types).replaceAll("\\", "/"))
  .filter((path) => !byHand.includes(path))
  .flatMap((path) => [...fileOf(path).exported].map((name) => ({ path, name })));
for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
  const file = fileOf(next.path);
  if (file.wanted.has(next.name)) continue;
  file.wanted.add(next.name);
  const elsewhere = file.from.get(next.name);
  if (elsewhere !== undefined) queue.push(elsewhere);
  for (const name of new Set(file.declared.get(next.name)?.match(/\w+/g))) {
    if (file.declared.has(name) || file.from.has(name)) queue.push({ path: next.path, name });
  }
}

const reference = (from, to) => `/// <reference path="${posix.relative(posix.dirname(from), to)}" />\n`;
for (const { path, statements, declared, wanted } of files.values()) {
  const code = [...wanted].map((name) => declared.get(name)).join();
  const isUsed = ({ as }) => wanted.has(as) || new RegExp(`\\b${as}\\b`).test(code);
  const kept = statements.flatMap(({ text, name, names, list }) => {
    if (name !== undefined) return wanted.has(name) ? text : [];
    const used = names.filter(isUsed);
    return used.length > 0 ? text.replace(list, ` ${used.map(({ item }) => item).join(", ")} `) : [];
  });
  const text = `${kept.join("\n")}\nexport {};\n`.replace(/(from "\.[^"]+)\.ts"/g, '$1.js"');
  const needs = /\bWebAssembly\./.test(code) ? reference(path, "webassembly.d.ts") : "";
  mkdirSync(dirname(join(pruned, path)), { recursive: true });
  writeFileSync(join(pruned, path), needs + text);
}
for (const file of byHand) cpSync(join(root, "package", file), join(pruned, file));
writeFileSync(join(pruned, ".sources"), sources);
rmSync(whole, { recursive: true });
if (existsSync(out)) renameSync(out, old);
renameSync(pruned, out);
rmSync(old, { recursive: true, force: true });
