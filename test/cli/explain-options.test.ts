import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PNG } from "pngjs";
import * as assert from "uvu/assert";
import { fileNames } from "../../cli/outputs/file-names.ts";
import { parseNpy } from "../../weights-loader/numpy/npy.ts";
import { root } from "../support/paths.ts";
import { type Run, srmap } from "../support/run-cli.ts";
import { suite } from "../support/suite.ts";

const folder = mkdtempSync(join(tmpdir(), "srmap-options-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
const photo = join(root, "examples", "cat.jpg");

/** `srmap explain` with alexnet-mini and a small Salient Relevance step, into a folder of its own. */
async function explain(name: string, ...argv: string[]): Promise<Run & { folder: string }> {
  const own = join(folder, name);
  const network = argv.includes("--model") || argv.includes("--weights") ? [] : ["--model", "alexnet-mini"];
  return { ...(await srmap("explain", photo, "--sr", "workSize=60", "--out", own, ...network, ...argv)), folder: own };
}

/** Refused before any work: one line, word for word, exit code 2, nothing written. */
async function assertRefused(message: string, ...argv: string[]): Promise<void> {
  const run = await explain("refused", ...argv);
  assert.equal({ code: run.code, err: run.err, out: run.out }, { code: 2, err: `srmap: ${message}\n`, out: "" });
  assert.not(existsSync(run.folder));
}

function report(path: string): Record<string, unknown> & { composite: { name: string } } {
  return JSON.parse(readFileSync(join(path, "explanation.json"), "utf8"));
}

function json(name: string, content: unknown): string {
  const path = join(folder, name);
  writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content));
  return path;
}

