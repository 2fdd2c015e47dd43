import type { Network } from "../../engine/network/network.ts";
import type { Image } from "../../engine/picture/image.ts";
import { photoFit, preprocess } from "../../engine/picture/preprocess.ts";
import type { ResolvedSalientRelevanceOptions } from "../../engine/salient/options.ts";
import { type PlacedObjects, placeObjects } from "../../evaluation/index.ts";
import { defaultImageLimits } from "../../photos/size-limit.ts";
import { readPhotoInput } from "../inputs/photo.ts";
import { CommandError, describeError, UsageError } from "../terminal/errors.ts";
import { MapSource, type MapSpec } from "./map-source.ts";
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
  if (placed.boxes.length === 0)
    throw new CommandError(
      `"${unit.label}" was cropped away whole, or is smaller than a pixel of the network's input.`,
    );
  const source = new MapSource({
    file: unit.file,
    network,
    input: tensor,
    index: unit.index,
    settings: settings.settings,
    seed,
  });
  return { source, placed, area, picture };
}

/** Makes a map and measures it. @throws what the map's maker says, RangeError for values that are not finite */
async function measureMap(
  spec: MapSpec,
  { source, placed }: PreparedUnit,
  settings: EvaluationSettings,
  note: (sentence: string) => void,
): Promise<Record<string, Measurement>> {
  const { network, input, index, width, seed } = source;
  const map = await spec.make(source);
  if (map.every((value) => value === map[0])) note("the map is constant, so that it says nothing.");
  const remake: Measured["remake"] =
    spec.isGiven === true ? undefined : (other) => spec.make(new MapSource({ ...source.subject, ...other }));
  const { steps, baseline, randomised } = settings;
  const what = { map, width, placed, network, input, index, seed, steps, baseline, remake, randomised };
  const measured: Record<string, Measurement> = {};
  for (const name of settings.metrics) measured[name] = await metricNamed(name).measure(what);
  return measured;
}

/**
 * Makes and measures all maps of a photo; undefined when its objects are larger than was asked for. A map that cannot be made or measured
 * has no numbers and a sentence in `notes`, the others count.
 */
export async function evaluateUnit(unit: Unit, settings: EvaluationSettings): Promise<Row | undefined> {
  const prepared = await prepareUnit(unit, settings);
  const { placed, area } = prepared;
  if (area > settings.maxArea) return undefined;
  const maps: Record<string, Record<string, Measurement>> = {};
  const notes: string[] = [];
  for (const spec of settings.maps) {
    const note = (sentence: string): void => void notes.push(`${unit.file}, ${spec.name}: ${sentence}`);
    try {
      maps[spec.name] = await measureMap(spec, prepared, settings, note);
    } catch (error) {
      if (error instanceof UsageError) throw error;
      note(describeError(error));
    }
  }
  const { file: photo, label, index } = unit;
  const { croppedAway } = placed;
  const told = notes.length === 0 ? {} : { notes };
  return { photo, label, index, area, objects: placed.boxes.length, croppedAway, maps, ...told };
}
