import { mustHave } from "../../engine/basics/must-have.ts";
import { version } from "../../host/version.ts";
import { writeFolder } from "../outputs/atomic-write.ts";
import { jsonText } from "../outputs/json-text.ts";
import { counted } from "../terminal/counted.ts";
import type { EvaluationFacts } from "./facts.ts";
import { metricNamed, metrics } from "./metrics.ts";
import { evaluationPage } from "./page.ts";
import type { EvaluationRequest } from "./request.ts";
import type { EvaluationSettings } from "./run.ts";
import { shownPhotos } from "./shown-photos.ts";
import { type Row, summarizeRows } from "./summary.ts";
import { csvOf, tableText } from "./tables.ts";
import type { Unit } from "./units.ts";

/** All that was measured, and what could not be. */
export interface Results {
  readonly units: readonly Unit[];
  readonly rows: readonly Row[];
  /** A sentence for each photo, object and map that is not in the numbers. */
  readonly leftOut: readonly string[];
}

/** The rows from the best to the worst, by the map that the others are compared with; those it has no number for are left out. */
function ordered(rows: readonly Row[], against: string, metric: string): Row[] {
  const sign = metricNamed(metric).isMoreBetter ? 1 : -1;
  const scoreOf = (row: Row): number => row.maps[against]?.[metric]?.value ?? Number.NaN;
  return rows.filter((row) => !Number.isNaN(scoreOf(row))).sort((a, b) => sign * (scoreOf(b) - scoreOf(a)));
}

/** What was done, as the page says it. */
function factsOf(
  { isWhole, seed, steps, baseline, maxArea }: EvaluationRequest,
  { model, weights, annotations }: EvaluationFacts,
  names: readonly string[],
): (readonly [string, string])[] {
  const hasCurves = names.some((name) => metricNamed(name).axes !== undefined);
  const given = baseline === undefined ? "" : `; pixels go to ${baseline}`;
  return [
    ["Network", `${model}, weights ${weights.file} (SHA-256 ${weights.sha256.slice(0, 16)}...)`],
    ["Annotations", annotations.file],
    ["Explained", "the annotated class, whatever the network says"],
    ["Photos", isWhole ? "whole, squashed to the network's input" : "resized and cropped as the weights expect"],
    ...(maxArea < 1 ? [["Objects", `cover at most ${maxArea} of the input`] as const] : []),
    ...(hasCurves ? [["Curves", `${steps} steps${given}`] as const] : []),
    ["Seed", String(seed)],
  ];
}

/** Writes evaluation.json, evaluation.csv and report.html. @returns the table for the terminal */
export async function writeReport(
  request: EvaluationRequest,
  shared: EvaluationSettings,
  facts: EvaluationFacts,
  { units, rows, leftOut }: Results,
): Promise<string> {
  const { maps, metrics: names, against, seed, pictures, out } = request;
  const mapNames = maps.map(({ name }) => name);
  const cells = summarizeRows(rows, mapNames, names, against, seed);
  const judgedBy = names.find((name) => name === "mass") ?? mustHave(names[0], "--metrics");
  const best = ordered(rows, against, judgedBy);
  // With few photos each is shown once.
  const many = Math.min(pictures, Math.ceil(best.length / 2));
  const worst = best.slice(Math.max(many, best.length - pictures)).reverse();
  const drawn = maps.filter(({ name, isSlow }) => isSlow !== true || name === against);
  const page = evaluationPage({
    title: `${facts.model}: ${counted(mapNames.length, "map")} on ${counted(rows.length, "photo")}`,
    facts: factsOf(request, facts, names),
    maps: maps.map(({ name, what }) => [name, what] as const),
    cells,
    help: new Map(Object.entries(metrics)),
    against,
    judgedBy,
    best: await shownPhotos(best.slice(0, many), units, drawn, judgedBy, shared),
    worst: await shownPhotos(worst, units, drawn, judgedBy, shared),
    leftOut,
    srmap: version,
  });
  const document = { ...facts, against, photos: rows.length, leftOut, summary: cells, rows };
  const text = (content: string): Uint8Array => new TextEncoder().encode(content);
  await writeFolder(
    out,
    new Map([
      ["report.html", text(page)],
      ["evaluation.csv", text(csvOf(rows, mapNames, names))],
      ["evaluation.json", text(`${jsonText(document)}\n`)],
    ]),
  );
  return tableText(cells, mapNames, names);
}
