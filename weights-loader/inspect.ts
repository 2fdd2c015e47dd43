import { FormatError } from "../engine/basics/errors.ts";
import { elementCount } from "../engine/basics/tensor.ts";
import { type FitReport, fitReport, fits, type KnownNetwork } from "./bind.ts";
import { bindKeras } from "./keras/binding.ts";
import { isKeras, matchingNetworks } from "./known-networks.ts";
import { dtypeBytes } from "./tensors/dtype.ts";
import type { TensorInfo, WeightFile } from "./tensors/weight-file.ts";

/** What a weight file holds, told from its headers. */
export interface Inspection {
  readonly name: string;
  readonly format: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly tensors: readonly TensorInfo[];
  /** Elements of all tensors. */
  readonly elements: number;
  /** Bytes of all tensors. */
  readonly bytes: number;
  /** Known networks that the tensors fit exactly. */
  readonly fits: readonly string[];
  /** Where none fits exactly: known networks that the tensors fit with another number of classes, or behind a prefix of their names. */
  readonly fitsAs?: readonly { readonly network: string; readonly classes?: number; readonly prefix?: string }[];
  /** Where none fits: the known network that shares the most tensors, if any, and what differs. */
  readonly nearest?: { readonly network: string; readonly shared: number; readonly report: FitReport };
}

/** Describes a weight file; reads no tensor data. */
export function inspectWeights(file: WeightFile, known: readonly KnownNetwork[] = []): Inspection {
  const tensors = Array.from(file.tensors.values(), ({ name, dtype, shape }) => ({ name, dtype, shape }));
  const elements = tensors.reduce((sum, { shape }) => sum + elementCount(shape), 0);
  const bytes = tensors.reduce((sum, { dtype, shape }) => sum + elementCount(shape) * dtypeBytes[dtype], 0);
  const reports = known.map(({ name, parameters, definition }) => {
    const report = fitReport(
      parameters,
      isKeras(file) && definition !== undefined ? bindKeras(definition, file) : file,
    );
    const shared = parameters.length - report.missing.length - report.misshapen.length;
    return { network: name, shared, report };
  });
  const fitting = reports.filter(({ report }) => fits(report)).map(({ network }) => network);
  const [nearest] = reports.filter(({ shared }) => shared > 0).sort((a, b) => b.shared - a.shared);
  const { name, format, metadata } = file;
  const about = { name, format, metadata, tensors, elements, bytes, fits: fitting };
  if (fitting.length > 0) return about;
  const fitsAs = matchesOf(file, known);
  if (fitsAs.length > 0) return { ...about, fitsAs };
  return nearest === undefined ? about : { ...about, nearest };
}

function matchesOf(file: WeightFile, known: readonly KnownNetwork[]): NonNullable<Inspection["fitsAs"]> {
  try {
    return matchingNetworks(file, known).map(({ name, classes, prefix }) => ({
      network: name,
      ...(classes === undefined ? {} : { classes }),
      ...(prefix === undefined ? {} : { prefix }),
    }));
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    return []; // behind several prefixes; whoever loads it has to name one
  }
}
