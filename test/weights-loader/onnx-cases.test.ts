import { existsSync, readFileSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import * as assert from "uvu/assert";
import { Network, tensor } from "../../engine/index.ts";
import { bindWeights, bytesSource, importOnnx, parseNpy } from "../../weights-loader/index.ts";
import { plainPreprocessing } from "../cases/networks.ts";
import { testKernels } from "../support/kernels.ts";
import { root } from "../support/paths.ts";
import { suite } from "../support/suite.ts";

// ONNX files of real producers that once failed, each with what the producer computes: ../shared/cases, where that folder is there.

const folder = resolve(root, "../shared/cases/files");

interface Case {
  readonly kind: string;
  readonly name: string;
  readonly weights: string;
  readonly input: string;
  readonly want: string;
}

/** The rows of the folder's table that are ONNX; finding files and unpacking are the host's (B1, B10). */
function readCases(): Case[] {
  if (!existsSync(folder)) return [];
  return readFileSync(join(folder, "README.md"), "utf8")
    .split("\n")
    .flatMap((row) => {
      const [, kind = "", name = "", command = "", , want = ""] = row.split("|").map((cell) => cell.trim());
      const input = /explain (\S+\.npy)/.exec(command)?.[1];
      const weights = /--weights (\S+)/.exec(command)?.[1];
      if (input === undefined || weights === undefined || !/^(onnx|tf2onnx)/.test(name) || /^B10?-/.test(kind))
        return [];
      return [
        {
          kind,
          name,
          weights: join(folder, kind, weights),
          input: join(folder, kind, input),
          want: join(folder, want),
        },
      ];
    });
}

/** What is refused, and why: everything else must give the producer's numbers. */
const refused: Readonly<Record<string, RegExp>> = {};

/** Tolerance in parts of the largest output, where it is not 1e-4. */
const tolerances: Readonly<Record<string, number>> = {
  "onnx-fp16": 2e-3, // the producer computes in half precision
  "onnxf-fp16-io-f32": 2e-3,
  "onnxf-quant-QDQ": 0.05, // the producer rounds every feature map to 8 bits
  "onnxf-quant-dynamic": 0.05,
};

async function errorOf({ weights, input, want, kind }: Case): Promise<number> {
  const { shape, data } = parseNpy(new Uint8Array(readFileSync(input)), input);
  const external = async (location: string): ReturnType<Required<Parameters<typeof importOnnx>[1]>["external"]> => {
    const path = join(weights, "..", location);
    if (!statSync(path).isFile()) throw new Error(`${path} is no file`);
    return bytesSource(new Uint8Array(readFileSync(path)));
  };
  const { definition, weights: file } = await importOnnx(bytesSource(new Uint8Array(readFileSync(weights))), {
    preprocessing: plainPreprocessing,
    external,
    ...(kind.startsWith("B5") ? { inputShape: shape } : {}),
  });
  const network = new Network(testKernels(), definition);
  await bindWeights(network, file);
  const logits = network.forward(tensor(shape, Float32Array.from(data as Float32Array)));
  const expected = parseNpy(new Uint8Array(readFileSync(want)), want).data as Float32Array;
  // Networks that end in softmax or sigmoid: the producer gives what comes out of it; of a decision, the class.
  const candidates = [logits.data, network.probabilities(logits).data];
  if (expected.length === 1 && logits.data.length > 1)
    return logits.data.indexOf(Math.max(...logits.data)) === Number(expected[0]) ? 0 : 1;
  const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-30);
  const errors = candidates.map((own) =>
    own.length === expected.length
      ? own.reduce((most, value, i) => Math.max(most, Math.abs(value - expected[i]!)), 0) / largest
      : Number.POSITIVE_INFINITY,
  );
  return Math.min(...errors);
}

suite("ONNX files of real producers", (test) => {
  const cases = readCases();
  if (cases.length === 0) test.needs(folder, "the table of files", () => assert.unreachable("the table has no rows"));
  for (const one of cases) {
    test(`${one.kind}: ${one.name}`, async () => {
      const reason = refused[one.name];
      let message: string | undefined;
      try {
        const error = await errorOf(one);
        assert.ok(error <= (tolerances[one.name] ?? 1e-4), `${error} of the largest`);
      } catch (error) {
        if (!(error instanceof Error) || error.name !== "UnsupportedError") throw error;
        message = error.message;
      }
      if (message !== undefined) assert.match(message, reason ?? /^$/);
      else assert.is(reason, undefined, "it is not refused any more");
    });
  }
});
