import type { Tensor } from "../../engine/basics/tensor.ts";
import { type RelevanceExplanation, relevanceOfTargets } from "../../engine/explain.ts";
import type { Network } from "../../engine/network/network.ts";
import { compositeByName } from "../../engine/rules/composites.ts";
import {
  type ActivationMapKind,
  absoluteMap,
  activationMapKinds,
  centredGaussian,
  classActivationMap,
  enlargeMap,
  gaussianBlur,
  integratedGradients,
  occlusionMap,
  positiveMap,
  randomMap,
  riseMap,
  smoothGrad,
} from "../../evaluation/index.ts";
import { asUsage, UsageError } from "../terminal/errors.ts";
import { givenMaps } from "./given-maps.ts";
import type { MapSource, MapSpec } from "./map-source.ts";

const kinds = "|R| (or abs), pos, blur or blur=SIGMA, sr, sr*blur";

/** The layer that a class activation map is of where none is named: the last with a height and width and no channel per class. */
function defaultLayer(network: Network): string {
  for (const { layer } of [...network.layers].reverse()) {
    const { shape } = network.memory.readFeatureMap(layer.output);
    const [channels = 0, height = 1, width = 1] = shape;
    if (shape.length === 3 && height * width > 1 && channels !== network.classCount) return layer.name;
  }
  throw new UsageError("--maps: this network has no layer for a class activation map; name one, gradcam@LAYER.");
}

function activationMap(source: MapSource, kind: ActivationMapKind, named: string | undefined): Float64Array {
  const { network, width, height } = source;
  if (named === undefined && !network.memory.hasRun) network.forward(source.input);
  const layer = named ?? defaultLayer(network);
  const { featureMap: map, gradient } = source.activation(layer);
  if (gradient === undefined) throw new UsageError(`--maps: no gradient reaches layer "${layer}".`);
  return enlargeMap(classActivationMap(kind, map, gradient), map.shape[2] ?? 1, map.shape[1] ?? 1, width, height);
}

const times = (a: Float64Array, b: Float64Array): Float64Array => a.map((value, i) => value * b[i]!);

/** What asks the network: the class's logit and its gradient at an input. */
function probes({ network, index }: MapSource): {
  score: (input: Tensor) => number;
  gradient: (input: Tensor) => Tensor;
} {
  return {
    score: (input) => network.forward(input).data[index] ?? Number.NaN,
    gradient: (input) => {
      const [explained] = relevanceOfTargets(network, input, [index], { composite: "gradient" });
      return (explained as RelevanceExplanation).relevance; // one per target
    },
  };
}

/** Methods that ask the network many times, from a black of the mean colour. */
const askingMethods: Readonly<Record<string, Pick<MapSpec, "what"> & { make(source: MapSource): Float64Array }>> = {
  ig: {
    what: "integrated gradients, 50 steps from the mean colour, by size",
    make: (source) => absoluteMap(integratedGradients(source.input, emptyInput(source), probes(source).gradient)),
  },
  smoothgrad: {
    what: "SmoothGrad: the gradient's mean over 25 noisy copies, by size",
    make: (source) => absoluteMap(smoothGrad(source.input, probes(source).gradient, 25, 0.15, source.seed)),
  },
  occlusion: {
    what: "occlusion: what the score loses under a square of 32 pixels in steps of 16",
    make: (source) =>
      occlusionMap(source.input, emptyInput(source), probes(source).score).map((value) => Math.max(0, value)),
  },
  rise: {
    what: "RISE: the mean score of 1000 randomly masked photos, by their masks",
    make: (source) => riseMap(source.input, probes(source).score, 1000, source.seed),
  },
};

const activationMapNames: Readonly<Record<ActivationMapKind, string>> = {
  gradcam: "Grad-CAM",
  "gradcam++": "Grad-CAM++",
  layercam: "LayerCAM",
};

const emptyInput = ({ input }: MapSource): Tensor => ({ ...input, data: new Float32Array(input.data.length) });

/** `COMPOSITE[:KIND]`. @throws UsageError */
function relevanceMapSpec(name: string): MapSpec {
  const colon = name.indexOf(":");
  const composite = colon < 0 ? name : name.slice(0, colon);
  const kind = colon < 0 ? "|R|" : name.slice(colon + 1);
  asUsage(() => compositeByName(composite));
  const [shape = "", sigmaText] = kind.split("=");
  const sigma = sigmaText === undefined ? 5 : Number(sigmaText);
  if (!(sigma > 0 && sigma <= 100))
    throw new UsageError(`--maps ${name}: the blur must be above 0 and at most 100 pixels.`);
  const blurred = (source: MapSource): Float64Array =>
    gaussianBlur(absoluteMap(source.relevance(composite)), source.width, sigma);
  const relevance = `relevance by ${composite}, summed over the colours by size`;
  switch (shape) {
    case "|R|":
    case "abs":
      return { name, what: relevance, make: (source) => absoluteMap(source.relevance(composite)) };
    case "pos":
      return {
        name,
        what: `relevance by ${composite}, what of it speaks for the class`,
        make: (source) => positiveMap(source.relevance(composite)),
      };
    case "blur":
      return { name, what: `${relevance}, blurred by ${sigma} pixels`, make: blurred };
    case "sr":
      return { name, what: `Salient Relevance of ${composite}`, make: (source) => source.salient(composite) };
    case "sr*blur":
      return {
        name,
        what: `Salient Relevance of ${composite} times its relevance, blurred by ${sigma} pixels`,
        make: (source) => times(source.salient(composite), blurred(source)),
      };
    default:
      throw new UsageError(`--maps ${name}: there is no kind "${kind}" of map. Known are ${kinds}.`);
  }
}

/** A map as it was typed. @throws UsageError */
export function parseMapSpec(name: string): MapSpec {
  if (name === "gaussian") {
    const what = "a bet on the middle of the photo, whatever is there";
    return { name, what, make: ({ width, height }) => centredGaussian(width, height) };
  }
  if (name === "random") {
    const what = "random values";
    return { name, what, make: ({ width, height, seed, index }) => randomMap(width, height, seed + index) };
  }
  if (name.startsWith("npy:")) return givenMaps(name, name.slice(4));
  const asking = Object.hasOwn(askingMethods, name) ? askingMethods[name] : undefined;
  if (asking !== undefined) return { name, isSlow: true, ...asking };
  const [method = "", layer] = name.split("@");
  const activation = activationMapKinds.find((kind) => kind === method);
  if (activation === undefined) return relevanceMapSpec(name);
  return {
    name,
    what: `${activationMapNames[activation]} of ${layer === undefined ? "the last layer with a height and width" : `layer ${layer}`}`,
    make: (source) => activationMap(source, activation, layer),
  };
}
