import { open, realpath, rename, rm, stat } from "node:fs/promises";
import { refuseUnknownOptions } from "../../engine/basics/errors.ts";
import { networkParameters } from "../../engine/network/parameter-specs.ts";
import {
  type ConvertedTensor,
  checkFit,
  convertWeights,
  describesNetwork,
  inspectWeights,
  type Precision,
} from "../../weights-loader/index.ts";
import { knownNetworks, type LoadOptions, loadOptionNames, openNetwork, openWeightFile } from "./load.ts";

/** How to convert a weight file. */
export interface ConvertFileOptions extends LoadOptions {
  /** The network that goes into the file; without it the one that the input describes, or none. */
  readonly model?: string;
  /** Default f32. */
  readonly precision?: Precision;
  /** "dense" (default) or "all" layers get that precision. */
  readonly layers?: "dense" | "all";
}

/** What was written. */
export interface ConvertedFile {
  readonly inputBytes: number;
  readonly outputBytes: number;
  /** Name of the network in the file, if there is one. */
  readonly network?: string;
  /** Where none is in the file: networks of the package that the tensors fit. */
  readonly fits?: readonly string[];
  readonly tensors: readonly ConvertedTensor[];
}

/**
 * Converts a weight file of any format into one safetensors file, with the network, its preprocessing and labels where they are
 * known. The output appears whole or not at all.
 * @throws as `loadNetwork`; UnsupportedError where a value does not fit the precision
 */
export async function convertFile(
  input: string,
  output: string,
  options: ConvertFileOptions = {},
): Promise<ConvertedFile> {
  refuseUnknownOptions("convertFile", options, [...loadOptionNames, "model", "precision", "layers"]);
  const { model, precision, layers, ...load } = options;
  const how = { ...(precision === undefined ? {} : { precision }), ...(layers === undefined ? {} : { layers }) };
  const inputBytes = (await stat(input)).size;
  await checkOutput(input, output);
  if (model === undefined) {
    const { file, close } = await openWeightFile(input);
    try {
      if (!describesNetwork(file)) {
        const { fits } = inspectWeights(file, knownNetworks());
        return { inputBytes, fits, ...(await write(convertWeights(file, how), output)) };
      }
    } finally {
      await close();
    }
  }
  const { definition, weights, close } = await openNetwork(model, input, load);
  try {
    checkFit(networkParameters(definition), weights, knownNetworks());
    const conversion = convertWeights(weights, { ...how, network: definition });
    return { inputBytes, network: definition.name, ...(await write(conversion, output)) };
  } finally {
    await close();
  }
}

/** @throws RangeError when the output would replace the input */
async function checkOutput(input: string, output: string): Promise<void> {
  const [from, to] = await Promise.all([realpath(input), realpath(output).catch(() => undefined)]);
  if (from !== to) return;
  throw new RangeError(`"${output}" is the input itself, which would be lost. Choose another name for the output.`);
}

async function write(
  conversion: ReturnType<typeof convertWeights>,
  output: string,
): Promise<Pick<ConvertedFile, "outputBytes" | "tensors">> {
  const part = `${output}.part`;
  try {
    const file = await open(part, "w");
    try {
      for await (const piece of conversion.pieces()) await file.writeFile(piece);
    } finally {
      await file.close();
    }
    await rename(part, output);
  } catch (error) {
    await rm(part, { force: true });
    throw error;
  }
  return { outputBytes: conversion.byteLength, tensors: conversion.tensors };
}
