import { spawn } from "node:child_process";
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { encodePng } from "../../cli/drawing/png.ts";
import { runPhotos } from "../../cli/explain/run.ts";
import { removeLitter } from "../../cli/outputs/litter.ts";
import { openRunIndex, readIndex } from "../../cli/outputs/run-index.ts";
import { createImage } from "../../engine/picture/image.ts";
import { root } from "../support/paths.ts";
import { rng } from "../support/rng.ts";
import { suite } from "../support/suite.ts";

const folder = mkdtempSync(join(tmpdir(), "srmap-batch-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
const cli = join(root, "build/cli/main.js");

/** Small photos of seeded noise in two folders: a class each, and a name that both have. */
function makePhotos(name: string, count: number): string {
  const random = rng(7);
  for (let i = 0; i < count; i++) {
    const image = createImage(32, 32);
    for (let p = 0; p < image.data.length; p++) if (p % 4 !== 3) image.data[p] = Math.floor(256 * random.uniform(0, 1));
    const path = join(
      folder,
      name,
      i % 2 === 0 ? "tench" : "church",
      `${String(Math.floor(i / 2)).padStart(3, "0")}.png`,
    );
    mkdirSync(join(path, ".."), { recursive: true });
    writeFileSync(path, encodePng(image));
  }
  return join(folder, name);
}

interface Run {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
  /** Largest resident memory of the process and its children, in MB, as sampled. */
  readonly memory: readonly number[];
}

function memoryOf(pid: number): number {
  try {
    const kilobytes = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ").filter(Boolean);
    return Number(kilobytes ?? 0) / 1e3 + children.reduce((sum, child) => sum + memoryOf(Number(child)), 0);
  } catch {
    return 0;
  }
}

/** Runs the command; `meddle` may kill it or stop reading. */
function srmap(args: readonly string[], meddle?: (child: ReturnType<typeof spawn>) => void): Promise<Run> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [cli, ...args], { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
    let out = "";
    let err = "";
    const memory: number[] = [];
    const sampler = setInterval(() => memory.push(memoryOf(child.pid ?? 0)), 100);
    child.stdout.on("data", (text) => {
      out += String(text);
    });
    child.stderr.on("data", (text) => {
      err += String(text);
    });
    child.on("close", (code) => {
      clearInterval(sampler);
      resolve({ code, out, err, memory });
    });
    meddle?.(child);
  });
}

const fast = ["--sr", "workSize=40", "--write", "maps,npy"];
const explain = (photos: string, out: string, ...more: string[]): string[] => [
  "explain",
  join(photos, "**/*.png"),
  "--out",
  out,
  ...fast,
  ...more,
];

/** Every file of a run with its bytes; timings of the index taken out, as documented. */
function contents(path: string, below = ""): Map<string, string> {
  const files = new Map<string, string>();
  for (const entry of readdirSync(join(path, below), { withFileTypes: true })) {
    const name = join(below, entry.name);
    if (entry.isDirectory()) for (const [key, value] of contents(path, name)) files.set(key, value);
    else {
      const bytes = readFileSync(join(path, name));
      files.set(
        name,
        entry.name.endsWith(".jsonl")
          ? bytes.toString("utf8").replace(/,"ms":\{[^}]*\}/g, "")
          : bytes.toString("base64"),
      );
    }
  }
  return files;
}

