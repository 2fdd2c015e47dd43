import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import * as assert from "uvu/assert";
import { tensor } from "../../engine/index.ts";
import { loadNetwork } from "../../host/network/load.ts";
import { parseNpy } from "../../weights-loader/index.ts";
import { root } from "../support/paths.ts";
import { suite } from "../support/suite.ts";

// Files of the real producers that once failed, each with what the producer computes: ../shared/cases/files, where that folder is there.

const folder = resolve(root, "../shared/cases/files");

interface Case {
  readonly kind: string;
  readonly name: string;
  readonly weights: string;
  readonly prototxt: string | undefined;
  readonly input: string;
  /** undefined: a clear sentence is right as well. */
  readonly want: string | undefined;
}

/** The rows of the folder's table. */
function readCases(): Case[] {
  if (!existsSync(folder)) return [];
  const rows = readFileSync(join(folder, "README.md"), "utf8").split("\n");
  return rows.flatMap((row) => {
    const [, kind = "", name = "", command = "", , want = ""] = row.split("|").map((cell) => cell.trim());
    const input = /explain (\S+\.npy)/.exec(command)?.[1];
    const weights = /--weights (\S+)/.exec(command)?.[1];
    if (input === undefined || weights === undefined) return [];
    const at = (path: string): string => join(folder, kind, path.replace(/`$/, ""));
    const prototxt = /--prototxt (\S+)/.exec(command)?.[1];
    const isWanted = want.startsWith("_want/");
    return [
      {
        kind,
        name,
        weights: at(weights),
        prototxt: prototxt === undefined ? undefined : at(prototxt),
        input: at(input),
        want: isWanted ? join(folder, want) : undefined,
      },
    ];
  });
}

/** What is refused, and why: everything else must give the producer's numbers. */
const refused: Readonly<Record<string, RegExp>> = {
  "h5-bn-axis1-equal-sizes":
    /"batch_normalization" \(BatchNormalization\): axis 1; only the last, the channels, is supported\.$/,
  "keras-bn-axis1-equal-sizes":
    /"batch_normalization" \(BatchNormalization\): axis 1; only the last, the channels, is supported\.$/,
  "h5-gap-channels-first":
    /"global_average_pooling2d" \(GlobalAveragePooling2D\): channels first; networks with channels last are supported\.$/,
  "keras-gap-channels-first":
    /"global_average_pooling2d" \(GlobalAveragePooling2D\): channels first; networks with channels last are supported\.$/,
  "keras-lambda": /"lambda" \(Lambda\): Python code, which is never run\.$/,
};

/** The folder has zeros here; PyTorch computes these from the file's weights by Caffe's formulas. */
const corrected: Readonly<Record<string, Float32Array>> = {
  "caffe-slice": Float32Array.of(2.16087294, -0.46120235, -0.96015012, -0.78597605, 0.0290342),
};

type Outcome = { readonly error: number } | { readonly refusal: string };

async function outcomeOf({ weights, prototxt, input, want, kind, name }: Case): Promise<Outcome> {
  try {
    const { shape, data } = parseNpy(readFileSync(input), input);
    const network = await loadNetwork(undefined, weights, {
      ...(prototxt === undefined ? {} : { prototxt: readFileSync(prototxt, "latin1") }),
      ...(kind.startsWith("B5") ? { inputShape: shape } : {}),
      ...(kind.startsWith("B4") ? { output: "logits" } : {}),
    });
    const logits = network.forward(tensor(shape, Float32Array.from(data as Float32Array)));
    const stated = want === undefined ? logits.data : (parseNpy(readFileSync(want), want).data as Float32Array);
    const expected = corrected[name] ?? stated;
    const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-30);
    // Networks that end in softmax or sigmoid: the producer gives what comes out of it.
    const candidates = [logits.data, network.probabilities(logits).data];
    const errors = candidates.map((own) =>
      own.length === expected.length
        ? own.reduce((most, value, i) => Math.max(most, Math.abs(value - (expected[i] ?? Number.NaN))), 0) / largest
        : Number.POSITIVE_INFINITY,
    );
    return { error: Math.min(...errors) };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return { refusal: `${error.name}: ${error.message}` };
  }
}

suite("files of real producers", (test) => {
  const cases = readCases().filter(({ name }) => !/^(onnx|tf2onnx)/.test(name));
  if (cases.length === 0) {
    test.needs(folder, "the table of files", () => assert.unreachable("the table has no rows"));
  }
  for (const one of cases) {
    test(`${one.kind}: ${one.name}`, async () => {
      const outcome = await outcomeOf(one);
      const reason = refused[one.name];
      if ("refusal" in outcome) {
        if (one.want === undefined) return;
        assert.match(outcome.refusal, reason ?? /^$/);
      } else {
        assert.ok(outcome.error <= 1e-4, `${outcome.error} of the largest`);
        assert.is(reason, undefined, "it is not refused any more");
      }
    });
  }
});
