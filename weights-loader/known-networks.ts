import { UnsupportedError } from "../engine/basics/errors.ts";
import type { NetworkDefinition } from "../engine/graph/definition.ts";
import type { ParameterSpec } from "../engine/graph/parameters.ts";
import { fitReport, fits, type KnownNetwork } from "./bind.ts";
import { classCountOf, classifierTensors, withClassCount } from "./class-count.ts";
import { bindKeras } from "./keras/binding.ts";
import { withoutPrefix } from "./name-prefix.ts";
import type { WeightFile } from "./tensors/weight-file.ts";

// Which of the known networks a file's tensors belong to.

/**
 * A known network that is worked out when somebody asks for it: most loads never do.
 * @param parametersOf what a definition needs
 */
export function knownNetwork(
  name: string,
  make: () => NetworkDefinition,
  parametersOf: (definition: NetworkDefinition) => readonly ParameterSpec[],
): KnownNetwork & { readonly definition: NetworkDefinition } {
  let definition: NetworkDefinition | undefined;
  let parameters: readonly ParameterSpec[] | undefined;
  return {
    name,
    get definition() {
      definition ??= make();
      return definition;
    },
    get parameters() {
      parameters ??= parametersOf(this.definition);
      return parameters;
    },
  };
}

/** True for formats whose tensors have Keras' names and axes. */
export function isKeras({ format }: Pick<WeightFile, "format">): boolean {
  return format === "keras" || format === "keras-weights";
}

/** The tensors of a known network without what a wrapper put before their names, and what is to be said of that. */
export function unwrapped(
  definition: NetworkDefinition,
  file: WeightFile,
  wish?: string,
): { readonly file: WeightFile; readonly prefix?: string; readonly notes: readonly string[] } {
  const found = withoutPrefix(file, weightNames(definition), wish);
  if (found === undefined) return { file, notes: [] };
  const rest = found.leftOut === 0 ? "" : ` Left out without it: ${found.leftOut}.`;
  const note = `its tensors are called by the network's names behind "${found.prefix}".${rest}`;
  return { file: found.file, prefix: found.prefix, notes: [note] };
}

/** The names of a definition's weights, which say whose tensors they are. */
function weightNames({ nodes }: NetworkDefinition): string[] {
  return nodes.flatMap((node) => (node.op === "conv2d" || node.op === "dense" ? [node.weight] : []));
}

/** A known network that a file's tensors are those of. */
export interface Match {
  readonly name: string;
  readonly definition: NetworkDefinition;
  /** The tensors under the network's names; those of Keras under their own. */
  readonly file: WeightFile;
  /** How many classes the file has, where the network's own number is another. */
  readonly classes?: number;
  /** What stands before the names. */
  readonly prefix?: string;
  readonly notes: readonly string[];
}

/**
 * The known networks that a file's tensors are those of; where there is none with its own number of classes, those with another.
 * @param wish which dict of tensors counts, where a wrapper keeps several
 */
export function matchingNetworks(file: WeightFile, known: readonly KnownNetwork[], wish?: string): Match[] {
  const candidates = known.flatMap((network) => {
    const { name, definition } = network;
    if (definition === undefined) return [];
    const view = unwrapped(definition, file, wish);
    const bound = isKeras(file) ? bindKeras(definition, view.file) : view.file;
    // Working out what a network needs takes a millisecond or more, looking for its names none.
    const isNamed = weightNames(definition).every((weight) => bound.tensors.has(weight));
    return isNamed ? [{ network, match: { name, definition, ...view }, bound }] : [];
  });
  const exact = candidates.filter(({ network, bound }) => fits(fitReport(network.parameters, bound)));
  if (exact.length > 0) return exact.map(({ match }) => match);
  return candidates.flatMap(({ network, match, bound }) => {
    const classes = otherClassCount(match.definition, network.parameters, bound);
    return classes === undefined ? [] : [{ ...match, classes }];
  });
}

/** The number of classes that a file has, where it is the network's in all else. */
function otherClassCount(
  definition: NetworkDefinition,
  parameters: readonly ParameterSpec[],
  file: WeightFile,
): number | undefined {
  const changed = withClassCount(definition, file);
  if (changed === definition) return undefined;
  const [from, to] = [classCountOf(definition), classCountOf(changed)];
  const names = classifierTensors(definition);
  const resized = parameters.map((spec) =>
    names.includes(spec.name) && spec.shape[0] === from ? { ...spec, shape: [to ?? 0, ...spec.shape.slice(1)] } : spec,
  );
  return fits(fitReport(resized, file)) ? to : undefined;
}

/**
 * The known network that a file fits.
 * @throws UnsupportedError when there is none, or several
 */
export function theOneThatFits(file: WeightFile, known: readonly KnownNetwork[], wish?: string): Match {
  const found = matchingNetworks(file, known, wish);
  const [first, ...others] = found;
  // One architecture under several names, with photos prepared in several ways: PyTorch's own files are torchvision's, which come first.
  const isOne = others.every(
    ({ definition }) => JSON.stringify(definition.nodes) === JSON.stringify(first?.definition.nodes),
  );
  if (first !== undefined && (others.length === 0 || (isOne && file.format.startsWith("torch")))) {
    const rest = others.length === 0 ? "" : ` (as are those of ${others.map(({ name }) => `"${name}"`).join(" and ")})`;
    const note = `the file does not name its network; its tensors are those of "${first.name}"${rest}, which is used.`;
    return { ...first, notes: [note, ...first.notes] };
  }
  const advice =
    first === undefined
      ? "It fits none of the package's networks."
      : `It fits ${found.map(({ name }) => name).join(" and ")}.`;
  throw new UnsupportedError(
    `weights "${file.name}": a ${file.format} file does not describe its network. Name it. ${advice}${exportAdvice(file, found.length)}`,
  );
}

/** How to give PyTorch's networks along with their weights. */
function exportAdvice({ format, tensors }: WeightFile, found: number): string {
  if (found > 0 || !/^(torch|safetensors)/.test(format)) return "";
  // The first convolution's; of other files nothing says how many channels a photo has.
  const channels = Array.from(tensors.values()).find(({ shape }) => shape.length === 4)?.shape[1] ?? 3;
  return ` For any other network export it with PyTorch, which writes network and weights into one file:
  import torch
  model.eval()  # your network, with its weights loaded
  torch.onnx.export(model, torch.zeros(1, ${channels}, 224, 224), "network.onnx")  # for 224 x 224 put in its own height and width`;
}
