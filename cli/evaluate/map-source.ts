import type { Tensor } from "../../engine/basics/tensor.ts";
import { type RelevanceExplanation, relevanceOfTargets } from "../../engine/explain.ts";
import { valueNamed } from "../../engine/graph/compiled-graph.ts";
import type { Network } from "../../engine/network/network.ts";
import type { ResolvedSalientRelevanceOptions } from "../../engine/salient/options.ts";
import { salientRelevance } from "../../engine/salient/salient-relevance.ts";

/** What maps are made of. */
export interface MapSubject {
  /** The photo's file name. */
  readonly file: string;
  readonly network: Network;
  /** Preprocessed, [C,H,W]. */
  readonly input: Tensor;
  /** The class. */
  readonly index: number;
  readonly settings: ResolvedSalientRelevanceOptions;
  readonly seed: number;
}

/** What class activation maps of a layer are made from. */
interface Activation {
  readonly featureMap: Tensor;
  /** Undefined where none reaches the layer. */
  readonly gradient: Tensor | undefined;
}

/** What one photo's maps are made from. Relevance is computed once for each composite. */
export class MapSource implements MapSubject {
  readonly subject: MapSubject;
  readonly #relevance = new Map<string, Tensor>();
  readonly #activations = new Map<string, Activation>();
  readonly #salient = new Map<string, Float64Array>();

  constructor(subject: MapSubject) {
    this.subject = subject;
  }

  get file(): string {
    return this.subject.file;
  }

  get network(): Network {
    return this.subject.network;
  }

  get input(): Tensor {
    return this.subject.input;
  }

  get index(): number {
    return this.subject.index;
  }

  get settings(): ResolvedSalientRelevanceOptions {
    return this.subject.settings;
  }

  get seed(): number {
    return this.subject.seed;
  }

  get height(): number {
    return this.input.shape[1] ?? 1;
  }

  get width(): number {
    return this.input.shape[2] ?? 1;
  }

  explained(composite: string, at?: string): RelevanceExplanation {
    const options = { composite, ...(at === undefined ? {} : { at }) };
    const [explained] = relevanceOfTargets(this.network, this.input, [this.index], options);
    return explained as RelevanceExplanation; // one per target
  }

  /** A layer's feature map and the gradient of the class's score there: made once for all class activation maps of the layer. */
  activation(layer: string): Activation {
    const { network } = this;
    const known = this.#activations.get(layer);
    if (known !== undefined) return known;
    const gradient = this.explained("gradient", layer).layer?.relevance;
    const made = { featureMap: network.memory.readFeatureMap(valueNamed(network.graph, layer)), gradient };
    this.#activations.set(layer, made);
    return made;
  }

  relevance(composite: string): Tensor {
    const relevance = this.#relevance.get(composite) ?? this.explained(composite).relevance;
    this.#relevance.set(composite, relevance);
    return relevance;
  }

  salient(composite: string): Float64Array {
    const map =
      this.#salient.get(composite) ??
      Float64Array.from(salientRelevance(this.network.kernels, this.relevance(composite), this.settings).map.data);
    this.#salient.set(composite, map);
    return map;
  }
}

/** A kind of map: its name as typed, what it is in words, and how it is made, [H,W]. */
export type MapSpec =
  | {
      readonly name: string;
      readonly what: string;
      readonly isGiven?: false;
      /** True for one that asks the network dozens of times. */
      readonly isSlow?: boolean;
      make(source: MapSource): Float64Array;
    }
  /** One that comes from a file: it cannot be made of another input, class or network. */
  | {
      readonly name: string;
      readonly what: string;
      readonly isGiven: true;
      readonly isSlow?: false;
      make(source: MapSource): Promise<Float64Array>;
    };
