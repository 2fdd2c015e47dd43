import { type Explanation, explain } from "../../engine/explain.ts";
import type { Network } from "../../engine/network/network.ts";
import { heatmap } from "../../engine/picture/heatmap.ts";
import { pictureOf } from "../../engine/picture/preprocess.ts";
import { parseTarget } from "../../engine/request/target.ts";
import type { Composite } from "../../engine/rules/composite.ts";
import type { ResolvedSalientRelevanceOptions } from "../../engine/salient/options.ts";
import { version } from "../../host/version.ts";
import type { ImageLimits } from "../../photos/size-limit.ts";
import { formatConfidence } from "../drawing/format.ts";
import { encodePng } from "../drawing/png.ts";
import { type SheetColumn, sheet } from "../drawing/sheet.ts";
import type { Theme } from "../drawing/theme.ts";
import { balanceOf } from "../explain/balance.ts";
import { emptyMapLine, isEmptyMap } from "../explain/doubt.ts";
import { readPhotoInput, type SourceFile } from "../inputs/photo.ts";
import { sha256 } from "../outputs/hash.ts";
import { relevanceColors, saliencyColors } from "../outputs/outputs.ts";

/** How the photos are explained. */
export interface CompositeComparison {
  readonly network: Network;
  readonly weights: SourceFile;
  readonly composites: readonly Composite[];
  /** As typed: a class, or "top1". */
  readonly target: string;
  readonly settings: ResolvedSalientRelevanceOptions;
  readonly limits: ImageLimits;
  readonly theme: Theme;
}

/** A photo explained by several composites. */
export interface ComparedComposites {
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly explanations: readonly Explanation[];
}

/** The maps of an explanation as a column of a sheet, which says so when they are empty. */
export function columnOf(
  explanation: Explanation,
  heading: string,
  lines: readonly string[],
  { relevanceColormap }: Theme,
): SheetColumn {
  const relevance = heatmap(explanation.relevance, { ...relevanceColors, colormap: relevanceColormap });
  const salientRelevance = heatmap(explanation.salientRelevance, saliencyColors);
  return {
    heading,
    lines: isEmptyMap(explanation) ? [...lines, emptyMapLine] : lines,
    relevance: { ...relevance, colormap: relevanceColormap },
    shares: balanceOf(explanation.relevance),
    salientRelevance: { ...salientRelevance, colormap: saliencyColors.colormap },
  };
}

/** Explains one photo by every composite: compare.png, a sheet with all maps, and compare.json. */
export async function compareComposites(path: string, comparison: CompositeComparison): Promise<ComparedComposites> {
  const { network, composites, target, settings, limits, weights, theme } = comparison;
  const { input, source } = await readPhotoInput(path, limits);
  const explanations = composites.map((composite) =>
    explain(network, input, { target: parseTarget(target), composite, salientRelevance: settings }),
  );
  const [first] = explanations;
  if (first === undefined) throw new RangeError("compare: there is no composite to compare.");
  const picture = first.picture ?? pictureOf(first.input, network.definition.preprocessing);
  const content = {
    title: `${first.targetDescription} ${formatConfidence(first.target)}`,
    details: [`${source.file} · ${first.model} · features ${first.salientRelevanceOptions.feature} · srmap ${version}`],
    photo: picture,
    columns: explanations.map((explanation) => columnOf(explanation, explanation.composite.name, [], theme)),
  };
  const report = {
    srmap: version,
    model: first.model,
    weights,
    input: source,
    target: { requested: target, ...first.target },
    top: first.top,
    salientRelevance: first.salientRelevanceOptions,
    composites: explanations.map(({ composite, relevance, salientRelevance }) => ({
      composite,
      relevanceSum: relevance.data.reduce((sum, value) => sum + value, 0),
      arrays: {
        relevance: sha256(relevance.data),
        salientRelevance: sha256(salientRelevance.data),
      },
    })),
  };
  return {
    explanations,
    files: new Map([
      ["compare.png", encodePng(sheet(content, theme))],
      ["compare.json", new TextEncoder().encode(`${JSON.stringify(report, null, 2)}\n`)],
    ]),
  };
}
