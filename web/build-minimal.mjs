// The least that explains, for srmap/browser/minimal: fewer layer kinds, one composite, and of the kernels those that this script calls,
// compiled for size instead of speed. The numbers are those of the full build.
import { execFileSync } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { build } from "esbuild";

/** Tables with a smaller twin. */
const smaller = [
  [/\/kinds\.ts$/, "engine/layers/kinds-minimal.ts"],
  [/\/composite-table\.ts$/, "engine/rules/composite-table-minimal.ts"],
];

/**
 * Writes build/browser/minimal.js and build/browser/kernels-minimal.wasm.
 * @param root the repository, with a slash at its end
 * @param common esbuild's options of every bundle
 */
export async function buildMinimal(root, common) {
  const outfile = `${root}build/browser/minimal.js`;
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
    entryPoints: [`${root}engine/minimal.ts`],
    outfile,
  };
  await build({ ...settings, plugins: [...common.plugins, tables] });
  const script = readFileSync(outfile, "utf8");
  const isCalled = (kernel) => new RegExp(`["'.]${kernel}\\b`).test(script); // their names stand in the script as they are

  const exports = readFileSync(`${root}kernels-as/index.ts`, "utf8").matchAll(/^export \{ (.*) \} from "\.\/(.*)";$/gm);
  const entry = [...exports].map(([, names, file]) => {
    const called = names.split(", ").filter(isCalled);
    return called.length === 0 ? "" : `export { ${called.join(", ")} } from "../../kernels-as/${file}";\n`;
  });
  const list = `${root}build/browser/kernels-minimal.ts`;
  writeFileSync(list, entry.join(""));
  const compiler = [
    `${root}node_modules/assemblyscript/bin/asc.js`,
    "build/browser/kernels-minimal.ts",
    "--target",
    "minimal",
  ];
  execFileSync(process.execPath, compiler, { cwd: root, stdio: ["ignore", "ignore", "inherit"] });
  rmSync(list);
}