suite("cli/explain options", (test) => {
  test("a composite of one's own, from a file that gives it its name", async () => {
    const mine = json("mine.json", {
      base: "epsilonPlus",
      assignments: [{ match: { position: "first" }, rule: "flat" }],
    });
    const run = await explain("composite", "--composite", mine, "--lrn", "taylor", "--max-pool", "shared");
    assert.is(run.err, "");
    assert.is(run.code, 0);
    const flat = await explain("flat", "--composite", "epsilonPlusFlat", "--lrn", "taylor", "--max-pool", "shared");
    const bytes = (path: string): Buffer => readFileSync(join(path, "relevance.npy"));
    assert.ok(bytes(run.folder).equals(bytes(flat.folder)), "the same rules under another name");
  });

  test("wrong composites are refused before any work", async () => {
    await assertRefused(
      'composite "epsilonPlas": unknown. Did you mean "epsilonPlus"? Known are li2019, li2019Overwrite, epsilonPlus, epsilonPlusFlat, epsilonGammaBox, epsilonAlpha2Beta1, epsilonAlpha2Beta1Flat, presetA, presetB, innvestigatePresetA, innvestigatePresetB, captumEpsilon, captumGamma, captumAlpha1Beta0, lrp0, gradient, gradientTimesInput, deconvnet, guidedBackprop, excitationBackprop.',
      "--composite",
      "epsilonPlas",
    );
    const without = json("without.json", { assignments: [{ match: { op: "conv2d" }, rule: "zPlus" }] });
    await assertRefused(
      'composite "without": leaves dense "fc8" without a rule. Add an assignment that matches it.',
      "--composite",
      without,
    );
    const alpha = json("alpha.json", {
      base: "epsilonPlus",
      assignments: [{ match: { op: "conv2d" }, rule: { rule: "alphaBeta", alpha: 2, beta: 2 } }],
    });
    const negative = json("negative.json", {
      base: "epsilonPlus",
      assignments: [{ match: {}, rule: { rule: "epsilon", stabilizer: -1 } }],
    });
    const box = json("box.json", {
      base: "epsilonPlus",
      assignments: [{ match: { name: "conv3" }, rule: "zBox" }],
    });
    for (const [path, message] of [
      [alpha, /alpha - beta = 1 with alpha >= 1 and beta >= 0, got alpha 2 and beta 2/],
      [negative, /the stabilizer must be a finite number of at least 0, got -1/],
      [box, /rule "zBox": conv2d "conv3" does not read the pixels, so its box is not known/],
      [json("key.json", { bases: "li2019" }), /does not take "bases"\. Did you mean "base"\?/],
      [json("broken.json", "{"), /is not valid JSON/],
      [join(folder, "missing.json"), /missing\.json/],
    ] as const) {
      const run = await explain("refused", "--composite", path);
      assert.is(run.code, 2, run.err);
      assert.match(run.err, message);
      assert.is(run.err.trimEnd().split("\n").length, 1);
      assert.not(existsSync(run.folder));
    }
  });

  test("several targets get a folder each, by one call", async () => {
    const targets = ["top1", "difference:top1,church", "contrastive:church", "probability:0", "channel:conv5:3"];
    const run = await explain("targets", ...targets.flatMap((target) => ["--target", target]));
    // conv5's output is fused with its ReLU, so the channel is asked of relu5.
    assert.is(run.code, 2);
    assert.match(
      run.err,
      /layer "conv5": its output is not kept, since "relu5" is applied as it is written\. Ask for "relu5"\./,
    );
    const good = [...targets.slice(0, -1), "channel:relu5:3"];
    const done = await explain("targets", ...good.flatMap((target) => ["--target", target]));
    assert.is(done.err, "");
    assert.is(done.code, 0);
    assert.is(readdirSync(done.folder).length, good.length);
    await assertRefused(
      'target "churchh": no class has this name. Did you mean "church"? Give a class index from 0 to 9, "top1" or a class name.',
      "--target",
      "churchh",
    );
    await assertRefused('target 10: must be a class index from 0 to 9, "top1" or a class name.', "--target", "10");
  });

  test("relevance at a layer, kept or summed over the channels", async () => {
    const run = await explain("at", "--at", "pool2");
    assert.is(run.code, 0, run.err);
    const whole = parseNpy(readFileSync(join(run.folder, "relevance-at-pool2.npy")), "pool2");
    assert.equal([...whole.shape], [192, 13, 13]);
    assert.match(run.out, /relevance at pool2: channels \d+ \(/);
    const summed = await explain("at-sum", "--at", "pool2", "--at-sum");
    assert.equal([...parseNpy(readFileSync(join(summed.folder, "relevance-at-pool2.npy")), "pool2").shape], [13, 13]);
    const unknown = await explain("refused", "--at", "pol2");
    assert.is(unknown.code, 2);
    assert.match(unknown.err, /has no layer "pol2" on the way to its output\. Did you mean "pool2"\?/);
    await assertRefused("--at-sum needs --at LAYER.", "--at-sum");
  });

  test("the ledger as a table whose remainders are rounding", async () => {
    const run = await explain("ledger", "--ledger", "--composite", "epsilonGammaBox");
    assert.is(run.code, 0, run.err);
    const lines = run.out.split("\n").map((line) => line.trim().split(/ {2,}/));
    const start = lines.findIndex(([first]) => first === "layer");
    assert.equal(lines[start], ["layer", "op", "rule", "R out", "R in", "bias", "stabiliser", "dropped", "remainder"]);
    const rows = lines.slice(start + 1).filter((cells) => cells.length === 9);
    assert.is(rows.length, 14);
    for (const row of rows) assert.ok(Math.abs(Number(row[8])) < 1e-4, row.join(" "));
  });

  test("threads, algorithm and memory", async () => {
    const bytes = async (name: string, ...argv: string[]): Promise<Buffer> => {
      const run = await explain(name, ...argv);
      assert.is(run.code, 0, run.err);
      return readFileSync(join(run.folder, "relevance.npy"));
    };
    const one = await bytes("one");
    assert.ok(one.equals(await bytes("two", "--threads", "2")), "two threads");
    const direct = await bytes("direct", "--algorithm", "direct");
    assert.ok(direct.equals(await bytes("low", "--low-memory")), "weights left in the file");
    await assertRefused('--threads must be a whole number from 1 to 64, got "0".', "--threads", "0");
    await assertRefused('--algorithm must be auto or direct, got "fast".', "--algorithm", "fast");
    await assertRefused(
      "--low-memory computes by --algorithm direct, got auto.",
      ...["--low-memory", "--algorithm", "auto"],
    );
  });

  test("colours of the relevance map and the authors' JPEG", async () => {
    const plain = await explain("plain");
    const run = await explain(
      "colours",
      ...["--colormap", "seismic", "--gamma", "0.5", "--clip-quantile", "0.99", "--heat-jpeg", "90"],
    );
    assert.is(run.code, 0, run.err);
    assert.ok(existsSync(join(run.folder, "heat.jpg")));
    const read = (path: string, name: string): Buffer => readFileSync(join(path, name));
    assert.ok(read(run.folder, "relevance.npy").equals(read(plain.folder, "relevance.npy")), "relevance is the same");
    assert.not(read(run.folder, "relevance.png").equals(read(plain.folder, "relevance.png")));
    assert.not(read(run.folder, "salient-relevance.npy").equals(read(plain.folder, "salient-relevance.npy")), "JPEG");
    const unknown = await explain("refused", "--colormap", "seismik");
    assert.is(unknown.code, 2);
    assert.match(unknown.err, /seismik.*Did you mean "seismic"\?/);
  });

  test("the theme changes pictures alone, and the overlay comes in the photo's own size", async () => {
    const light = await explain("light", "--write", "panel,maps,npy,photo");
    const dark = await explain("dark", "--write", "panel,maps,npy", "--theme", "dark");
    assert.is(light.code + dark.code, 0, light.err + dark.err);
    const read = (path: string, name: string): Buffer => readFileSync(join(path, name));
    for (const name of ["panel.png", "relevance.png"]) {
      assert.not(read(dark.folder, name).equals(read(light.folder, name)), name);
    }
    assert.ok(read(dark.folder, "relevance.npy").equals(read(light.folder, "relevance.npy")));
    const { width, height } = PNG.sync.read(read(light.folder, "photo-overlay.png"));
    assert.equal([width, height], [451, 300]);
    await assertRefused('--theme must be one of light, dark, got "drak". Did you mean "dark"?', ...["--theme", "drak"]);
  });

  test("explanation.json names everything that was used", async () => {
    const run = await explain("report", "--composite", "epsilonPlus", "--lrn", "taylor");
    const content = report(run.folder);
    for (const key of [
      "srmap",
      "model",
      "weights",
      "input",
      "target",
      "top",
      "composite",
      "salientRelevance",
      "ledger",
      "arrays",
    ]) {
      assert.ok(key in content, key);
    }
    assert.match(JSON.stringify(content["arrays"]), /[0-9a-f]{64}/);
  });

  test("wrong values of the other options are refused word for word", async () => {
    const rows: readonly (readonly [message: string, ...argv: string[]])[] = [
      [
        '--lrn must be one of identity, taylor, caffeToolbox, epsilon, gradient, got "tailor". Did you mean "taylor"?',
        ...["--lrn", "tailor"],
      ],
      [
        '--max-pool must be one of winner, shared, proportional, overwrite, got "winer". Did you mean "winner"?',
        ...["--max-pool", "winer"],
      ],
      ['--heat-jpeg must be a whole number from 1 to 100, got "0".', "--heat-jpeg", "0"],
      [
        "--heat-jpeg needs --feature lab, got gray: other features have no heat image.",
        ...["--heat-jpeg", "75", "--feature", "gray"],
      ],
      ["--symmetric and --asymmetric exclude each other.", "--symmetric", "--asymmetric"],
      ['--gamma must be a number over 0 and at most 16, got "0".', "--gamma", "0"],
      ['--clip-quantile must be a number over 0 and at most 1, got "1.5".', "--clip-quantile", "1.5"],
      [
        '--at-sum: layer "relu6" has no height and width, so that its sum would be one number.',
        ...["--at", "relu6", "--at-sum"],
      ],
      [
        'layer "conv5": its output is not kept, since "relu5" is applied as it is written. Ask for "relu5".',
        ...["--at", "conv5"],
      ],
      [
        'layer "pool5": gets no relevance, since it does not lie between the input and relu4, channel 0.',
        ...["--at", "pool5", "--target", "channel:relu4:0"],
      ],
      ["target channel 9999: the layer has channels 0 to 159.", "--target", "channel:relu5:9999"],
      ['target "channel:relu5": a channel is written channel:LAYER:NUMBER.', "--target", "channel:relu5"],
      ['target "difference:church": a difference is written difference:CLASS,CLASS.', "--target", "difference:church"],
      [
        'composite "custom": does not take "lrm". Did you mean "lrn"? It takes name, base, assignments, normStabilizer, timesInput, maxPool, lrn, activation, sum, product, start.',
        "--composite",
        '{"lrm":"taylor"}',
      ],
      [
        'composite "custom": assignment 1: rule "alphaBeta": needs alpha - beta = 1 with alpha >= 1 and beta >= 0, got alpha 2 and beta 2.',
        ...["--composite", '{"assignments":[{"rule":{"rule":"alphaBeta","alpha":2,"beta":2}}]}'],
      ],
      [
        `composite ${join(folder, "missing.json")}: there is no such file or folder.`,
        ...["--composite", join(folder, "missing.json")],
      ],
    ];
    for (const [message, ...argv] of rows) await assertRefused(message, ...argv);
  });

  test("the report says how it was made, and ranks the channels of --at", async () => {
    const argv = [
      "--at",
      "pool2",
      "--target",
      "probability:church",
      "--heat-jpeg",
      "75",
      "--algorithm",
      "direct",
      "--threads",
      "1",
    ];
    const run = await explain("made", "--composite", '{"name":"mine","base":"epsilonPlus"}', ...argv);
    assert.is(run.code, 0, run.err);
    const made = JSON.parse(readFileSync(join(run.folder, "explanation.json"), "utf8"));
    assert.equal(
      [made.target.requested, made.target.kind, made.target.description],
      ["probability:church", "probability", "probability of church"],
    );
    assert.is(made.composite.name, "mine");
    assert.equal(made.composite.rules.at(-1), { layers: "dense", rule: "epsilon(stabilizer 1e-6)" });
    assert.is(made.salientRelevance.heatJpegQuality, 75);
    assert.equal(made.computation, { algorithm: "direct", lowMemory: false });
    const { layer, channels } = made.at;
    assert.equal([layer, channels.length], ["pool2", 192]);
    // Ranked, and each the sum of its plane in the array that was written.
    const { data } = parseNpy(readFileSync(join(run.folder, "relevance-at-pool2.npy")), "pool2");
    channels.forEach((entry: { channel: number; relevance: number }, i: number) => {
      assert.ok(i === 0 || channels[i - 1].relevance >= entry.relevance, `rank ${i}`);
      let sum = 0;
      for (const value of data.slice(169 * entry.channel, 169 * (entry.channel + 1))) sum += Number(value);
      assert.ok(Math.abs(sum - entry.relevance) <= 1e-12, `channel ${entry.channel}`);
    });
  });

  test("--json has an entry per target, with the ledger if asked", async () => {
    const run = await explain("json", "--json", "--ledger", "--target", "top1", "--target", "difference:church,0");
    const [{ explanations }] = JSON.parse(run.out).photos;
    assert.equal(
      explanations.map((entry: { kind: string; folder: string }) => [entry.kind, entry.folder]),
      [
        ["class", join(run.folder, "top1")],
        ["difference", join(run.folder, "difference-church-0")],
      ],
    );
    assert.ok(explanations[0].ledger.length > 10);
  });

  test("names of layers and targets become names of files that every disk takes", () => {
    assert.equal(fileNames(["conv1/relu", "../a", "a", "A", "difference:Ä b,c", "..", "???"]), [
      "conv1-relu",
      "a",
      "a-2",
      "A-3",
      "difference-Ä-b-c",
      "unnamed",
      "unnamed-2",
    ]);
  });

  test("rules lists every composite", async () => {
    const run = await srmap("rules");
    assert.is(run.code, 0);
    assert.match(run.out, /epsilonPlus +dense epsilon 1e-6, convolutions z\+/);
    assert.match(run.out, /alphaBeta +alpha times .*; takes alpha, beta, stabilizer\n/);
    assert.match(run.out, /maxPool +winner, shared, proportional, overwrite\n/);
    const listed = JSON.parse((await srmap("rules", "--json")).out) as { composites: { name: string }[] };
    assert.ok(listed.composites.some(({ name }) => name === "li2019"));
    assert.is((await srmap("rules", "more")).code, 2);
  });
});
