import { spawn, spawnSync } from "node:child_process";
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import * as assert from "uvu/assert";
import { expandInputs, inputName, mapInputs, photoInputs } from "../../cli/inputs/expand.ts";
import type { InputKind } from "../../cli/inputs/found-input.ts";
import { describeLeftOut } from "../../cli/inputs/left-out.ts";
import { inputNames } from "../../cli/inputs/names.ts";
import { labelsOfFolders } from "../../cli/inputs/photo-labels.ts";
import { describeError } from "../../cli/terminal/errors.ts";
import { imagenetFolders } from "../../engine/labels/imagenet-folders.ts";
import { readPhotoBytes } from "../../host/photos/read.ts";
import { root } from "../support/paths.ts";
import { srmap } from "../support/run-cli.ts";
import { suite } from "../support/suite.ts";

/** A folder with these files, empty. */
async function inTree(names: readonly string[], body: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "srmap-inputs-"));
  try {
    for (const name of names) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), "");
    }
    await body(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Does something as a user that may not read everything, where the tests run as one that may. */
async function asNobody<Value>(work: () => Promise<Value>): Promise<Value> {
  const isRoot = process.geteuid?.() === 0;
  if (isRoot) process.seteuid?.(65534);
  try {
    return await work();
  } finally {
    if (isRoot) process.seteuid?.(0);
  }
}

async function expand(
  folder: string,
  argument: string,
  kind: InputKind = photoInputs,
): Promise<{ found: string[]; left: string | undefined }> {
  const { inputs, leftOut } = await expandInputs([join(folder, argument)], kind);
  const found = inputs.map((input) =>
    input.error === undefined
      ? `${input.relative}${input.label === undefined ? "" : ` (${input.label})`}`
      : input.error,
  );
  return { found, left: describeLeftOut(leftOut, kind)?.replaceAll(`${folder}/`, "") };
}

const classes = ["n01440764/a.JPEG", "n01440764/b.JPEG", "n02102040/a.JPEG", "n02102040/more/c.png", "labels.json"];
const mixed = [
  "a.png",
  "b.txt",
  "c.txt",
  "README",
  ".DS_Store",
  "Thumbs.db",
  ".secret.png",
  "sub/d.png",
  "out/cat.png",
];

suite("cli/inputs", (test) => {
  test("a folder per class gives its photos with their class", () =>
    inTree(classes, async (folder) => {
      assert.equal(await expand(folder, ""), {
        found: [
          "n01440764/a.JPEG (n01440764)",
          "n01440764/b.JPEG (n01440764)",
          "n02102040/a.JPEG (n02102040)",
          "n02102040/more/c.png (n02102040)",
        ],
        left: "left out: 1 file that is no photo or .npy file (1 .json).",
      });
    }));

  test("folders called as ImageNet's or as a class tell the true class, others do not", async () => {
    assert.equal(imagenetFolders().length, 1000);
    assert.equal(
      [0, 207, 999].map((index) => imagenetFolders()[index]),
      ["n01440764", "n02099601", "n15075141"],
    );
    await inTree(["n02099601/a.png", "Golf_ball/b.png", "my class/c.png", "2024-01/d.png"], async (folder) => {
      const { inputs } = await expandInputs([folder], photoInputs);
      const paths = inputs.map((input) => (input.error === undefined ? input.relative : ""));
      assert.equal(Object.fromEntries(labelsOfFolders(inputs, paths, ["My Class"]) ?? []), {
        "n02099601/a.png": "golden retriever",
        "Golf_ball/b.png": "golf ball",
        "my class/c.png": "My Class",
      });
    });
    await inTree(["2024-01/d.png"], async (folder) => {
      assert.is(labelsOfFolders((await expandInputs([folder], photoInputs)).inputs, ["2024-01/d.png"], []), undefined);
    });
  });

  test("what lies beside the photos of a folder is told, what the system writes is not", () =>
    inTree(mixed, async (folder) => {
      assert.equal(await expand(folder, ""), {
        found: ["a.png"],
        left: "left out: 3 files that are no photo or .npy file (1 without ending, 2 .txt); 1 hidden file; 2 folders beside photos (out, sub; name them to take their photos).",
      });
      assert.equal(await expand(folder, "*.png"), { found: ["a.png"], left: undefined });
    }));

  test("results are never taken for photos, by folder, by pattern, or deeper in a tree", () =>
    inTree(
      ["a.png", "srmap-out/explanation.json", "srmap-out/panel.png", "srmap-out/relevance.npy"],
      async (folder) => {
        const left = "left out: 1 folder of results (srmap-out).";
        assert.equal(await expand(folder, ""), { found: ["a.png"], left });
        assert.equal(await expand(folder, "**/*.png"), { found: ["a.png"], left });
        assert.equal(await expand(folder, "srmap-out"), {
          found: ["there is no photo or .npy file in this folder."],
          left,
        });
        assert.equal((await expand(folder, "srmap-out/panel.png")).found, ["panel.png"], "named by itself it is meant");
        assert.equal((await expand(folder, "srmap-out", mapInputs)).found, ["relevance.npy"], "maps are results");
      },
    ));

  test("results of a batch and of comparisons are known, too", () =>
    inTree(
      [
        "x/out/cat/explanation.json",
        "x/out/cat/panel.png",
        "y/compare.json",
        "y/compare.png",
        "z/index.html",
        "z/summary.json",
        "z/cat.png",
        "w/d.png",
      ],
      async (folder) => {
        assert.equal(await expand(folder, ""), {
          found: ["w/d.png (w)"],
          left: "left out: 3 folders of results (x/out/cat, y, z).",
        });
      },
    ));

  test.needs(
    process.platform === "win32" ? "absent" : "/",
    "a \\ in a name is part of it, and adds no folder to the results",
    async () => {
      await inTree(["a.png", "b\\c.png"], async (folder) => {
        const { inputs } = await expandInputs([folder], photoInputs);
        assert.equal(inputNames(inputs), ["a.png", "b\\c.png"]);
      });
    },
  );

  test.needs(process.platform === "linux" ? "/" : "absent", "a name that is no UTF-8 is called that", async () => {
    await inTree(["a.png"], async (folder) => {
      writeFileSync(Buffer.concat([Buffer.from(`${folder}/bad`), Buffer.from([0xff]), Buffer.from(".png")]), "");
      const { inputs } = await expandInputs([folder], photoInputs);
      const [, bad] = inputs.map((input) => (input.error === undefined ? input.path : ""));
      const reason = await readPhotoBytes(bad ?? "").then(String, describeError);
      assert.is(reason, "its name holds bytes that are no UTF-8 text, so that it cannot be opened. Rename it.");
    });
  });

  test.needs(process.platform === "linux" ? "/" : "absent", "of names that are no UTF-8 none is lost", () =>
    inTree(["in/a.png"], async (folder) => {
      cpSync(join(root, "examples/cat.jpg"), join(folder, "in/cat.jpg"));
      rmSync(join(folder, "in/a.png"));
      // Two names that read alike, and a folder.
      const odd = (...bytes: number[]): Buffer => Buffer.concat([Buffer.from(`${folder}/in/caf`), Buffer.from(bytes)]);
      for (const letter of [0xe8, 0xe9]) writeFileSync(odd(letter, 0x2e, 0x6a, 0x70, 0x67), "");
      for (const argument of ["in", "in/*.jpg", "**/*.jpg"]) {
        const { inputs } = await expandInputs([join(folder, argument)], photoInputs);
        const names = inputs.map(({ path }) => path.slice(folder.length + 4));
        assert.equal(names.sort(), ["caf\uFFFD.jpg", "caf\uFFFD.jpg", "cat.jpg"], argument);
      }
      const options = ["-m", "alexnet-mini", "--no-salient", "--write", "npy", "--jobs", "1"];
      const run = await srmap("explain", join(folder, "in"), ...options, "--out", join(folder, "out"));
      assert.is(run.code, 1);
      assert.is(run.err.match(/caf\uFFFD\.jpg: its name holds bytes that are no UTF-8 text/g)?.length, 2);
      assert.match(run.out, /3 photos: 1 explained/);
      const index = readFileSync(join(folder, "out/index.jsonl"), "utf8").trim().split("\n");
      assert.is(index.filter((line) => line.includes("no UTF-8 text")).length, 2);
    }),
  );

  test("a file whose name begins with a dash: how to write it", () =>
    inTree([], async (folder) => {
      cpSync(join(root, "examples/cat.jpg"), join(folder, "-dash.jpg"));
      const run = (...argv: string[]) => {
        const options = ["-m", "alexnet-mini", "--no-salient", "--write", "npy", "--out", "out"];
        const command = [join(root, "build/cli/main.js"), "explain", ...options, ...argv];
        return spawnSync(process.execPath, command, { cwd: folder, encoding: "utf8" });
      };
      const refused = run("-dash.jpg");
      assert.equal(
        [refused.status, refused.stderr],
        [2, "srmap: unknown option -d. If -dash.jpg is a file, write ./-dash.jpg.\n"],
      );
      for (const argv of [["./-dash.jpg"], ["--", "-dash.jpg"]]) {
        const { status, stderr } = run(...argv);
        assert.is(status, 0, stderr);
        rmSync(join(folder, "out"), { recursive: true });
      }
    }));

  // On Windows folders cannot be closed by their mode.
  test.needs(
    process.platform === "win32" ? "absent" : "/",
    "a folder that cannot be read is told, and the others are taken",
    () =>
      inTree(["x/a.png", "y/b.png", "z/c.txt"], async (folder) => {
        chmodSync(folder, 0o755);
        chmodSync(join(folder, "y"), 0);
        const refused = { path: join(folder, "y"), error: "access is not permitted." };
        const found = { path: join(folder, "x/a.png"), relative: "x/a.png" };
        try {
          const [byFolder, byPattern] = await asNobody(async () => [
            await expandInputs([folder], photoInputs),
            await expandInputs([join(folder, "**/*.png")], photoInputs),
          ]);
          assert.equal(byFolder?.inputs, [{ ...found, label: "x" }, refused]);
          assert.equal(byPattern?.inputs, [{ ...found, label: undefined }, refused]);
        } finally {
          chmodSync(join(folder, "y"), 0o755);
        }
      }),
  );

  test("URLs and standard input have names", () => {
    assert.is(inputName("https://example.org/photos/cat.jpg?size=1*2"), "cat.jpg");
    assert.is(inputName("http://example.org"), "example.org");
    assert.is(inputName("-"), "stdin");
    assert.is(inputName("a/b.png"), "b.png");
  });

  test("a photo from a URL and from standard input is explained as from its file; what fails says why", async () => {
    const cat = readFileSync(join(root, "examples/cat.jpg"));
    const server = createServer((request, response) => {
      if (request.url?.startsWith("/cat.jpg") === true) response.end(cat);
      else response.writeHead(404).end();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const folder = mkdtempSync(join(tmpdir(), "srmap-inputs-"));
    const run = async (input: Buffer | undefined, ...argv: string[]): Promise<{ out: string; err: string }> => {
      const command = [join(root, "build/cli/main.js"), "explain", "--sr", "workSize=60", ...argv];
      const child = spawn(process.execPath, command, { cwd: folder });
      child.stdin.end(input);
      const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)]);
      return { out, err };
    };
    try {
      const url = `http://127.0.0.1:${port}`;
      await run(undefined, join(root, "examples/cat.jpg"), "--out", "file");
      const [fromUrl, fromInput] = [
        await run(undefined, `${url}/cat.jpg?a=*`, "--out", "url"),
        await run(cat, "-", "--out", "in"),
      ];
      assert.equal([fromUrl.err, fromInput.err], ["", ""]);
      for (const name of ["relevance.npy", "salient-relevance.npy", "logits.npy"]) {
        const expected = readFileSync(join(folder, "file", name));
        for (const out of ["url", "in"])
          assert.ok(readFileSync(join(folder, out, name)).equals(expected), `${out}/${name}`);
      }
      const files = ["file", "url", "in"].map(
        (out) => JSON.parse(readFileSync(join(folder, out, "explanation.json"), "utf8")).input.file,
      );
      assert.equal(files, ["cat.jpg", "cat.jpg", "stdin"]);
      assert.is(
        (await run(undefined, `${url}/dog.jpg`)).err,
        `${url}/dog.jpg: the server answered 404 Not Found. Check the address, try again later, or download the photo yourself and give its file.\n`,
      );
      assert.match(
        (await run(undefined, "http://127.0.0.1:1/x.jpg")).err,
        /^http:\/\/127\.0\.0\.1:1\/x\.jpg: the server cannot be reached/,
      );
      assert.is((await run(undefined, "-")).err, "-: image: the file is empty. Give a PNG or JPEG photo.\n");
    } finally {
      server.close();
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
