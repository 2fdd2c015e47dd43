// The least that explains, for srmap/browser/minimal and srmap/browser/relevance: fewer layer kinds, one composite, and of the kernels those that this script calls,
// compiled for size instead of speed. The numbers are those of the full build.
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { build } from "esbuild";
import { minify } from "terser";

/** Tables with a smaller twin. */
const smaller = [
  [/\/features\.ts$/, "engine/basics/features-minimal.ts"],
  [/\/kinds\.ts$/, "engine/layers/kinds-minimal.ts"],
  [/\/composite-table\.ts$/, "engine/rules/composite-table-minimal.ts"],
];

const words = (text) => text.match(/[A-Za-z_]\w*/g) ?? [];

/** Names of what the host brings: of every global, of its instances, and of what it is told in objects. */
function hostNames() {
  const told =
    "initial maximum shared env memory exports cause value done next get set enumerable configurable writable";
  const names = new Set(words(told));
  const globals = Object.getOwnPropertyNames(globalThis)
    .filter((name) => !["crypto", "navigator", "localStorage", "sessionStorage"].includes(name)) // getters of Node's, not used here
    .map((name) => globalThis[name]);
  const hidden = [
    Object.getPrototypeOf(Uint8Array),
    Object.getPrototypeOf(function* () {}),
    [].values(),
    new Map().keys(),
  ];
  for (const host of [...globals, ...Object.values(WebAssembly), ...hidden]) {
    if (host === undefined || host === null) continue;
    for (let object = Object(host); object !== null; object = Object.getPrototypeOf(object)) {
      for (const name of Object.getOwnPropertyNames(object)) names.add(name);
    }
    for (const name of Object.getOwnPropertyNames(host.prototype ?? {})) names.add(name);
  }
  return names;
}

/** Names that must stay as they are: those of the declarations, of kernels, of the host, and those that stand in strings. */
function keptNames(root, script) {
  const types = `${root}build/types/engine/`;
  const declared = readdirSync(types, { recursive: true })
    .filter((file) => file.endsWith(".d.ts"))
    .flatMap((file) => words(readFileSync(`${types}${file}`, "utf8")));
  const kernels = ["kernels-as/index.ts", "build/kernels-as/kernel-calls.js"] // the calls have their arguments' names in strings
    .flatMap((file) => words(readFileSync(`${root}${file}`, "utf8")));
  const strings = [...script.matchAll(/["'`]([A-Za-z_]\w*)["'`]/g)].map(([, name]) => name);
  return new Set([...declared, ...kernels, ...hostNames(), ...strings]);
}

/** Writes build/browser/NAME.js and its map; returns the script. */
async function buildScript(root, common, entry, name) {
  const outfile = `${root}build/browser/${name}.js`;
  const tables = {
    name: "smaller tables",
    setup: ({ onResolve }) => {
      for (const [filter, path] of smaller) onResolve({ filter }, () => ({ path: `${root}${path}` }));
    },
  };
  const settings = {
    ...common,
    splitting: false,
    sourcemap: "external",
    sourcesContent: false,
    entryPoints: [`${root}engine/${entry}.ts`],
    outfile,
  };
  const plugins = [...common.plugins, tables];
  // Names of properties that only this script knows are cut short: 1.5 kB.
  const { outputFiles } = await build({ ...settings, plugins, write: false });
  const kept = keptNames(root, outputFiles.find(({ path }) => path.endsWith(".js")).text);
  const reserveProps = new RegExp(`^(${[...kept].filter((name) => /^\w+$/.test(name)).join("|")})$`);
  const bundle = await build({
    ...settings,
    plugins,
    // The minifier reads which calls may be left out in comments.
    ...{ minify: false, minifySyntax: true, write: false },
    ...{ mangleProps: /^[A-Za-z]\w{3,}$/, reserveProps },
  });
  const text = (end) => bundle.outputFiles.find(({ path }) => path.endsWith(end)).text;
  // Terser gives variables the same names in the same places, which compresses better: 1.4 kB.
  const { code, map } = await minify(text(".js"), {
    module: true,
    ecma: 2022,
    compress: { passes: 4 },
    format: { comments: /^!/ },
    sourceMap: { content: text(".map") },
  });
  writeFileSync(outfile, code);
  writeFileSync(`${outfile}.map`, map);
  return code;
}

/** Writes build/browser/kernels-NAME.wasm: the kernels that a script calls; their names stand in it as they are. */
function buildKernels(root, script, name) {
  const isCalled = (kernel) => new RegExp(`["'.]${kernel}\\b`).test(script);
  const exports = readFileSync(`${root}kernels-as/index.ts`, "utf8").matchAll(/^export \{ (.*) \} from "\.\/(.*)";$/gm);
  const entry = [...exports].map(([, names, file]) => {
    const called = names.split(", ").filter(isCalled);
    return called.length === 0 ? "" : `export { ${called.join(", ")} } from "../../kernels-as/${file}";\n`;
  });
  const list = `${root}build/browser/kernels-${name}.ts`;
  writeFileSync(list, entry.join(""));
  const compiler = [
    `${root}node_modules/assemblyscript/bin/asc.js`,
    `build/browser/kernels-${name}.ts`,
    ...["--target", "minimal", "--outFile", `build/browser/kernels-${name}.wasm`, "--transform", "./web/no-inline.mjs"],
    // Vectors between functions of the module are no exchange with JavaScript.
    ...["--disableWarning", "112"],
  ];
  execFileSync(process.execPath, compiler, { cwd: root, stdio: ["ignore", "ignore", "inherit"] });
  rmSync(list);
}

/**
 * Writes build/browser/minimal.js, build/browser/relevance.js and the kernels of each.
 * @param root the repository, with a slash at its end
 * @param common esbuild's options of every bundle
 */
export async function buildMinimal(root, common) {
  for (const [entry, name] of [
    ["minimal", "minimal"],
    ["minimal-relevance", "relevance"],
  ])
    buildKernels(root, await buildScript(root, common, entry, name), name);
}
