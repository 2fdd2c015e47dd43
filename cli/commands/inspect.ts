import { mustHave } from "../../engine/basics/must-have.ts";
import { formatShape, type Shape } from "../../engine/basics/tensor.ts";
import { compileGraph } from "../../engine/network/compile.ts";
import { type LayerRow, layerTable } from "../../engine/network/layer-table.ts";
import { hdf5Package } from "../../host/hdf5/reader.ts";
import { knownNetworks, openNetwork, openWeightFile } from "../../host/network/load.ts";
import { describesNetwork, type Inspection, inspectWeights, metadataKeys } from "../../weights-loader/index.ts";
import { describeError, UsageError, weightsError } from "../terminal/errors.ts";
import { shown } from "../terminal/shown.ts";
import { tableLines } from "../terminal/table.ts";
import type { Command } from "./command.ts";

/** Differences named per list; the rest is counted. */
const listed = 8;

/** The network that a file describes, or why it cannot be run. */
type Described =
  | { readonly name: string; readonly input: Shape; readonly layers: readonly LayerRow[]; readonly output: Shape }
  | { readonly refusal: string };

/** A file's network, for the formats that describe one; undefined for the others. */
async function describedNetwork(path: string, { format, metadata }: Inspection): Promise<Described | undefined> {
  if (!describesNetwork({ format, metadata })) return undefined;
  try {
    const { definition, close } = await openNetwork(undefined, path);
    await close();
    const graph = compileGraph(definition);
    const output = mustHave(graph.values[graph.logits], "logits").shape;
    return { name: definition.name, input: definition.inputShape, layers: layerTable(graph), output };
  } catch (error) {
    return { refusal: describeError(error) };
  }
}

async function inspectFile(path: string): Promise<Inspection> {
  try {
    const { file, close } = await openWeightFile(path);
    try {
      return inspectWeights(file, knownNetworks());
    } finally {
      await close();
    }
  } catch (error) {
    throw weightsError(path, error);
  }
}

/** Layers in columns. */
function layerLines(layers: readonly LayerRow[]): string[] {
  const total = layers.reduce((sum, { multiplications }) => sum + multiplications, 0);
  const cells = layers.map(({ number, name, kind, outputShape, multiplications, names }) => [
    String(number),
    shown(name),
    kind,
    formatShape(outputShape),
    multiplications === 0 ? "" : `${((100 * multiplications) / total).toFixed(1)} %`,
    names.map((each) => shown(each)).join(", "),
  ]);
  return tableLines(cells, (column) => column === 4).map((line) => `  ${line}`);
}

function describe(
  { name, format, metadata, tensors, elements, bytes, fits, fitsAs = [], nearest }: Inspection,
  network: Described | undefined,
): string {
  const width = Math.max(0, ...tensors.map((tensor) => shown(tensor.name).length));
  const rows = tensors.map(
    (tensor) => `  ${shown(tensor.name).padEnd(width)}  ${tensor.dtype.padEnd(4)}  ${formatShape(tensor.shape)}`,
  );
  const facts = Object.entries(metadata).map(
    ([key, value]) =>
      `  ${shown(key)}: ${shown(value.length > 60 ? `${value.slice(0, 60)}… (${value.length} characters)` : value)}`,
  );
  const lines = [
    `${shown(name)}: ${format}, ${tensors.length} tensors, ${elements} elements, ${(bytes / 1e6).toFixed(1)} MB`,
    ...(facts.length === 0 ? [] : ["metadata:", ...facts]),
    "tensors:",
    ...rows,
  ];
  if (network !== undefined && "refusal" in network) {
    lines.push(`network: described by the file, but not one that can be run: ${network.refusal}`);
  } else if (network !== undefined) {
    const sizes = `input ${formatShape(network.input)}, ${network.layers.length} layers, output ${formatShape(network.output)}`;
    const photos = metadata[metadataKeys.preprocessing] === undefined ? "--preprocess must say" : "the file says";
    lines.push(`network: "${shown(network.name)}", described by the file: ${sizes}; ${photos} how photos are prepared`);
    lines.push(
      "layers: number, name, kind, output, share of all multiplications, names for --at",
      ...layerLines(network.layers),
    );
  }
  if (fits.length > 0) lines.push(`fits: ${fits.join(", ")}`);
  else if (fitsAs.length > 0) {
    const matches = fitsAs.map(({ network: known, classes, prefix }) => {
      const count = classes === undefined ? "" : ` with ${classes} classes`;
      return `${known}${count}${prefix === undefined ? "" : `, behind "${shown(prefix)}"`}`;
    });
    lines.push(`fits: ${matches.join(", ")}`);
  } else if (nearest === undefined) lines.push("fits: none of the package's networks");
  else {
    const { network, shared, report } = nearest;
    lines.push(`fits: none of the package's networks; nearest is ${network}, which shares ${shared} tensors`);
    for (const [label, items] of Object.entries(report)) {
      if (items.length === 0) continue;
      const rest = items.length > listed ? `, and ${items.length - listed} more` : "";
      lines.push(
        `  ${label}: ${items
          .slice(0, listed)
          .map((item: string) => shown(item))
          .join(", ")}${rest}`,
      );
    }
  }
  return `${lines.join("\n")}\n`;
}

/** `srmap inspect`: what a weight file holds. */
export const inspect: Command = {
  summary: "Shows what a weight file holds and which network it fits",
  usage: "FILE [options]",
  options: { json: { help: "Print one JSON document instead of text." } },
  notes: `FILE is a safetensors, PyTorch (.pth), ONNX, Caffe, TensorFlow.js, Keras (.h5, .keras)
or NumPy file; its format is told from its bytes. Only headers are read, and nothing
in the file is ever run. Keras files need the package h5wasm: npm install ${hdf5Package}

Example:
  srmap inspect vgg16-397923af.pth`,

  async run(given, terminal) {
    const [path, ...more] = given.positionals;
    if (path === undefined || more.length > 0) {
      throw new UsageError('inspect needs one file: srmap inspect FILE. See "srmap help inspect".');
    }
    const inspection = await inspectFile(path);
    const network = await describedNetwork(path, inspection);
    const document = network === undefined ? inspection : { ...inspection, network };
    terminal.out(given.has("json") ? `${JSON.stringify(document, null, 2)}\n` : describe(inspection, network));
    return 0;
  },
};
