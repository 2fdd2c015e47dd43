import { refuseUnknownOptions } from "../engine/basics/errors.ts";
import type { NetworkDefinition } from "../engine/graph/definition.ts";
import type { KnownNetwork } from "./bind.ts";
import type { ByteSource } from "./bytes/source.ts";
import { classCountOf, withClassCount } from "./class-count.ts";
import { type DescriptionOptions, openFormat } from "./formats.ts";
import type { ImportedNetwork } from "./graphs/imported-network.ts";
import { atSize } from "./graphs/input-shape.ts";
import { checkPairing, preprocessingOf } from "./graphs/network-metadata.ts";
import { bindKeras } from "./keras/binding.ts";
import { isKeras, theOneThatFits, unwrapped } from "./known-networks.ts";
import { ownNormalisationNote } from "./own-normalisation.ts";
import type { WeightFile } from "./tensors/weight-file.ts";

/** How to import a network. */
export interface ImportNetworkOptions extends DescriptionOptions {
  /** The network that the weights belong to; without it the one that the file describes, or the known one that it fits. */
  readonly definition?: NetworkDefinition;
  /** Networks that weights may belong to when neither the caller nor the file says it. */
  readonly known?: readonly KnownNetwork[];
}

const optionNames = Object.keys({
  name: true,
  external: true,
  hdf5: true,
  stateDict: true,
  preprocessing: true,
  prototxt: true,
  inputShape: true,
  inputShapeIfOpen: true,
  output: true,
  definition: true,
  known: true,
} satisfies Record<keyof ImportNetworkOptions, true>);

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
  refuseUnknownOptions("importNetwork", options, optionNames);
  const { file, format } = await openFormat(source, options);
  const { definition, preprocessing } = options;
  const notes: string[] = [];
  let network: ImportedNetwork;
  let isDescribed = false;
  if (definition !== undefined) {
    const own = unwrapped(definition, file, options.stateDict);
    notes.push(...own.notes);
    network = ofKnown(atSize(definition, options), own.file, notes);
  } else if (format.import !== undefined && format.describesNetwork(file)) {
    isDescribed = true;
    const own = preprocessing ?? preprocessingOf(file);
    network = await format.import(source, file, {
      ...options,
      name: file.name,
      ...(own === undefined ? {} : { preprocessing: own }),
    });
  } else {
    const found = theOneThatFits(file, options.known ?? [], options.stateDict);
    notes.push(...found.notes);
    network = ofKnown(atSize(found.definition, options), found.file, notes);
  }
  if (preprocessing !== undefined) network = { ...network, definition: { ...network.definition, preprocessing } };
  else checkPairing(network.definition, network.weights);
  const ownNormalisation = isDescribed ? await ownNormalisationNote(network) : undefined;
  if (ownNormalisation !== undefined) notes.push(ownNormalisation);
  notes.push(...unusedOptions(options, file, isDescribed));
  return { ...network, notes: [...notes, ...(network.notes ?? [])] };
}

/** Sentences about options that were given for nothing. */
function unusedOptions(options: ImportNetworkOptions, { format }: WeightFile, isDescribed: boolean): string[] {
  const { output, prototxt, stateDict } = options;
  const reasons = {
    // In files that srmap converted the output was chosen before.
    output: output !== undefined && (!isDescribed || format === "safetensors") && "this network has one output",
    prototxt:
      prototxt !== undefined &&
      !(isDescribed && format === "caffe") &&
      "it belongs to .caffemodel files that are read without the name of a network",
    stateDict: stateDict !== undefined && isDescribed && "the file describes its network, with one set of weights",
  };
  return Object.entries(reasons).flatMap(([name, reason]) =>
    reason === false ? [] : [`option "${name}" was not used: ${reason}.`],
  );
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
