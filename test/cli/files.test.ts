import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import * as assert from "uvu/assert";
import { expandInputs, folderNames, mapInputs, photoInputs } from "../../cli/inputs/expand.ts";
import { checkWritable, writeFolder } from "../../cli/outputs/atomic-write.ts";
import { removeLitter, temporaryPath } from "../../cli/outputs/litter.ts";
import { root } from "../support/paths.ts";
import { rng } from "../support/rng.ts";
import { suite } from "../support/suite.ts";

async function inFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "srmap-test-"));
  try {
    await body(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

suite("cli/files", (test) => {
  test("a new folder appears with all its files", () =>
    inFolder(async (folder) => {
      const target = join(folder, "a/b");
      await writeFolder(
        target,
        new Map([
          ["x.txt", bytes("x")],
          ["y.txt", bytes("y")],
        ]),
      );
      assert.equal(readdirSync(target), ["x.txt", "y.txt"]);
      assert.equal(readdirSync(join(folder, "a")), ["b"], "no temporary folder stays");
    }));

  test("files of an existing folder are replaced, others stay", () =>
    inFolder(async (folder) => {
      writeFileSync(join(folder, "x.txt"), "old");
      writeFileSync(join(folder, "mine.txt"), "mine");
      await writeFolder(folder, new Map([["x.txt", bytes("new")]]));
      assert.equal(readdirSync(folder), ["mine.txt", "x.txt"]);
      assert.is(readFileSync(join(folder, "x.txt"), "utf8"), "new");
    }));

  test("when one file cannot be written, none is, and nothing is left behind", () =>
    inFolder(async (folder) => {
      const files = new Map([
        ["x.txt", bytes("x")],
        ["no/such/folder.txt", bytes("y")],
      ]);
      for (const target of [join(folder, "new"), folder]) {
        let code: unknown;
        await writeFolder(target, files).catch((error: NodeJS.ErrnoException) => {
          code = error.code;
        });
        assert.is(code, "ENOENT");
        assert.equal(readdirSync(folder), []);
      }
    }));

  test("an interrupt while files are written waits until they are whole", () =>
    inFolder(async (folder) => {
      const module = JSON.stringify(pathToFileURL(join(root, "build/cli/outputs/atomic-write.js")).href);
      // Interrupts itself before the second file of the set.
      const script = `
        import { writeFolder } from ${module};
        const files = new Map([["x.bin", new Uint8Array(1e6)], ["y.bin", new Uint8Array(1e6)]]);
        const entries = files[Symbol.iterator].bind(files);
        files[Symbol.iterator] = function* () {
          let n = 0;
          for (const entry of entries()) {
            if (n++ === 1) process.kill(process.pid, "SIGINT");
            yield entry;
          }
        };
        await writeFolder(process.argv[1], files);
        await new Promise((resolve) => setTimeout(resolve, 5000));`;
      for (const target of [join(folder, "new"), join(folder, "new")]) {
        const { status } = spawnSync(process.execPath, ["--input-type=module", "-e", script, target]);
        assert.is(status, 130);
        assert.equal(readdirSync(folder), ["new"]);
        assert.equal(
          readdirSync(target).map((name) => [name, readFileSync(join(target, name)).length]),
          [
            ["x.bin", 1e6],
            ["y.bin", 1e6],
          ],
        );
      }
    }));

  test("after kill -9 at any moment every folder is whole, and the next run takes the litter", () =>
    inFolder(async (folder) => {
      const module = JSON.stringify(pathToFileURL(join(root, "build/cli/outputs/atomic-write.js")).href);
      // Writes the same results again and again, every file of a set with the same number in it.
      const script = `
        import { checkWritable, writeFolder } from ${module};
        const [out, start, rounds] = process.argv.slice(1);
        checkWritable(out);
        process.stdout.write("ready");
        for (let n = Number(start); n < Number(start) + Number(rounds); n++) {
          for (const photo of ["cat", "dog", "deep/bird"]) {
            const bytes = new Uint8Array(20000).fill(n);
            await writeFolder(out + "/" + photo, new Map(["a.npy", "b.png", "report.json"].map((name) => [name, bytes])));
          }
        }`;
      const run = (start: number, rounds: number): ReturnType<typeof spawn> =>
        spawn(process.execPath, ["--input-type=module", "-e", script, folder, String(start), String(rounds)], {
          stdio: ["ignore", "pipe", "inherit"],
        });
      mkdirSync(join(folder, "cat"));
      writeFileSync(join(folder, "cat/mine.txt"), "mine");
      const hidden = (): string[] =>
        readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => basename(name).startsWith("."));
      let littered = 0;
      const random = rng(3);
      for (let n = 0; n < 25; n++) {
        const child = run(n * 7, 1e6);
        await once(child.stdout ?? child, "data");
        await setTimeout(random.integer(0, 40));
        child.kill("SIGKILL");
        await once(child, "exit");
        if (hidden().length > 0) littered++;
        for (const photo of ["cat", "dog", "deep/bird"]) {
          // A folder may be missing, moved aside at the moment of the kill; it is never half there.
          const set = ["a.npy", "b.png", "report.json"];
          if (!set.some((name) => existsSync(join(folder, photo, name)))) continue;
          const [first, ...others] = set.map((name) => readFileSync(join(folder, photo, name)));
          assert.is(first?.length, 20000, `${photo}, kill ${n}`);
          for (const other of others) assert.ok(first?.equals(other), `${photo}, kill ${n}: files of two runs`);
        }
      }
      assert.ok(littered > 0, "no kill hit");
      await once(run(200, 1), "exit");
      assert.equal(hidden(), []);
      assert.is(
        readFileSync(join(folder, "cat/mine.txt"), "utf8"),
        "mine",
        "what is not ours is kept through all kills",
      );
    }));

  test("what a running process is writing is no litter", () =>
    inFolder(async (folder) => {
      const name = (pid: number): string =>
        basename(temporaryPath(folder, "x", "new")).replace(`-${process.pid}-`, `-${pid}-`);
      const [running, dead, elsewhere] = [
        name(process.ppid),
        name(4194303),
        name(4194303).replace(/new-[0-9a-f]{8}/, "new-00000000"),
      ];
      for (const entry of [running, dead, elsewhere]) writeFileSync(join(folder, entry), "");
      removeLitter(folder);
      assert.equal(readdirSync(folder).sort(), [running, elsewhere].sort());
    }));

  test("checkWritable leaves nothing and sees a file in the way", () =>
    inFolder(async (folder) => {
      checkWritable(join(folder, "deep/er"));
      assert.equal(readdirSync(folder), []);
      writeFileSync(join(folder, "file"), "");
      assert.throws(() => checkWritable(join(folder, "file/below")), /ENOTDIR/);
    }));

  if (process.getuid?.() !== 0) {
    test("checkWritable sees a folder that is not ours to write", () =>
      inFolder(async (folder) => {
        chmodSync(folder, 0o500);
        assert.throws(() => checkWritable(folder), /EACCES/);
        chmodSync(folder, 0o700);
      }));
  }

  test("files, folders and patterns are expanded in the order given, each file once", () =>
    inFolder(async (folder) => {
      for (const name of [
        "b.png",
        "a.JPG",
        "notes.txt",
        ".hidden.png",
        "map.npy",
        "sub/c.jpeg",
        "sub/deep/d.png",
        "x[1].png",
      ]) {
        mkdirSync(join(folder, name, ".."), { recursive: true });
        writeFileSync(join(folder, name), "");
      }
      const expand = async (...args: string[]): Promise<string[]> => {
        const { inputs } = await expandInputs(
          args.map((arg) => join(folder, arg)),
          photoInputs,
        );
        return inputs.map(
          ({ path, error }) => path.slice(folder.length + 1) + (error === undefined ? "" : `: ${error}`),
        );
      };
      assert.equal(await expand("b.png", "notes.txt"), ["b.png", "notes.txt"], "a named file is taken as it is");
      assert.equal(await expand("sub", "."), ["sub/c.jpeg", "a.JPG", "b.png", "map.npy", "x[1].png"]);
      assert.equal(await expand("*.png"), ["b.png", "x[1].png"]);
      assert.equal(await expand("?.*", "b.png"), ["a.JPG", "b.png"]);
      assert.equal(await expand("**/*.png"), ["b.png", "x[1].png", "sub/deep/d.png"]);
      assert.equal(await expand("*/*"), ["sub/c.jpeg"]);
      assert.equal(await expand("x[1].png"), ["x[1].png"]);
      assert.equal(await expand("nope.png", "*.gif"), [
        "nope.png: there is no such file or folder.",
        "*.gif: no photo or .npy file matches this pattern.",
      ]);
      assert.equal(
        (await expandInputs([join(folder, "sub")], mapInputs)).inputs[0]?.error,
        "there is no .npy file in this folder.",
      );
    }));

  test("several: many arguments, or one that can stand for many", () =>
    inFolder(async (folder) => {
      writeFileSync(join(folder, "a.png"), "");
      const areSeveral = async (...args: string[]): Promise<boolean> =>
        (await expandInputs(args, photoInputs)).areSeveral;
      assert.is(await areSeveral(join(folder, "a.png")), false);
      assert.is(await areSeveral(folder), true);
      assert.is(await areSeveral(join(folder, "*.png")), true);
      assert.is(await areSeveral(join(folder, "a.png"), "missing.png"), true);
    }));

  test("photos that share a name get numbered folders", () => {
    assert.equal(folderNames(["x/cat.png", "y/cat.jpg", "Cat.png", "dog.tar.png", ".png"]), [
      "cat",
      "cat-2",
      "Cat-3",
      "dog.tar",
      ".png",
    ]);
    assert.ok(!existsSync("cat"));
  });
});
