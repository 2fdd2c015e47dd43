import { basename } from "node:path";
import type { Tensor } from "../../engine/basics/tensor.ts";
import { type Explanation, explain } from "../../engine/explain.ts";
import type { Network } from "../../engine/network/network.ts";
import type { Image } from "../../engine/picture/image.ts";
import { pictureOf, preprocess } from "../../engine/picture/preprocess.ts";
import { predictionOf, scoresOf } from "../../engine/request/prediction.ts";
import { argmax } from "../../engine/request/target.ts";
import type { Composite } from "../../engine/rules/composite.ts";
import type { ResolvedSalientRelevanceOptions } from "../../engine/salient/options.ts";
import { version } from "../../host/version.ts";
import type { ImageLimits } from "../../photos/size-limit.ts";
import { formatConfidence } from "../drawing/format.ts";
import { encodePng } from "../drawing/png.ts";
import { sheet } from "../drawing/sheet.ts";
import type { Theme } from "../drawing/theme.ts";
import { readPhotoInput, type SourceFile } from "../inputs/photo.ts";
import { type PhotoLabels, plainName } from "../inputs/photo-labels.ts";
import { columnOf } from "./composites.ts";

/** A network under comparison. */
export interface ComparedModel {
  readonly name: string;
  readonly network: Network;
  readonly weights: SourceFile;
}

/** What a network says about a photo. */
export interface Verdict {
  readonly label: string;
  readonly logit: number;
  /** Undefined for a network with one output and no sigmoid. */
  readonly probability: number | undefined;
  /** Undefined without labels. */
  readonly isRight: boolean | undefined;
}

/** What all say. */
export interface ComparedPhoto {
  readonly path: string;
  readonly file: string;
  /** True class; undefined without labels. */
  readonly label: string | undefined;
  /** In the order of the networks. */
  readonly verdicts: readonly Verdict[];
  readonly isAgreed: boolean;
  /** One network is right and another wrong or, without labels, they disagree. */
  readonly isOfInterest: boolean;
}

/** Why a labelled photo takes no part, or undefined when it does. */
export function reasonToLeaveOut(
  path: string,
  models: readonly ComparedModel[],
  labels: PhotoLabels | undefined,
): string | undefined {
  if (labels === undefined) return undefined;
  const label = labels.get(basename(path));
  if (label === undefined) return "the labels do not have it";
  const without = models.find(
    ({ network }) => !network.definition.labels?.some((name) => plainName(name) === plainName(label)),
  );
  return without === undefined ? undefined : `${without.name} does not know the class "${label}"`;
}

const isTensor = (input: Image | Tensor): input is Tensor => "shape" in input;

function classify({ network }: ComparedModel, input: Image | Tensor): Omit<Verdict, "isRight"> {
  const { definition } = network;
  const prepared = isTensor(input) ? input : preprocess(input, definition.preprocessing, definition.inputShape).tensor;
  const logits = network.forward(prepared);
  const { label, logit, probability } = predictionOf(
    scoresOf(network, logits, network.probabilities(logits)),
    argmax(logits.data),
  );
  return { label, logit, probability };
}

/** Asks every network what a photo shows. */
export async function comparePhoto(
  path: string,
  models: readonly ComparedModel[],
  labels: PhotoLabels | undefined,
  limits: ImageLimits,
): Promise<ComparedPhoto> {
  const { input } = await readPhotoInput(path, limits);
  const file = basename(path);
  const label = labels?.get(file);
  const verdicts = models.map((model): Verdict => {
    const said = classify(model, input);
    return { ...said, isRight: label === undefined ? undefined : plainName(said.label) === plainName(label) };
  });
  const isAgreed = new Set(verdicts.map((verdict) => plainName(verdict.label))).size === 1;
  const isOfInterest = label === undefined ? !isAgreed : new Set(verdicts.map(({ isRight }) => isRight)).size > 1;
  return { path, file, label, verdicts, isAgreed, isOfInterest };
}

/** `church 98.1 %, right`. */
export function describeVerdict({ label, logit, probability, isRight }: Verdict): string {
  const judgement = isRight === undefined ? "" : isRight ? ", right" : ", wrong";
  return `${label} ${formatConfidence({ logit, probability })}${judgement}`;
}

/** A sheet that shows why each network says what it says: PNG bytes. Every network's own prediction is explained. */
export async function modelSheet(
  photo: ComparedPhoto,
  models: readonly ComparedModel[],
  composite: Composite,
  settings: ResolvedSalientRelevanceOptions,
  limits: ImageLimits,
  theme: Theme,
): Promise<Uint8Array> {
  const { input } = await readPhotoInput(photo.path, limits);
  const explained = models.map((model): readonly [ComparedModel, Explanation] => [
    model,
    explain(model.network, input, { composite, salientRelevance: settings }),
  ]);
  const [first] = explained;
  if (first === undefined) throw new RangeError("compare: there is no network to compare.");
  const [{ network }, explanation] = first;
  return encodePng(
    sheet(
      {
        title: photo.label ?? "the networks disagree",
        details: [
          `${photo.file} · composite ${composite.name} · features ${explanation.salientRelevanceOptions.feature} · srmap ${version}`,
        ],
        photo: explanation.picture ?? pictureOf(explanation.input, network.definition.preprocessing),
        columns: explained.map(([{ name }, each], i) => {
          const verdict = photo.verdicts[i];
          return columnOf(each, name, verdict === undefined ? [] : [describeVerdict(verdict)], theme);
        }),
      },
      theme,
    ),
  );
}
