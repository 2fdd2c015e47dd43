import { closeSync, existsSync, mkdirSync, openSync, writeFileSync, writeSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Tensor } from "../../engine/basics/tensor.ts";
import { instantiateKernels, type Kernels } from "../../engine/memory/kernels.ts";
import { plainPreprocessing } from "../../engine/models/preprocessing.ts";
import { Network, type NetworkOptions } from "../../engine/network/network.ts";
import { type SeededNetName, seededDefinition, seededInput, seededTensors } from "../../test/cases/seeded-nets.ts";
import { onnxModel } from "./onnx-file.ts";

/** A seeded network, bound piece by piece so that its weights are in memory once; `loadMs` leaves out drawing them. */
export function buildSeeded(
  kernels: Kernels | WebAssembly.Module,
  name: SeededNetName,
  options?: NetworkOptions,
): { network: Network; input: Tensor; loadMs: number } {
  const ready = "call" in kernels ? kernels : instantiateKernels(kernels);
  const definition = seededDefinition(name);
  let started = performance.now();
  const network = new Network(ready, definition, options);
  let loadMs = performance.now() - started;
  for (const { name: tensorName, shape, length, fill } of seededTensors(name)) {
    const rows = shape[0] ?? 1;
    const rowLength = length / rows;
    const perPiece = Math.max(1, Math.floor(2 ** 22 / rowLength));
    for (let row = 0; row < rows; row += perPiece) {
      const piece = new Float32Array(Math.min(perPiece, rows - row) * rowLength);
      fill(piece, row * rowLength);
      started = performance.now();
      network.setRows(tensorName, row, piece);
      loadMs += performance.now() - started;
    }
  }
  return { network, input: { shape: definition.inputShape, data: seededInput(name) }, loadMs };
}

/** Where relevance of the best class starts: its logit, 0 elsewhere. */
export function topStart(logits: Float32Array): Float32Array {
  const start = new Float32Array(logits.length);
  const top = logits.reduce((best, value, i) => (value > logits[best]! ? i : best), 0);
  start[top] = logits[top]!;
  return start;
}

/** Writes what peers read, once: net.json, weights.bin, input.bin, model.onnx. Returns the folder. */
export function exportSeeded(name: SeededNetName): string {
  const folder = fileURLToPath(new URL(`../../bench-data/${name}/`, import.meta.url));
  if (existsSync(`${folder}complete`)) return folder;
  mkdirSync(folder, { recursive: true });
  const definition = seededDefinition(name);
  const tensors = seededTensors(name);
  const file = openSync(`${folder}weights.bin`, "w");
  for (const { length, fill } of tensors) {
    for (let begin = 0; begin < length; begin += 2 ** 22) {
      const piece = new Float32Array(Math.min(2 ** 22, length - begin));
      fill(piece, begin);
      writeSync(file, new Uint8Array(piece.buffer));
    }
  }
  closeSync(file);
  writeFileSync(`${folder}input.bin`, new Uint8Array(seededInput(name).buffer));
  const place = (tensorName: string | undefined) => {
    const found = tensors.find((each) => each.name === tensorName);
    return found && { shape: found.shape, offset: found.offset, length: found.length };
  };
  const layers = definition.nodes.map((node) => {
    const base = { name: node.name, op: node.op };
    switch (node.op) {
      case "conv2d":
        return {
          ...base,
          stride: node.strides?.[0] ?? 1,
          pad: node.pads?.[0] ?? 0,
          group: node.group ?? 1,
          weight: place(node.weight),
          bias: place(node.bias),
        };
      case "dense":
        return { ...base, weight: place(node.weight), bias: place(node.bias) };
      case "maxPool2d":
        return { ...base, kernel: node.kernelShape[0], stride: node.strides?.[0] ?? 1 };
      case "lrn":
        return { ...base, size: node.size, alpha: node.alpha, beta: node.beta, k: node.bias };
      default:
        return base;
    }
  });
  // What black and white become: the bounds of the input.
  const { scale, mean, std } = definition.preprocessing ?? plainPreprocessing;
  const [low, high] = [0, 255].map((value) => mean.map((m, c) => (value * scale - m) / (std[c] ?? 1)));
  writeFileSync(`${folder}net.json`, JSON.stringify({ inputShape: definition.inputShape, low, high, layers }));
  writeFileSync(`${folder}model.onnx`, onnxModel(definition, tensors, "weights.bin"));
  writeFileSync(`${folder}complete`, "");
  return folder;
}
