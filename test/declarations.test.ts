import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import * as assert from "uvu/assert";
import { sourceFiles } from "./support/imports.ts";
import { root } from "./support/paths.ts";
import { suite } from "./support/suite.ts";

// The declarations that are packed, and whether programs of all kinds can be compiled with them.
// Usage: node build/test/declarations.test.js --write   writes the list anew

const types = join(root, "build/types");
const golden = join(root, "test/golden/public-declarations.txt");
const packageFile = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
  exports: Record<string, string | { types?: string; default: string }>;
  typesVersions: { "*": Record<string, string[]> };
};

execFileSync(process.execPath, [join(root, "package/declarations.mjs")]);

/** All packed declarations without their comments, file by file: what a program can see. */
function declarations(): string {
  return readdirSync(types, { recursive: true, encoding: "utf8" })
    .map((file) => file.replaceAll("\\", "/"))
    .filter((file) => file.endsWith(".d.ts"))
    .sort()
    .map((file) => {
      const text = readFileSync(join(types, file), "utf8").replace(/^ *\/\*\*[\s\S]*?\*\/\n/gm, "");
      return `// ${file}\n${text.replace(/^export \{\};\n/m, "")}`;
    })
    .join("\n");
}

// A project that has the package, whose files are those of this checkout.
const project = mkdtempSync(join(tmpdir(), "srmap-types-"));
process.on("exit", () => rmSync(project, { recursive: true, force: true }));
mkdirSync(join(project, "node_modules/srmap"), { recursive: true });
cpSync(join(root, "package.json"), join(project, "node_modules/srmap/package.json"));
symlinkSync(join(root, "build"), join(project, "node_modules/srmap/build"), "junction");
symlinkSync(join(root, "node_modules/@types"), join(project, "node_modules/@types"), "junction");
const tsc = join(dirname(createRequire(import.meta.url).resolve("typescript/package.json")), "bin/tsc");

/** What the compiler says to a program that imports the entries and uses what they give. */
function compile(name: string, options: Record<string, unknown>, entries: readonly string[], code = ""): string {
  const imports = entries.map(
    (entry, i) => `import * as entry${i} from "${entry}";\nexport const use${i} = entry${i};\n`,
  );
  writeFileSync(join(project, `${name}.ts`), imports.join("") + code);
  const compilerOptions = { noEmit: true, strict: true, target: "es2022", skipLibCheck: false, ...options };
  writeFileSync(join(project, `${name}.json`), JSON.stringify({ compilerOptions, files: [`${name}.ts`] }));
  const run = spawnSync(process.execPath, [tsc, "-p", `${name}.json`], { cwd: project, encoding: "utf8" });
  return run.stdout + run.stderr;
}

const typed = Object.entries(packageFile.exports).flatMap(([entry, target]) =>
  typeof target === "object" && target.types !== undefined ? [{ entry: entry.replace(".", "srmap"), target }] : [],
);
const entryNames = typed.map(({ entry }) => entry);
const isWeb = (entry: string): boolean => /^srmap\/(browser\/)?web$/.test(entry);
const isNode = (entry: string): boolean => /^srmap\/(node$|models\/)/.test(entry);
const plain = entryNames.filter((entry) => !isWeb(entry) && !isNode(entry));

// README's example, as a typed program.
// The words are put together so that nobody takes them for imports of this file.
const library = 'from "srmap"';
const example = `
import { type Explanation, explain, type Network } ${library};
export function run(network: Network, data: Float32Array): Explanation {
  const { relevance } = explain(network, { shape: [3, 224, 224], data }, { composite: "epsilonPlus" });
  const shape: readonly number[] = relevance.shape;
  return shape.length === 3 ? explain(network, { shape, data }) : explain(network, { shape: [3, 1, 1], data });
}
`;

