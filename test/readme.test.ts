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

  test("every number in its prose is what the code, the tests and the documents say", () => {
    const read = (file: string): string => readFileSync(join(root, file), "utf8");
    const card = read("models/squeezenet1_1-caffe.md");
    const digests = JSON.parse(read("test/golden/images/photos.json")) as Record<string, string>;
    const photoCount = Object.entries(digests)
      .filter(([folder]) => folder.startsWith("ilsvrc2012"))
      .reduce((sum, [, digest]) => sum + digest.length / 8, 0);
    const row = (document: string, start: string): string[] =>
      (document.split("\n").find((line) => line.startsWith(`| ${start} |`)) ?? "").split(" | ");
    const evidence = read("docs/evidence.md");
    const small = evidence.slice(evidence.indexOf("## Objects under half"), evidence.indexOf("## All"));
    const mean = (map: string, column: number): string => row(small, `\`${map}\``)[column]?.split(" ")[0] ?? "";
    const speed = row(read("docs/performance.md"), "VGG-16 `epsilonPlus`");
    const engines = (JSON.parse(read("package.json")) as { engines: { node: string } }).engines.node;
    const [, unsureRight = "", right = "", sureWrong = "", wrong = ""] =
      card.match(/(\d+) of (\d+) right answers are called unsure, and (\d+) of (\d+) wrong ones are not/) ?? [];
    // Sizes of files (kB) are held by the tests of the package, which build them; "895 of 895" by those of photos.
    const claims: [RegExp, string[]][] = [
      [/with Node (\d+) or newer/, [engines.replace(">=", "")]],
      [/On (\d+) photos with objects under half of the photo/, [small.match(/under half the photo: (\d+)/)?.[1] ?? ""]],
      [
        /(\.\d+) of SqueezeNet's Salient Relevance lies inside the objects' boxes, (\.\d+) of the relevance itself, (\.\d+) of Grad-CAM, and (\.\d+) of a bet/,
        ["epsilonPlus:sr", "epsilonPlus:abs", "gradcam", "gaussian"].map((map) => mean(map, 2)),
      ],
      [
        /\((\.\d+) of them inside, Salient Relevance (\.\d+)\)/,
        [mean("epsilonPlus:blur", 3), mean("epsilonPlus:sr", 3)],
      ],
      [
        /On (\d+) other photos srmap called (\d+) of (\d+) wrong answers unsure, and (\d+) of (\d+) right ones/,
        [`${Number(right) + Number(wrong)}`, `${Number(wrong) - Number(sureWrong)}`, wrong, unsureRight, right],
      ],
      [
        /on one thread: (\d+) ms, zennit with PyTorch (\d+) ms/,
        [speed[1]?.split(" ")[0] ?? "", speed[2]?.split(" ")[0] ?? ""],
      ],
      [/byte for byte \((\d+) of (\d+) ILSVRC2012 photos/, [`${photoCount}`, `${photoCount}`]],
    ];
    let prose = readme.replace(/```[\s\S]*?```/g, "").replace(/\s+/g, " ");
    for (const [pattern, expected] of claims) {
      const match = prose.match(pattern);
      assert.ok(match, `README no longer says ${pattern}`);
      assert.equal(match.slice(1), expected, `${pattern}`);
      prose = prose.replace(pattern, "");
    }
    // What is left are names and conventions.
    const names =
      /16 bits are rounded to 8|VGG-16|SqueezeNet 1\.[01]|ILSVRC2012|[bf]?f?(?:loat)?(?:16|32|64)\b|V[12]\b|Keras 2 and 3|opset 7|h5wasm|LRP-0|li2019|AVX-512|of 128 bits|7x7|1x1|\b[0-9]\. [A-Z]|20[0-9]{2}|arXiv 1712\.08268|\[3,H,W\]|0 to 1 \||Exit codes: 0 all went well, 1 something failed, 2 the command|espresso, 100\.0 %|\(\d+ kB gzip\)/g;
    const left = prose
      .replace(/`[^`]*`/g, "")
      .replace(/\]\([^)]*\)/g, "")
      .replace(names, "");
    assert.equal(left.match(/\S*\d\S*/g) ?? [], [], "numbers that no test holds");
  });
});
