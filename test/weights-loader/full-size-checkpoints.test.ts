import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { parseNpy } from "../../weights-loader/index.ts";
import { root } from "../support/paths.ts";
import { suite } from "../support/suite.ts";

// Checkpoints as large as people's, saved by PyTorch, Lightning and timm while the test runs (test/reference/checkpoints.py), each
// explained by one command and thrown away. The Python in SRMAP_PYTHON needs what that script names: SRMAP_PYTHON=python npm run
// full-size. SRMAP_CHECKPOINTS, a pattern, picks networks. Results: docs/weights.md.

const folder = join(root, "build/full-size-checkpoints");
const photo = join(root, "examples/coffee.jpg");
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));

/** Options that a kind needs beside the file and the names of its classes. */
const options: Readonly<Record<string, readonly string[]>> = { ema: ["--state-dict", "state_dict_ema"] };

/** Every network of torchvision's that is known by its tensors, with another number of classes, and how it is saved. */
const networks: readonly (readonly [arch: string, classes: number, kinds: readonly string[]])[] = [
  [
    "resnet18",
    10,
    ["plain", "whole", "neighbours", "legacy", "parallel", "compiled", "averaged", "ema", "lightning", "omegaconf"],
  ],
  ["resnet34", 7, ["lightning"]],
  ["resnet50", 37, ["averaged"]],
  ["alexnet", 8, ["whole", "lightning"]],
  ["squeezenet1_0", 15, ["compiled", "ema"]],
  ["squeezenet1_1", 6, ["neighbours", "parallel"]],
  ["vgg11", 2, ["plain"]],
  ["vgg11_bn", 5, ["compiled"]],
  ["vgg13", 12, ["ema"]],
  ["vgg13_bn", 3, ["neighbours"]],
  ["vgg16", 10, ["parallel"]],
  ["vgg16_bn", 20, ["lightning"]],
  ["vgg19", 200, ["whole"]],
  ["vgg19_bn", 4, ["averaged"]],
];

const doubles = (path: string): Float64Array => new Float64Array(new Uint8Array(readFileSync(path)).buffer);
const singles = (path: string): Float32Array => new Float32Array(new Uint8Array(readFileSync(path)).buffer);

/** The largest difference, as a part of the largest value. */
function furthest(values: Float32Array, exact: Float64Array): number {
  const largest = exact.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return exact.reduce((most, value, i) => Math.max(most, Math.abs((values[i] ?? Number.NaN) - value)), 0) / largest;
}

/** What one explanation cost, by GNU time where it is there. */
function cost(report: string): string {
  if (!existsSync(report)) return "- | -";
  const [user = 0, system = 0, kilobytes = 0] = readFileSync(report, "utf8").trim().split(" ").map(Number);
  return `${(user + system).toFixed(1)} s | ${Math.round(kilobytes / 1024)} MB`;
}

function explain(file: string, more: readonly string[]): { status: number | null; stderr: string; stdout: string } {
  const report = join(folder, "time");
  const command = [
    process.execPath,
    join(root, "build/cli/main.js"),
    "explain",
    photo,
    "--weights",
    join(folder, file),
  ];
  const rest = ["--classes", join(folder, "names.txt"), "--no-salient", "--write", "npy", ...more];
  const time = existsSync("/usr/bin/time") ? ["/usr/bin/time", "-o", report, "-f", "%U %S %M"] : [];
  const [program = "", ...args] = [...time, ...command, ...rest, "--out", join(folder, "out")];
  rmSync(join(folder, "out"), { recursive: true, force: true });
  return spawnSync(program, args, { encoding: "utf8" });
}

/** Explains what Python saved; the logits have to be its. @returns a row of docs/weights.md */
function tryKind(arch: string, classes: number, kind: string): string {
  const file = `${kind}.${kind === "lightning" ? "ckpt" : "pth"}`;
  const { status, stderr, stdout } = explain(file, options[kind] ?? []);
  const row = `| ${arch}, ${classes} classes | ${kind} | ${Math.round(statSync(join(folder, file)).size / 1e6)} MB |`;
  if (kind === "omegaconf") {
    assert.is(
      stderr.split("\n")[0],
      `srmap: weights "${file}": the pickle names "omegaconf.dictconfig.DictConfig", which a state dict does not need; nothing of it was run. Save the weights alone: torch.save(model.state_dict(), "weights.pth").`,
    );
    return `${row} refused by name | | |`;
  }
  assert.is(status, 0, `${arch}, ${kind}: ${stderr}`);
  assert.match(stdout, / % {2}kind \d+\n/);
  const logits = parseNpy(readFileSync(join(folder, "out/logits.npy")), "logits.npy");
  assert.equal(logits.shape, [classes]);
  const exact = doubles(join(folder, `${kind}.f64`));
  const [ours, theirs] = [
    furthest(logits.data as Float32Array, exact),
    furthest(singles(join(folder, `${kind}.f32`)), exact),
  ];
  assert.ok(ours <= Math.max(1e-5, 2 * theirs), `${arch}, ${kind}: logits ${ours} off, PyTorch's float32 ${theirs}`);
  return `${row} ${ours.toExponential(1)} (${theirs.toExponential(1)}) | ${cost(join(folder, "time"))} |`;
}

suite("full-size checkpoints", (test) => {
  const wanted = new RegExp(process.env["SRMAP_CHECKPOINTS"] ?? "");
  for (const [arch, classes, kinds] of networks.filter(([name]) => wanted.test(name))) {
    const what = `${arch} with ${classes} classes, saved as ${kinds.join(", ")}: PyTorch's logits`;
    test.needsVariable("SRMAP_PYTHON", what, (python) => {
      rmSync(folder, { recursive: true, force: true });
      const script = join(root, "test/reference/checkpoints.py");
      execFileSync(python, [script, folder, arch, String(classes), photo, ...kinds], {
        stdio: ["ignore", "ignore", "pipe"],
        maxBuffer: 2 ** 26,
      });
      for (const kind of kinds) console.log(`\n${tryKind(arch, classes, kind)}`);
    });
  }
});
