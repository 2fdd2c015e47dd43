// Runs the networks that make-networks.py made and writes the table of docs/networks.md:
//   node build/test/reference/compare-networks.js FOLDER > TABLE
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Network, tensor } from "../../engine/index.ts";
import { compositeByName } from "../../engine/rules/composites.ts";
import { bindWeights, bytesSource, importOnnx } from "../../weights-loader/index.ts";
import { testKernels } from "../support/kernels.ts";

interface Made {
  readonly name: string;
  readonly shape: readonly number[];
  readonly x: readonly number[];
  readonly double: readonly number[];
  readonly single: readonly number[];
}

/** One row of the table, and whether the network was explained. */
async function rowOf(folder: string, file: string): Promise<{ readonly row: string; readonly isExplained: boolean }> {
  const made: Made = JSON.parse(readFileSync(join(folder, file.replace(/onnx$/, "json")), "utf8"));
  const largest = Math.max(...made.double.map(Math.abs));
  const distance = (values: ArrayLike<number>): string =>
    (Math.max(...Array.from(values, (value, i) => Math.abs(value - made.double[i]!))) / largest).toExponential(1);
  try {
    const source = bytesSource(new Uint8Array(readFileSync(join(folder, file))));
    const { definition, weights } = await importOnnx(source, { name: made.name });
    const network = new Network(testKernels(), definition);
    await bindWeights(network, weights);
    const begin = performance.now();
    const logits = network.forward(tensor(made.shape, Float32Array.from(made.x))).data;
    const forwardMs = performance.now() - begin;
    const { ledger } = network.relevancePlan(compositeByName("epsilonPlus")).run(logits);
    const leak = Math.max(
      ...ledger.map(({ relevanceOut, relevanceIn, bias, stabilizer, dropped }) => {
        const size = Math.max(1e-12, ...[relevanceOut, relevanceIn, bias, stabilizer, dropped].map(Math.abs));
        return Math.abs(relevanceOut - relevanceIn - bias - stabilizer - dropped) / size;
      }),
    );
    const megabytes = network.kernels.arena.usedBytes / 1e6;
    const cells = [
      distance(logits),
      distance(made.single),
      leak.toExponential(0),
      forwardMs.toFixed(0),
      megabytes.toFixed(0),
    ];
    return { row: `| ${made.name} | ${cells.join(" | ")} |`, isExplained: true };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const reason = message.split("\n").at(message.includes("\n") ? 1 : 0) ?? message;
    return { row: `| ${made.name} | refused: ${reason.trim().replaceAll("|", "/")} | | | | |`, isExplained: false };
  }
}

const [folder = "."] = process.argv.slice(2);
const rows = [];
for (const file of readdirSync(folder)
  .filter((name) => name.endsWith(".onnx"))
  .sort())
  rows.push(await rowOf(folder, file));
const explained = rows.filter(({ isExplained }) => isExplained).length;
console.log(`${explained} of ${rows.length} networks are explained.\n`);
console.log("| network | logits from float64 | PyTorch float32 from float64 | ledger | forward, ms | memory, MB |");
console.log("|---|---|---|---|---|---|");
for (const { row } of rows) console.log(row);
