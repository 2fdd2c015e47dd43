import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { commands } from "../cli/commands/index.ts";
import { root } from "./support/paths.ts";
import { writeSeededWeights } from "./support/seeded-weights.ts";
import { suite } from "./support/suite.ts";

const readme = readFileSync(join(root, "README.md"), "utf8");

function blocks(language: string): string[] {
  return Array.from(
    readme.matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, "g")),
    (match) => match[1] ?? "",
  );
}

suite("readme", (test) => {
  test("the library example runs", () => {
    const [example = ""] = blocks("js");
    // Inside the package, so that "srmap" is the package itself.
    const script = join(root, "build/test/readme-example.mjs");
    writeFileSync(script, example);
    const folder = mkdtempSync(join(tmpdir(), "srmap-readme-"));
    try {
      cpSync(join(root, "examples/coffee.jpg"), join(folder, "photo.jpg"));
      writeSeededWeights(join(folder, "squeezenet1_0.safetensors"), "squeezenet1_0", 1);
      const out = execFileSync(process.execPath, [script], { cwd: folder, encoding: "utf8" });
      assert.match(out, /^\S.* 0\.\d+\n\[ 3, 224, 224 \] \[ 224, 224 \]\n$/);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  test("every command and option it shows exists", () => {
    const lines = blocks("sh").flatMap((block) => block.split("\n").filter((line) => line.startsWith("srmap ")));
    assert.ok(lines.length > 0);
    for (const line of lines) {
      const name = line.split(" ")[1] ?? "";
      const command = Object.entries(commands).find(([known]) => known === name)?.[1];
      assert.ok(command, `no command "${name}"`);
      for (const [, option = ""] of line.matchAll(/ --([\w-]+)/g)) {
        assert.ok(Object.hasOwn(command.options, option), `${name} has no option --${option}`);
      }
    }
  });

  test("every script and file it names exists", () => {
    const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
      scripts: Record<string, string>;
    };
    for (const [, script = ""] of readme.matchAll(/npm run (\w+)/g))
      assert.ok(scripts[script], `no script "${script}"`);
    for (const [, file = ""] of readme.matchAll(/\]\(([^)#:]+)\)/g))
      assert.ok(existsSync(join(root, file)), `no file ${file}`);
  });

  test("its figures on speed and on where maps lie are those of the documents that say how they were measured", () => {
    const [, own = "", theirs = ""] =
      readme.match(/VGG-16 by `epsilonPlus` on one thread: (\d+) ms, zennit with PyTorch (\d+) ms/) ?? [];
    const performance = readFileSync(join(root, "docs/performance.md"), "utf8");
    assert.ok(performance.includes(`| VGG-16 \`epsilonPlus\` | ${own} ms | ${theirs} zennit`), `${own} ${theirs}`);
    const [, plus = "", paper = ""] =
      readme.match(
        /(\.\d+) of the Salient\s+Relevance\s+map\s+lies on the objects by the default `epsilonPlus`, (\.\d+) by the paper's `li2019`/,
      ) ?? [];
    const card = readFileSync(join(root, "models/squeezenet1_1-caffe.md"), "utf8");
    const cells = (composite: string): string[] =>
      card.match(new RegExp(`^\\| \`${composite}\` \\|.*$`, "m"))?.[0].split(" | ") ?? [];
    assert.equal([plus, paper], [cells("epsilonPlus")[3], cells("li2019")[3]]);
    assert.ok(card.includes("80 photos"));
  });
});
