import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { readClasses } from "../../cli/choices/classes.ts";
import { weightsError } from "../../cli/terminal/errors.ts";
import { loadNetwork } from "../../host/network/load.ts";
import { suite } from "../support/suite.ts";

const folder = mkdtempSync(join(tmpdir(), "srmap-classes-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
const names = ["cat", "dog"];

// File, content, and what comes of it: the names, or the refusal behind "--classes FILE: ".
const noList = "it must be a list of names, or an object with every index from 0 on, as keys or as values.";
const likeJson =
  "it begins like a list or dict of Python or JSON. Give a text file of one name per line, or JSON in a file that ends in .json (json.dump writes it).";
const noName = (index: number): string => `class ${index} must have a name, a text. Name every class once, in order.`;
const files: readonly (readonly [string, string, readonly string[] | string])[] = [
  ["lines.txt", "cat\ndog", names],
  ["windows.txt", "cat\r\ndog\r\n\r\n", names],
  ["old-mac.txt", " cat \rdog\r", names],
  ["list.json", '["cat", "dog"]', names],
  ["numbers.json", "[0, 1]", ["0", "1"]],
  ["by-index.json", '{"1": "dog", "0": "cat"}', names],
  ["by-name.json", '{"dog": 1, "cat": 0}', names],
  ["torchvision.json", '{"0": ["n02123045", "cat"], "1": ["n02084071", "dog"]}', names],
  ["config.json", '{"id2label": {"0": "cat", "1": "dog"}, "label2id": {"cat": 0, "dog": 1}}', names],
  ["brackets.txt", "[background]\n{other}", ["[background]", "{other}"]],
  ["gap.json", '{"0": "cat", "2": "dog"}', noList],
  ["text.json", '"cat"', noList],
  ["null.json", '{"id2label": null}', noList],
  ["lists-by-name.json", '{"cat": [0], "dog": [1]}', noList],
  ["objects.json", '[{"id": 0, "name": "cat"}]', noName(0)],
  ["empty-name.json", '["cat", ""]', noName(1)],
  ["blank-line.txt", "cat\n\ndog\n", noName(1)],
  ["python.txt", "{0: 'cat',\n 1: 'dog'}\n", likeJson],
  ["list.txt", '["cat", "dog"]\n', likeJson],
];

suite("class names", (test) => {
  for (const [name, content, expected] of files) {
    test(name, async () => {
      const path = join(folder, name);
      writeFileSync(path, content);
      const got = await readClasses(path).catch(String);
      assert.equal(got, typeof expected === "string" ? `UsageError: --classes ${path}: ${expected}` : expected);
    });
  }

  test.needs(
    process.platform === "win32" ? "absent" : "/dev/zero",
    "a pipe and a device do not wait, and are no file",
    async () => {
      const pipe = join(folder, "pipe");
      execFileSync("mkfifo", [pipe]);
      for (const [path, kind] of [
        [pipe, "a pipe"],
        ["/dev/zero", "a device"],
      ]) {
        const got = await readClasses(path ?? "").catch(String);
        assert.is(got, `CommandError: classes ${path}: this is ${kind}, not a file.`);
      }
    },
  );

  test("too many names are a fault of their file, not of the weights", async () => {
    const error: unknown = await loadNetwork("alexnet-mini", undefined, { labels: names }).catch(
      (reason: unknown) => reason,
    );
    assert.is(
      weightsError("some.safetensors", error).message,
      '--classes: network "alexnet-mini" has 10 classes, got 2 names. Give one for each class, in the order of its outputs.',
    );
  });
});