suite("declarations", (test) => {
  if (process.argv.includes("--write")) writeFileSync(golden, declarations());

  test("what is packed is what is pinned: a change here is one that users notice", () => {
    const now = declarations().split("\n");
    const pinned = readFileSync(golden, "utf8").split("\n");
    const fresh = new Set(now);
    const known = new Set(pinned);
    const gone = pinned.filter((line) => !fresh.has(line));
    assert.equal({ gone, come: now.filter((line) => !known.has(line)) }, { gone: [], come: [] });
    assert.is(now.length, pinned.length, "lines moved: write the list anew");
  });

  test("a compiler that does not read exports finds the same files", () => {
    const expected = typed.slice(1).map(({ entry, target }) => [entry.slice(6), [target.types?.slice(2)]]);
    assert.equal(packageFile.typesVersions["*"], Object.fromEntries(expected));
  });

  test("whatever a public declaration or its comment names can be imported", () => {
    const bare = (text: string): string => text.replace(/\/\*[\s\S]*?\*\//g, "");
    const declared = /^export (?:declare )?(?:async )?(?:abstract )?(?:function|const|class|interface|type) (\w+)/gm;
    const namesOf = (text: string): string[] => Array.from(bare(text).matchAll(declared), ([, name = ""]) => name);
    const exported = new Set(
      typed.flatMap(({ target }) => {
        const text = readFileSync(join(root, target.types ?? ""), "utf8");
        const passedOn = [...bare(text).matchAll(/^export (?:type )?\{([^}]*)\}/gm)].flatMap(([, list = ""]) =>
          list.split(",").map((item) => item.trim().replace(/^type |^.* as /g, "")),
        );
        return [...passedOn, ...namesOf(text)];
      }),
    );
    const sources = ["engine", "weights-loader", "evaluation", "photos", "workers", "host", "web"].flatMap(sourceFiles);
    const ours = new Set(sources.flatMap((file) => namesOf(readFileSync(join(root, file), "utf8"))));
    // Words that mean something else there: a parameter, a Blob of the platform, a method of the same name.
    const otherwise = new Set(["kernel", "resize", "Blob", "readRows"]);
    const missing = new Set<string>();
    for (const file of readdirSync(types, { recursive: true, encoding: "utf8" })) {
      if (!file.endsWith(".d.ts")) continue;
      const text = readFileSync(join(types, file), "utf8");
      for (const name of namesOf(text)) if (!exported.has(name)) missing.add(name);
      for (const [comment] of text.matchAll(/\/\*\*[\s\S]*?\*\//g)) {
        for (const [, name = ""] of comment.matchAll(/`([A-Za-z]\w*)(?:\(|`|\.)/g)) {
          if (ours.has(name) && !exported.has(name) && !otherwise.has(name)) missing.add(`${name}, in a comment`);
        }
      }
    }
    assert.equal([...missing].sort(), []);
  });

  for (const [module, moduleResolution] of [
    ["nodenext", "nodenext"],
    ["esnext", "bundler"],
  ]) {
    const common = { module, moduleResolution };
    test(`programs without the DOM and without Node compile, ${moduleResolution}`, () => {
      assert.is(compile("plain", { ...common, lib: ["es2022"], types: [] }, plain, example), "");
    });

    test(`programs of Node compile, ${moduleResolution}`, () => {
      const entries = entryNames.filter((entry) => !isWeb(entry));
      assert.is(compile("node", { ...common, lib: ["es2022"], types: ["node"] }, entries, example), "");
    });

    test(`programs of pages compile, ${moduleResolution}`, () => {
      const entries = entryNames.filter((entry) => !isNode(entry));
      assert.is(compile("web", { ...common, lib: ["es2022", "dom"], types: [] }, entries, example), "");
    });
  }

  test("the snippets of docs/web.md compile, strictly", () => {
    const text = readFileSync(join(root, "docs/web.md"), "utf8");
    const snippets = Array.from(text.matchAll(/```(?:ts|js)\n([\s\S]*?)```/g), ([, code = ""]) => code);
    assert.ok(snippets.length >= 4, `${snippets.length} snippets`);
    const strictest = { noUncheckedIndexedAccess: true, exactOptionalPropertyTypes: true, noImplicitReturns: true };
    const given = "declare const file: File;\n"; // what the visitor chose
    for (const code of snippets) {
      const said = compile(
        "snippet",
        { ...strictest, module: "esnext", moduleResolution: "bundler", lib: ["es2022", "dom"], types: ["node"] },
        [],
        given + code,
      );
      assert.is(said, "", code);
    }
  });

  test("a program that misuses them does not compile", () => {
    const wrong = `import { explain } ${library};\nexport const bad = explain(1);\n`;
    assert.match(compile("wrong", { module: "nodenext", lib: ["es2022"], types: [] }, [], wrong), /error TS2\d+/);
    const internal = `import type { Network } ${library};\nexport const graph = (n: Network) => n.graph;\n`;
    assert.match(compile("internal", { module: "nodenext", lib: ["es2022"], types: [] }, [], internal), /'graph'/);
  });
});
