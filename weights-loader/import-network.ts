import { UnsupportedError } from "../engine/basics/errors.ts";
import type { NetworkDefinition } from "../engine/graph/definition.ts";
import { fitReport, fits, type KnownNetwork } from "./bind.ts";
import type { ByteSource } from "./bytes/source.ts";
import { classCountOf, classifierTensors, withClassCount } from "./class-count.ts";
import { type DescriptionOptions, openFormat } from "./formats.ts";
import type { ImportedNetwork } from "./graphs/imported-network.ts";
import { atSize } from "./graphs/input-shape.ts";
import { checkPairing, preprocessingOf } from "./graphs/network-metadata.ts";
import { bindKeras } from "./keras/binding.ts";
import { withoutPrefix } from "./name-prefix.ts";
import type { WeightFile } from "./tensors/weight-file.ts";

/** How to import a network. */
export interface ImportNetworkOptions extends DescriptionOptions {
  /** The network that the weights belong to; without it the one that the file describes, or the known one that it fits. */
  readonly definition?: NetworkDefinition;
  /** Networks that weights may belong to when neither the caller nor the file says it. */
  readonly known?: readonly KnownNetwork[];
}

/** A network with its weights, and what was decided without being asked. */
export interface FoundNetwork extends ImportedNetwork {
  /** Sentences for people, such as which known network the weights fit. */
  readonly notes: readonly string[];
}

/**
 * The network that weights belong to, with the weights under the names that it uses; of every format that the loader reads, from
 * bytes anywhere. The preprocessing is the caller's, else the file's, else the known network's; a network that its file describes
 * may be without one: it takes tensors, and photos only when somebody says how they are prepared.
 * @throws FormatError for damaged files; UnsupportedError that lists every layer which cannot be converted, for files that belong to no
 * network that is known, and where file and network expect differently prepared photos
 */
export async function importNetwork(source: ByteSource, options: ImportNetworkOptions = {}): Promise<FoundNetwork> {
  const { file, format } = await openFormat(source, options);
  const { definition, preprocessing } = options;
  const notes: string[] = [];
  let network: ImportedNetwork;
  if (definition !== undefined) {
    network = ofKnown(atSize(definition, options), unwrapped(definition, file, notes, options.stateDict), notes);
  } else if (format.import !== undefined && format.describesNetwork(file)) {
    const own = preprocessing ?? preprocessingOf(file);
    network = await format.import(source, file, {
      ...options,
      name: file.name,
      ...(own === undefined ? {} : { preprocessing: own }),
    });
  } else {
    const found = theOneThatFits(file, options, notes);
    network = ofKnown(atSize(found.definition, options), found.file, notes);
  }
  if (preprocessing !== undefined) network = { ...network, definition: { ...network.definition, preprocessing } };
  else checkPairing(network.definition, network.weights);
  return { ...network, notes: [...notes, ...(network.notes ?? [])] };
}

/** A known network with a file's weights, and with as many classes as they have. */
function ofKnown(known: NetworkDefinition, file: WeightFile, notes: string[]): ImportedNetwork {
  const bind = (definition: NetworkDefinition): WeightFile => (isKeras(file) ? bindKeras(definition, file) : file);
  const definition = withClassCount(known, bind(known));
  if (definition !== known) {
    const [own, count] = [classCountOf(known), classCountOf(definition)];
    notes.push(`the weights have ${count} classes; network "${known.name}" with ${own} is used with as many.`);
  }
  return { definition, weights: bind(definition) };
}

function isKeras({ format }: WeightFile): boolean {
  return format === "keras" || format === "keras-weights";
}

/** Whether a file's tensors are a network's, whatever its number of classes. */
function suits({ definition, parameters }: KnownNetwork, file: WeightFile, isOfAnyCount: boolean): boolean {
  if (definition === undefined) return fits(fitReport(parameters, file));
  const weights = isKeras(file) ? bindKeras(definition, file) : file;
  if (fits(fitReport(parameters, weights))) return true;
  if (!isOfAnyCount) return false;
  const changed = withClassCount(definition, weights);
  if (changed === definition) return false;
  const [from, to] = [classCountOf(definition), classCountOf(changed)];
  const names = classifierTensors(definition);
  const resized = parameters.map((spec) =>
    names.includes(spec.name) && spec.shape[0] === from ? { ...spec, shape: [to ?? 0, ...spec.shape.slice(1)] } : spec,
  );
  return fits(fitReport(resized, weights));
}

/** The tensors of a known network without what a wrapper put before their names. */
function unwrapped(definition: NetworkDefinition, file: WeightFile, notes: string[], wish?: string): WeightFile {
  const found = withoutPrefix(file, weightNames(definition), wish);
  if (found === undefined) return file;
  const rest = found.leftOut === 0 ? "" : ` Left out without it: ${found.leftOut}.`;
  notes.push(`its tensors are called by the network's names behind "${found.prefix}".${rest}`);
  return found.file;
}

/** The names of a definition's weights, which say whose tensors they are. */
function weightNames({ nodes }: NetworkDefinition): string[] {
  return nodes.flatMap((node) => (node.op === "conv2d" || node.op === "dense" ? [node.weight] : []));
}

/** The known network that a file fits. @throws UnsupportedError when there is none, or several */
function theOneThatFits(
  file: WeightFile,
  { known = [], stateDict }: ImportNetworkOptions,
  notes: string[],
): { definition: NetworkDefinition; file: WeightFile } {
  const views = known.flatMap((network) => {
    const { definition } = network;
    if (definition === undefined) return [];
    const own: string[] = [];
    return [{ network, definition, own, file: unwrapped(definition, file, own, stateDict) }];
  });
  const exact = views.filter((view) => suits(view.network, view.file, false));
  const found = exact.length > 0 ? exact : views.filter((view) => suits(view.network, view.file, true));
  const [only, second] = found;
  if (only !== undefined && second === undefined) {
    notes.push(`the file does not name its network; its tensors are those of "${only.network.name}", which is used.`);
    for (const note of only.own) notes.push(note);
    return only;
  }
  const names = found.map(({ network }) => network.name).join(" and ");
  const advice = found.length === 0 ? "It fits none of the package's networks." : `It fits ${names}.`;
  throw new UnsupportedError(
    `weights "${file.name}": a ${file.format} file does not describe its network. Name it. ${advice}${exportAdvice(file, found.length)}`,
  );
}

/** How to give PyTorch's networks along with their weights. */
function exportAdvice({ format }: WeightFile, found: number): string {
  if (found > 0 || !/^(torch|safetensors)/.test(format)) return "";
  return ` For any other network export it with PyTorch, which writes network and weights into one file:
  import torch
  model.eval()  # your network, with its weights loaded
  torch.onnx.export(model, torch.zeros(1, 3, 224, 224), "network.onnx")  # the input's size is yours, too`;
}
