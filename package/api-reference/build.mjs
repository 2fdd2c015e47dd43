// Writes docs/api, the reference of everything that the package exports, from the doc comments. Usage: npm run docs:api
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Application } from "typedoc";

const root = fileURLToPath(new URL("../../", import.meta.url));
const { exports } = JSON.parse(readFileSync(`${root}package.json`, "utf8"));

// An entry a module, under the name that one imports; entries that give the same declarations are told once.
const modules = new Map();
for (const [entry, { types }] of Object.entries(exports)) {
  if (types === undefined || entry.endsWith(".wasm") || /^\.\/web\/(worker|thread)$/.test(entry)) continue;
  if (!modules.has(types)) modules.set(types, entry.replace(".", "srmap"));
}
for (const types of modules.keys())
  if (!existsSync(root + types)) throw new Error(`${types} is missing: npm run types`);

const app = await Application.bootstrap({
  name: "srmap",
  entryPoints: [...modules.keys()].map((types) => root + types),
  tsconfig: `${root}package/api-reference/tsconfig.json`,
  readme: "none",
  out: process.argv[2] ?? `${root}docs/api`,
  disableSources: true,
  // A type's own helper, and a list that a type is made of.
  intentionallyNotExported: ["WithoutWiring", "formats"],
  validation: { notExported: true, invalidLink: true, notDocumented: false },
});
const project = await app.convert();
if (project === undefined) process.exit(1);
for (const module of project.children ?? []) {
  const types = [`./build/types/${module.name}.d.ts`, `./build/types/${module.name}/index.d.ts`];
  module.name = types.map((path) => modules.get(path)).find((name) => name !== undefined) ?? module.name;
}
await app.generateOutputs(project);
app.validate(project);
if (app.logger.hasWarnings() || app.logger.hasErrors()) process.exit(1);
