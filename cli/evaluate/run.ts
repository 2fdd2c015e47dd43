import type { Network } from "../../engine/network/network.ts";
import type { Image } from "../../engine/picture/image.ts";
import { photoFit, preprocess } from "../../engine/picture/preprocess.ts";
import type { ResolvedSalientRelevanceOptions } from "../../engine/salient/options.ts";
import { type PlacedObjects, placeObjects } from "../../evaluation/index.ts";
import { defaultImageLimits } from "../../photos/size-limit.ts";
import { readPhotoInput } from "../inputs/photo.ts";
import { CommandError } from "../terminal/errors.ts";
import { MapSource, type MapSpec } from "./maps.ts";
import type { Measured, Measurement, Replacement } from "./metric.ts";
import { metricNamed } from "./metrics.ts";
import type { RandomisedNetworks } from "./randomised.ts";
import type { Row } from "./summary.ts";
import type { Unit } from "./units.ts";

/** What all photos of an evaluation share. */
export interface EvaluationSettings {
  readonly network: Network;
  readonly maps: readonly MapSpec[];
  readonly metrics: readonly string[];
  readonly settings: ResolvedSalientRelevanceOptions;
  readonly seed: number;
  readonly steps: number;
  readonly baseline: Replacement | undefined;
  readonly randomised: RandomisedNetworks;
  /** Squash the whole photo to the network's input instead of cropping it. */
  readonly isWhole: boolean;
  /** Photos whose objects cover more than this share are left out. */
  readonly maxArea: number;
}

/** A photo ready to be evaluated. */
export interface PreparedUnit {
  readonly source: MapSource;
  readonly placed: PlacedObjects;
  readonly area: number;
  readonly picture: Image;
}

/** Reads a photo and takes its objects along. @throws CommandError in a sentence when nothing is to be evaluated */
export async function prepareUnit(unit: Unit, settings: EvaluationSettings): Promise<PreparedUnit> {
  const { network, isWhole, seed } = settings;
  const { input } = await readPhotoInput(unit.path, defaultImageLimits);
  if ("shape" in input) throw new CommandError("a tensor has no annotated pixels; give the photo.");
  const { preprocessing: own, inputShape } = network.definition;
  if (own === undefined) throw new CommandError("nobody says how photos are prepared for this network: --preprocess.");
  const preprocessing = isWhole ? { ...own, resize: "fit" as const } : own;
  const placed = placeObjects(unit.annotated, unit.objects, input, photoFit(input, preprocessing, inputShape));
  const { tensor, picture } = preprocess(input, preprocessing, inputShape);
  const area = placed.mask.reduce((sum, value) => sum + value, 0) / placed.mask.length;
  if (placed.boxes.length === 0) throw new CommandError(`"${unit.label}" was cropped away whole.`);
  const source = new MapSource(network, tensor, unit.index, settings.settings, seed);
  return { source, placed, area, picture };
}

/** Makes and measures all maps of a photo; undefined when its objects are larger than was asked for. */
export async function evaluateUnit(unit: Unit, settings: EvaluationSettings): Promise<Row | undefined> {
  const { source, placed, area } = await prepareUnit(unit, settings);
  if (area > settings.maxArea) return undefined;
  const maps: Record<string, Record<string, Measurement>> = {};
  for (const spec of settings.maps) {
    const map = spec.make(source);
    const remake: Measured["remake"] =
      spec.isGiven === true
        ? undefined
        : ({ input = source.input, index = unit.index, network = source.network }) =>
            spec.make(new MapSource(network, input, index, settings.settings, settings.seed));
    const measured: Record<string, Measurement> = {};
    for (const name of settings.metrics) {
      measured[name] = await metricNamed(name).measure({
        map,
        width: source.width,
        placed,
        network: source.network,
        input: source.input,
        index: unit.index,
        seed: settings.seed,
        steps: settings.steps,
        baseline: settings.baseline,
        remake,
        randomised: settings.randomised,
      });
    }
    maps[spec.name] = measured;
  }
  const { file: photo, label, index } = unit;
  return { photo, label, index, area, objects: placed.boxes.length, croppedAway: placed.croppedAway, maps };
}