const lines = (path: string): Record<string, unknown>[] =>
  readFileSync(path, "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));

suite("cli/batch", (test) => {
  const photos = makePhotos("photos", 12);

  test("results mirror the photos' tree; index, labels and gallery tell of each photo", async () => {
    const labels = join(folder, "labels.json");
    writeFileSync(labels, JSON.stringify({ "tench/000.png": "tench", "church/000.png": "church" }));
    const run = await srmap(explain(photos, "whole", "--labels", labels));
    assert.equal([run.code, run.err], [0, ""]);
    assert.match(run.out, /right: \d of 2 labelled photos/);
    assert.match(
      run.out,
      /\n12 photos: 12 explained\. Results are in whole\/: index\.csv, index\.jsonl, index\.html and/,
    );
    const whole = join(folder, "whole");
    assert.equal(readdirSync(whole), ["church", "index.csv", "index.html", "index.jsonl", "run.json", "tench"]);
    assert.equal(readdirSync(join(whole, "tench")), readdirSync(join(photos, "tench")));
    const index = lines(join(whole, "index.jsonl"));
    assert.equal(
      index.map(({ photo }) => photo),
      ["church", "tench"].flatMap((name) => readdirSync(join(photos, name)).map((file) => `${name}/${file}`)),
    );
    assert.is(index[0]?.["truth"], "church");
    assert.type(index[0]?.["right"], "boolean");
    const csv = readFileSync(join(whole, "index.csv"), "utf8").trim().split("\n");
    assert.is(csv.length, 13);
    assert.match(csv[0] ?? "", /^photo,folder,class,label,probability,target,/);
    const page = readFileSync(join(whole, "index.html"), "utf8");
    const data = JSON.parse(/id="data">(.*)<\/script>/.exec(page)?.[1] ?? "{}");
    assert.is(data.rows.length, 12);
    assert.ok(existsSync(join(whole, data.rows[0][1], data.picture)));
    const report = JSON.parse(readFileSync(join(whole, "tench/000.png/explanation.json"), "utf8"));
    assert.is(report.input.path, "tench/000.png");
    assert.ok(!JSON.stringify(report).includes("Ms"), "nothing that changes from run to run");
    const { data: relevance } = { data: report.relevance };
    assert.ok(relevance.for >= 0 && relevance.against <= 0);
  });

  test("the bytes do not depend on how many processes share the work", async () => {
    await srmap(explain(photos, "one", "--jobs", "1"));
    await srmap(explain(photos, "three", "--jobs", "3"));
    const [one, three] = [contents(join(folder, "one")), contents(join(folder, "three"))];
    const run = (text: string): string => text.replace(/"(one|three)"/, '""');
    assert.equal([...one.keys()], [...three.keys()]);
    for (const [name, bytes] of one) {
      if (name === "run.json")
        assert.is(
          run(Buffer.from(bytes, "base64").toString()),
          run(Buffer.from(three.get(name) ?? "", "base64").toString()),
        );
      else assert.is(three.get(name), bytes, name);
    }
  });

  test("killed at any moment, the same command goes on and gives the same bytes", async () => {
    await srmap(explain(photos, "undisturbed"));
    const random = rng(3);
    let kills = 0;
    for (let i = 0; i < 8; i++) {
      const run = await srmap(explain(photos, "killed"), (child) => {
        setTimeout(() => child.kill("SIGKILL"), 300 + 1500 * random.uniform(0, 1));
      });
      if (run.code === null) kills++;
    }
    assert.ok(kills > 0, "nothing was killed");
    // Children of a killed process end by themselves, when they have written what they are writing.
    await new Promise((resolve) => setTimeout(resolve, 1500));
    const last = await srmap(explain(photos, "killed"));
    assert.is(last.code, 0, last.err);
    const [expected, got] = [contents(join(folder, "undisturbed")), contents(join(folder, "killed"))];
    expected.delete("run.json");
    got.delete("run.json");
    assert.equal([...got.keys()], [...expected.keys()]);
    for (const [name, bytes] of expected) assert.is(got.get(name), bytes, name);
  });

  test("what is there is kept, refused or replaced, as --existing says, and leaves nothing behind", async () => {
    const one = join(photos, "tench/000.png");
    const at = await srmap(["explain", one, "--out", "existing", ...fast, "--at", "pool2"]);
    assert.is(at.code, 0, at.err);
    assert.ok(existsSync(join(folder, "existing/relevance-at-pool2.npy")));
    const other = await srmap([
      "explain",
      join(photos, "church/000.png"),
      "--out",
      "existing",
      ...fast,
      "--at",
      "pool2",
    ]);
    assert.equal(
      [other.code, other.err],
      [
        1,
        "srmap: existing/ holds results of another photo (000.png), or of this one before it was changed. Add --existing replace to make them anew, or choose another --out.\n",
      ],
    );
    const anew = await srmap(["explain", one, "--out", "existing", ...fast, "--existing", "replace"]);
    assert.is(anew.code, 0, anew.err);
    assert.equal(readdirSync(join(folder, "existing")), [
      "explanation.json",
      "logits.npy",
      "relevance.npy",
      "relevance.png",
      "salient-relevance.npy",
      "salient-relevance.png",
    ]);
    const refused = await srmap(explain(photos, "whole", "--existing", "error"));
    assert.is(refused.code, 1);
    assert.match(refused.err, /^srmap: 12 of the results are there already, the first in .*Nothing was done\.\n$/);
    const otherSettings = await srmap(explain(photos, "whole", "--composite", "lrp0"));
    assert.is(otherSettings.code, 1);
    assert.is(
      otherSettings.err,
      "srmap: whole/ holds a run of another command, see whole/run.json. Add --existing replace to make it anew, or choose another --out.\n",
    );
  });

  test("without --out each photo gets a folder of its own", async () => {
    const run = await srmap(["explain", "photos/tench/001.png", ...fast]);
    assert.is(run.code, 0, run.err);
    assert.ok(existsSync(join(folder, "srmap-out/001.png/explanation.json")));
    const other = await srmap(["explain", "photos/church/001.png", ...fast]);
    assert.is(other.code, 1, "another photo of the same name");
  });

  test("shards share a run: each photo once, the same bytes", async () => {
    for (const shard of ["1/3", "2/3", "3/3"]) {
      const run = await srmap(explain(photos, "shards", "--shard", shard, "--labels", join(folder, "labels.json")));
      assert.is(run.code, 0, run.err);
      assert.match(run.out, /\n4 photos: 4 explained/);
    }
    const indexed = await srmap(["index", "shards", "--labels", join(folder, "labels.json")]);
    assert.equal([indexed.code, indexed.err], [0, ""]);
    assert.match(indexed.out, /12 photos/);
    const [expected, got] = [contents(join(folder, "whole")), contents(join(folder, "shards"))];
    for (const name of [...expected.keys()].filter((key) => /\.(npy|png|json)$/.test(key) && key !== "run.json")) {
      assert.is(got.get(name), expected.get(name), name);
    }
    const named = (name: string): unknown[] => lines(join(folder, name)).map(({ photo }) => photo);
    assert.equal(named("shards/index.jsonl"), named("whole/index.jsonl"));
    // What the joined index says is what that of one run says, but for what took how long.
    const untimed = (name: string): unknown[] => lines(join(folder, name)).map(({ ms, ...line }) => line);
    assert.equal(untimed("shards/index.jsonl"), untimed("whole/index.jsonl"));
    for (const name of ["index.csv", "index.html"]) {
      assert.is(readFileSync(join(folder, "shards", name), "utf8"), readFileSync(join(folder, "whole", name), "utf8"));
    }
    const wrong = await srmap(explain(photos, "shards", "--shard", "4/3"));
    assert.equal(
      [wrong.code, wrong.err],
      [2, 'srmap: --shard must be I/N with I from 1 to N, such as 3/8, got "4/3".\n'],
    );
  });

  test("--write and --no-salient choose what is computed and written", async () => {
    const run = await srmap([
      "explain",
      join(photos, "tench/000.png"),
      "--out",
      "bare",
      "--no-salient",
      "--write",
      "npy",
    ]);
    assert.is(run.code, 0, run.err);
    assert.equal(readdirSync(join(folder, "bare")), ["explanation.json", "logits.npy", "relevance.npy"]);
    assert.ok(
      readFileSync(join(folder, "bare/relevance.npy")).equals(
        readFileSync(join(folder, "whole/tench/000.png/relevance.npy")),
      ),
    );
    for (const [args, message] of [
      [
        ["--write", "pannel"],
        '--write must be a list of panel, overlay, photo, maps, npy, json, zarr, got "pannel". Did you mean "panel"?',
      ],
      [
        ["--no-salient", "--write", "panel"],
        "--write panel shows the Salient Relevance map, which --no-salient leaves out.",
      ],
      [
        ["--no-salient", "--salient-sign", "for"],
        "--salient-sign is about the Salient Relevance step, which --no-salient leaves out.",
      ],
      [["--salient-sign", "minus"], '--salient-sign must be one of both, for, against, got "minus".'],
      [["--existing", "keep"], '--existing must be one of skip, replace, error, got "keep".'],
      [["--write", "zarr"], "--write zarr is for several photos: a folder, a pattern or more names."],
    ] as const) {
      const refused = await srmap(["explain", join(photos, "tench/000.png"), "--out", "nothing", ...args]);
      assert.equal([refused.code, refused.err], [2, `srmap: ${message}\n`]);
    }
  });

  test("two runs at once into one index are noticed, and the next one mends it", () => {
    const place = join(folder, "twice");
    const lines = ["a", "b", "c"].map((photo) => ({ photo, error: "x", ms: {} }));
    const [one, two] = [openRunIndex(place, "index", 1), openRunIndex(place, "index", 1)];
    for (const line of lines) {
      one.add(line);
      two.add(line);
    }
    for (const index of [one, two]) {
      index.finish();
      assert.is(index.wasDisturbed(), true);
      index.close();
    }
    appendFileSync(join(place, "index.jsonl"), '{"photo":"torn\n');
    assert.ok([...readIndex(join(place, "index.jsonl"))].every(({ photo }) => photo !== undefined));
    const alone = openRunIndex(place, "index", 1);
    for (const line of lines) alone.add(line);
    alone.finish();
    assert.is(alone.wasDisturbed(), false);
    alone.close();
    assert.equal(
      [...readIndex(join(place, "index.jsonl"))].map(({ photo }) => photo),
      ["a", "b", "c"],
    );
  });

  test("run.zarr holds the numbers of every photo, a row each", async () => {
    const run = await srmap([
      ...explain(photos, "store", "--no-salient").filter(
        (word) => !["--sr", "workSize=40", "maps,npy", "--write"].includes(word),
      ),
      "--write",
      "zarr",
    ]);
    assert.is(run.code, 0, run.err);
    const store = join(folder, "store/run.zarr");
    assert.equal(readdirSync(store), [".zgroup", "logits", "photo", "relevance"]);
    const { shape, chunks, dtype } = JSON.parse(readFileSync(join(store, "relevance/.zarray"), "utf8"));
    assert.equal([shape, chunks, dtype], [[12, 3, 224, 224], [1, 3, 224, 224], "<f4"]);
    const npy = readFileSync(join(folder, "whole/tench/000.png/relevance.npy"));
    assert.ok(
      npy.subarray(npy.length - 602112).equals(readFileSync(join(store, "relevance/6.0.0.0"))),
      "row 6 is tench/000.png",
    );
    assert.equal(readdirSync(join(folder, "store/tench/000.png")), ["explanation.json"]);
  });

  test("a reader that goes away, and Ctrl-C, end the run, which says what was done and where", async () => {
    const many = makePhotos("many", 60);
    const closed = await srmap(explain(many, "closed"), (child) =>
      child.stdout?.once("data", () => child.stdout?.destroy()),
    );
    assert.is(closed.code, 141, closed.err);
    assert.match(
      closed.err,
      /^srmap: Stopped: nobody reads the output any more\. \d+ of 60 photos are done: \d+ explained\. Results are in closed\/:/,
    );
    const interrupted = await srmap(explain(many, "interrupted"), (child) =>
      child.stdout?.once("data", () => child.kill("SIGINT")),
    );
    assert.is(interrupted.code, 130, interrupted.err);
    assert.match(
      interrupted.err,
      /^srmap: Stopped: interrupted\. \d+ of 60 photos are done: .* The same command goes on from there\.\n$/,
    );
  });

  test("a full disk is noticed once", async () => {
    let asked = 0;
    const pool = {
      count: 1,
      load: async () => [],
      run: async () => {
        asked++;
        return { error: "the disk is full.", isFatal: true, isPassing: true, isUsage: false } as const;
      },
      retire: async () => {},
      stop: async () => {},
    };
    const task = { path: "a.png", relative: "a.png", folder: "a", row: 0 };
    const told: number[] = [];
    const end = await runPhotos([{ task }, { task }, { task }], pool, (i) => told.push(i));
    assert.equal([asked, end.full, end.done, told], [1, "the disk is full.", 0, []]);
  });

  test("verify computes a run again, or a sample of it, and says what differs", async () => {
    const same = await srmap(["verify", "whole"]);
    assert.equal(
      [same.code, same.out, same.err],
      [0, "12 photos computed again: all identical, numbers and pixels.\n", ""],
    );
    const array = join(folder, "whole/tench/000.png/relevance.npy");
    const bytes = readFileSync(array);
    bytes.writeUInt8(bytes.readUInt8(5000) ^ 1, 5000);
    writeFileSync(array, bytes);
    rmSync(join(folder, "whole/church/000.png/relevance.png"));
    writeFileSync(join(folder, "whole/church/001.png/relevance.png"), encodePng(createImage(224, 224)));
    const other = await srmap(["verify", "whole"]);
    assert.equal(
      [other.code, other.out],
      [
        1,
        `church/000.png: differs in relevance.png is not what its report says
church/001.png: differs in relevance.png is not what its report says
tench/000.png: differs in relevance.npy is not what its report says
12 photos computed again: 3 differ.
`,
      ],
    );
    const sample = await srmap(["verify", "whole", "--sample", "2", "--json"]);
    assert.equal(
      JSON.parse(sample.out).different.map(({ photo }: { photo: string }) => photo),
      ["church/000.png", "tench/000.png"],
    );
    writeFileSync(join(folder, "store/run.zarr/relevance/1.0.0.0"), new Uint8Array(3 * 224 * 224 * 4));
    rmSync(join(folder, "store/run.zarr/logits/2.0"));
    const store = await srmap(["verify", "store"]);
    assert.equal(
      [store.code, store.out.split("\n").filter((line) => line.includes("differs"))],
      [1, ["church/001.png: differs in run.zarr/relevance", "church/002.png: differs in run.zarr/logits"]],
    );
    const none = await srmap(["verify", "photos"]);
    assert.is(none.code, 1);
    assert.match(none.err, /run\.json: there is no such file\. A run of several photos has it;/);
  });

  if (process.platform === "linux") {
    test("200 photos take no more memory than 40", async () => {
      const many = makePhotos("memory", 200);
      const run = await srmap(
        explain(many, "memory-out", "--jobs", "1", "--no-salient").filter(
          (word) => !["--sr", "workSize=40"].includes(word),
        ),
      );
      assert.is(run.code, 0, run.err);
      // Medians: when the collector runs moves single samples by tens of megabytes.
      const median = (samples: readonly number[]): number =>
        [...samples].sort((a, b) => a - b)[Math.floor(samples.length / 2)] ?? Number.NaN;
      const fifth = Math.floor(run.memory.length / 5);
      const early = median(run.memory.slice(fifth, 3 * fifth));
      const late = median(run.memory.slice(-2 * fifth));
      assert.ok(run.memory.length > 20, `${run.memory.length} samples`);
      assert.ok(late - early < 20, `${early.toFixed(0)} MB grew to ${late.toFixed(0)} MB`);
    });
  }

  test("no litter is left in any folder", () => {
    const litter = (path: string): string[] =>
      readdirSync(path, { withFileTypes: true }).flatMap((entry) => [
        ...(entry.name.includes(".srmap-new-") || entry.name.includes(".srmap-old-") ? [entry.name] : []),
        ...(entry.isDirectory() ? litter(join(path, entry.name)) : []),
      ]);
    removeLitter(folder);
    assert.equal(litter(join(folder, "killed")), []);
    assert.ok(statSync(folder).isDirectory());
    cpSync(join(root, "examples/cat.jpg"), join(folder, "cat.jpg"));
  });
});
