// Runs one network that make-networks.py made and prints what was found as one line of JSON; or writes the tables of docs/networks.md:
//   node build/test/reference/compare-networks.js FOLDER
//   node build/test/reference/compare-networks.js --table RESULTS.jsonl
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Network, tensor } from "../../engine/index.ts";
import { compositeByName } from "../../engine/rules/composites.ts";
import { bindWeights, bytesSource, importOnnx } from "../../weights-loader/index.ts";
import { testKernels } from "../support/kernels.ts";
import { type Found, tables } from "./network-tables.ts";

/** What make-networks.py writes beside the files. */
interface Case {
  readonly name: string;
  readonly shape: readonly number[];
  readonly x: readonly number[];
  /** Logits of PyTorch in float64 and float32; gradient x input of the largest, where it could be taken. */
  readonly double: readonly number[];
  readonly single: readonly number[];
  readonly product: readonly number[] | null;
  readonly roughProduct: readonly number[] | null;
  /** zennit's EpsilonPlus of the largest, where its layers cover the network; else why not. */
  readonly zennit: readonly number[] | null;
  readonly roughZennit: readonly number[] | null;
  readonly notZennit: string | null;
  readonly files: Readonly<Record<string, string>>;
  /** Logits of the files by onnxruntime, where it runs them. */
  readonly runtime: Readonly<Record<string, readonly number[] | null>>;
  readonly notExported: Readonly<Record<string, string>>;
  readonly output: string | null;
  readonly inputShape: readonly number[] | null;
  readonly tolerance: number;
  readonly reason: string;
}

/** Layers through which LRP-0 is gradient x input: piecewise linear through 0. */
const piecewiseLinear = new Set(
  "add averagePool2d batchNorm concat conv2d dense dropout extremum flatten globalAveragePool2d globalMaxPool2d identity leakyRelu maxPool2d permute prelu relu resample2d reshape softmax take".split(
    " ",
  ),
);

/** Largest difference, in parts of the largest value. */
function distance(values: ArrayLike<number>, truth: readonly number[]): number {
  if (values.length !== truth.length) return Number.POSITIVE_INFINITY;
  const largest = truth.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const worst = truth.reduce((most, value, i) => Math.max(most, Math.abs(value - values[i]!)), 0);
  return Number.isNaN(worst) ? Number.POSITIVE_INFINITY : worst / (largest || 1);
}

/** Length of the difference, in parts of the length. */
function relativeL2(values: ArrayLike<number>, truth: readonly number[]): number {
  if (values.length !== truth.length) return Number.POSITIVE_INFINITY;
  const [error, size] = truth.reduce(
    ([e, s], value, i) => [e + (value - values[i]!) ** 2, s + value ** 2] as const,
    [0, 0],
  );
  return Math.sqrt(error / (size || 1));
}

async function compare(folder: string, kind: string, file: string, made: Case): Promise<Found["exports"][string]> {
  const source = bytesSource(new Uint8Array(readFileSync(join(folder, file))));
  const { definition, weights } = await importOnnx(source, {
    name: made.name,
    ...(made.output === null ? {} : { output: made.output }),
    ...(made.inputShape === null ? {} : { inputShape: made.inputShape }),
  });
  const network = new Network(testKernels(), definition);
  await bindWeights(network, weights);
  const { runtime } = made;
  const theirs = runtime[kind];
  const input = tensor(network.definition.inputShape, Float32Array.from(made.x));
  const begin = performance.now();
  const logits = network.forward(input).data;
  const forwardMs = performance.now() - begin;
  const target = made.double.indexOf(Math.max(...made.double));
  const startAt = (value: number): Float32Array => logits.map((_, i) => (i === target ? value : 0));
  const plus = network.relevancePlan(compositeByName("epsilonPlus")).run(startAt(logits[target] ?? 0));
  const { ledger } = plus;
  const { zennit, roughZennit } = made;
  const beside = zennit && {
    zennit: relativeL2(plus.relevance.data, zennit),
    ...(roughZennit && { roughZennit: relativeL2(roughZennit, zennit) }),
  };
  const leak = Math.max(
    ...ledger.map(({ relevanceOut, relevanceIn, bias, stabilizer, dropped }) => {
      const size = Math.max(1e-12, ...[relevanceOut, relevanceIn, bias, stabilizer, dropped].map(Math.abs));
      return Math.abs(relevanceOut - relevanceIn - bias - stabilizer - dropped) / size;
    }),
  );
  const relevance = (composite: string, start: number): Float32Array =>
    network.relevancePlan(compositeByName(composite)).run(startAt(start)).relevance.data;
  const { product, roughProduct } = made;
  const isLinear = definition.nodes.every(({ op }) => piecewiseLinear.has(op));
  const gradient = product ? relativeL2(relevance("gradientTimesInput", 1), product) : 0;
  const rough = product && roughProduct ? relativeL2(roughProduct, product) : 0;
  // A near-tie that Winograd's rounding decides otherwise: without it the gradient must be as near as PyTorch's.
  let direct: number | undefined;
  if (product && gradient > Math.max(1e-5, 3 * rough)) {
    const other = new Network(testKernels(), definition, { algorithm: "direct" });
    await bindWeights(other, weights);
    other.forward(input);
    const plan = other.relevancePlan(compositeByName("gradientTimesInput"));
    direct = relativeL2(plan.run(startAt(1)).relevance.data, product);
  }
  return {
    logits: distance(logits, made.double),
    ...(theirs && { runtime: distance(theirs, made.double) }),
    ...(direct === undefined ? {} : { direct }),
    ledger: leak,
    ...beside,
    forwardMs,
    megabytes: network.kernels.arena.usedBytes / 1e6,
    ...(product && { gradient }),
    ...(product && isLinear && { lrp0: relativeL2(relevance("lrp0", logits[target] ?? 0), product) }),
    ...(product && roughProduct && { roughGradient: rough }),
  };
}

async function found(folder: string): Promise<Found> {
  const made: Case = JSON.parse(readFileSync(join(folder, "case.json"), "utf8"));
  const exports: Record<string, Found["exports"][string]> = {};
  for (const [kind, message] of Object.entries(made.notExported)) exports[kind] = { notExported: message };
  for (const [kind, file] of Object.entries(made.files)) {
    try {
      exports[kind] = await compare(folder, kind, file, made);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      const isRefusal = error instanceof Error && ["UnsupportedError", "RangeError"].includes(error.name);
      exports[kind] = isRefusal
        ? { refused: message }
        : { failed: error instanceof Error ? `${error.stack}` : message };
    }
  }
  const { name, tolerance, reason, notZennit } = made;
  const why = notZennit === null ? {} : { notZennit };
  return { name, tolerance, reason, ...why, single: distance(made.single, made.double), exports };
}

const [first = ".", second = ""] = process.argv.slice(2);
if (first === "--table") {
  const lines = readFileSync(second, "utf8").trim().split("\n");
  process.stdout.write(tables(lines.map((line) => JSON.parse(line))));
} else process.stdout.write(`${JSON.stringify(await found(first))}\n`);
