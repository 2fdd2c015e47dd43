import { formatShape } from "../../engine/tensor.ts";
import { hdf5Package } from "../../host/hdf5.ts";
import { knownNetworks, openWeightFile } from "../../host/load-network.ts";
import { type Inspection, inspectWeights } from "../../weights-loader/index.ts";
import type { Command } from "../command.ts";
import { CommandError, describeError, UsageError } from "../errors.ts";

/** Differences named per list; the rest is counted. */
const listed = 8;

async function inspectFile(path: string): Promise<Inspection> {
  try {
    const { file, close } = await openWeightFile(path);
    try {
      return inspectWeights(file, knownNetworks());
    } finally {
      await close();
    }
  } catch (error) {
    const message = describeError(error);
    throw new CommandError(message.startsWith('weights "') ? message : `weights ${path}: ${message}`);
  }
}

function describe({ name, format, metadata, tensors, elements, bytes, fits, nearest }: Inspection): string {
  const width = Math.max(0, ...tensors.map((tensor) => tensor.name.length));
  const rows = tensors.map(
    (tensor) => `  ${tensor.name.padEnd(width)}  ${tensor.dtype.padEnd(4)}  ${formatShape(tensor.shape)}`,
  );
  const facts = Object.entries(metadata).map(
    ([key, value]) => `  ${key}: ${value.length > 60 ? `${value.slice(0, 60)}… (${value.length} characters)` : value}`,
  );
  const lines = [
    `${name}: ${format}, ${tensors.length} tensors, ${elements} elements, ${(bytes / 1e6).toFixed(1)} MB`,
    ...(facts.length === 0 ? [] : ["metadata:", ...facts]),
    "tensors:",
    ...rows,
  ];
  if (fits.length > 0) lines.push(`fits: ${fits.join(", ")}`);
  else if (nearest === undefined) lines.push("fits: none of the package's networks");
  else {
    const { network, shared, report } = nearest;
    lines.push(`fits: none of the package's networks; nearest is ${network}, which shares ${shared} tensors`);
    for (const [label, items] of Object.entries(report)) {
      if (items.length === 0) continue;
      const rest = items.length > listed ? `, and ${items.length - listed} more` : "";
      lines.push(`  ${label}: ${items.slice(0, listed).join(", ")}${rest}`);
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
    terminal.out(given.has("json") ? `${JSON.stringify(inspection, null, 2)}\n` : describe(inspection));
    return 0;
  },
};
