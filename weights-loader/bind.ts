import { FormatError, refuseUnknownOptions, ShapeError } from "../engine/basics/errors.ts";
import { elementCount, formatShape, sameShape } from "../engine/basics/tensor.ts";
import type { NetworkDefinition } from "../engine/graph/definition.ts";
import type { ParameterSink, ParameterSpec } from "../engine/graph/parameters.ts";
import { isWeight, rowCountOf, type WeightFile } from "./tensors/weight-file.ts";

/** A network by name, with what it needs: to say which network a file fits when it does not fit the one asked for. */
export interface KnownNetwork {
  readonly name: string;
  readonly parameters: readonly ParameterSpec[];
  /** The network itself, for formats whose tensors have other names and axes (Keras). */
  readonly definition?: NetworkDefinition;
}

/** How to bind weights. */
export interface BindOptions {
  /** Networks to name when the file fits one of them better. */
  readonly known?: readonly KnownNetwork[];
  /** Largest block in memory, in bytes of float32; a single row may be larger. Default 4 MiB. */
  readonly blockBytes?: number;
}

/** How a file's tensors differ from what a network needs; all empty when they fit. */
export interface FitReport {
  readonly missing: readonly string[];
  readonly unexpected: readonly string[];
  readonly misshapen: readonly string[];
}

const defaultBlockBytes = 4 << 20;
/** Rows of a dense layer that fill a cache line of its packed weights: blocks of so many never write half a line. */
const lineRows = 16;
/** Items named per list; the rest is counted. */
const listed = 20;

/**
 * Compares a file's list of tensors with what a network needs; reads no data. Integer tensors that nobody asks for, such as
 * PyTorch's `num_batches_tracked`, count as bookkeeping, not as unexpected.
 */
export function fitReport(parameters: readonly ParameterSpec[], file: Pick<WeightFile, "tensors">): FitReport {
  const missing: string[] = [];
  const misshapen: string[] = [];
  const needed = new Set<string>();
  for (const { name, shape, node } of parameters) {
    const found = file.tensors.get(name);
    if (found === undefined) {
      if (!needed.has(name)) missing.push(`"${name}" ${formatShape(shape)} (node "${node}")`);
    } else if (!sameShape(found.shape, shape)) {
      misshapen.push(`"${name}" must be ${formatShape(shape)}, got ${formatShape(found.shape)} (node "${node}")`);
    } else if (!isWeight(found)) {
      misshapen.push(`"${name}" must be f32, f16, bf16 or f64, got ${found.dtype} (node "${node}")`);
    }
    needed.add(name);
  }
  const unexpected = Array.from(file.tensors.values())
    .filter((tensor) => !needed.has(tensor.name) && isWeight(tensor))
    .map(({ name, shape }) => `"${name}" ${formatShape(shape)}`);
  return { missing, unexpected, misshapen };
}

/** True when nothing is missing, unexpected or misshapen. */
export function fits(report: FitReport): boolean {
  return report.missing.length + report.unexpected.length + report.misshapen.length === 0;
}

/**
 * Refuses a file that does not fit a network exactly.
 * @param known networks to name when the file fits one of them
 * @throws ShapeError that lists all missing, unexpected and misshapen tensors
 */
export function checkFit(
  parameters: readonly ParameterSpec[],
  file: Pick<WeightFile, "name" | "tensors">,
  known: readonly KnownNetwork[] = [],
): void {
  const report = fitReport(parameters, file);
  if (!fits(report)) throw misfit(report, file, known);
}

/**
 * Gives a network its parameters from a weight file. Everything is checked before the first byte of data is read; then the
 * tensors pass in the sink's order, in blocks of whole rows, so that only one block is in memory besides the network. Tensors that
 * the network will read from elsewhere are looked through, too.
 * @throws ShapeError that lists all missing, unexpected and misshapen tensors
 * @throws FormatError for NaN or infinite weights, naming tensor and index
 */
