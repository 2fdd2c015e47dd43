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
});