export async function bindWeights(sink: ParameterSink, file: WeightFile, options: BindOptions = {}): Promise<void> {
  refuseUnknownOptions("bindWeights", options, ["known", "blockBytes"]);
  checkFit(sink.parameters, file, options.known);
  const blocks = blocksOf(sink.parameters, options.blockBytes ?? defaultBlockBytes);
  // Two blocks' memory for all of them: new memory for every block stays until the collector comes, measured on VGG-16 as 25 MB more
  // at the peak and a fifth more CPU time.
  const scratchBytes = blocks.reduce((most, { bytes }) => Math.max(most, bytes), 0);
  const scratch = [new ArrayBuffer(scratchBytes), new ArrayBuffer(scratchBytes)];
  const read = (index: number): Promise<Float32Array> | undefined => {
    const block = blocks[index];
    return block && file.readRows(block.name, block.firstRow, block.rowCount, scratch[index % 2]);
  };
  // The next block is read while this one is packed.
  let next = read(0);
  try {
    for (const [index, { name, firstRow, rowElements, isStreamed }] of blocks.entries()) {
      const rows = await next;
      next = read(index + 1);
      if (rows === undefined) return; // never: there is a read for every block
      checkFinite(rows, firstRow * rowElements, name, file.name);
      if (!isStreamed) sink.setRows(name, firstRow, rows);
    }
  } finally {
    await next?.catch(() => {}); // what went wrong before counts; but the file must not be closed under a read
  }
}

/** Whole rows that are read at once. */
interface Block {
  readonly name: string;
  readonly firstRow: number;
  readonly rowCount: number;
  readonly rowElements: number;
  readonly bytes: number;
  readonly isStreamed: boolean;
}

/** The blocks of all tensors, in order; each tensor once. */
function blocksOf(parameters: readonly ParameterSpec[], blockBytes: number): Block[] {
  const specs = new Map(parameters.map((spec) => [spec.name, spec]));
  return Array.from(specs.values()).flatMap(({ name, shape, isStreamed = false }) => {
    const rows = rowCountOf(shape);
    const rowElements = elementCount(shape) / rows;
    if (!(rowElements > 0)) return []; // an empty tensor has nothing to pass on
    const fitting = Math.max(1, Math.floor(blockBytes / (rowElements * 4)));
    const step = fitting < lineRows ? fitting : fitting - (fitting % lineRows);
    return Array.from({ length: Math.ceil(rows / step) }, (_, index): Block => {
      const rowCount = Math.min(step, rows - index * step);
      return { name, firstRow: index * step, rowCount, rowElements, bytes: rowCount * rowElements * 4, isStreamed };
    });
  });
}

/** Refuses NaN and infinity: every later number would be NaN without a word about why. */
function checkFinite(block: Float32Array, firstIndex: number, tensor: string, file: string): void {
  // NaN and infinity times 0 are NaN. Four sums, none of which waits for another: twice as fast as one.
  let [a, b, c, d] = [0, 0, 0, 0];
  const fours = block.length - (block.length % 4);
  for (let i = 0; i < fours; i += 4) {
    a += block[i]! * 0;
    b += block[i + 1]! * 0;
    c += block[i + 2]! * 0;
    d += block[i + 3]! * 0;
  }
  for (let i = fours; i < block.length; i++) a += block[i]! * 0;
  if (a + b + c + d === 0) return;
  const at = block.findIndex((value) => !Number.isFinite(value));
  throw new FormatError(
    `weights "${file}": tensor "${tensor}" holds ${block[at]} at index ${firstIndex + at}, but weights must be finite. The file is damaged or the training diverged: get another copy.`,
  );
}

function misfit(
  report: FitReport,
  file: Pick<WeightFile, "name" | "tensors">,
  known: readonly KnownNetwork[],
): ShapeError {
  const lines = [
    `weights "${file.name}" do not fit the network: ${report.missing.length} missing, ${report.unexpected.length} unexpected, ${report.misshapen.length} misshapen.`,
  ];
  for (const [label, items] of Object.entries(report)) {
    if (items.length === 0) continue;
    const rest = items.length > listed ? `, and ${items.length - listed} more` : "";
    lines.push(`  ${label}: ${items.slice(0, listed).join(", ")}${rest}`);
  }
  const better = known.filter(({ parameters }) => fits(fitReport(parameters, file))).map(({ name }) => `"${name}"`);
  lines.push(
    better.length > 0
      ? `They fit ${better.join(" and ")}: choose ${better.length > 1 ? "the one they belong to" : "that network"}.`
      : "Choose the network that these weights belong to.",
  );
  return new ShapeError(lines.join("\n"));
}
