import { mustHave } from "../../engine/basics/must-have.ts";
import { version } from "../../host/version.ts";
import { writeFolder } from "../outputs/atomic-write.ts";
import { jsonText } from "../outputs/json-text.ts";
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

/** Writes evaluation.json, evaluation.csv and report.html. @returns the table for the terminal */
export async function writeReport(
  request: EvaluationRequest,
  shared: EvaluationSettings,
  facts: EvaluationFacts,
  { units, rows, leftOut }: Results,
): Promise<string> {
  const { maps, metrics: names, against, seed, pictures, isWhole, out } = request;
  const mapNames = maps.map(({ name }) => name);
  const cells = summarizeRows(rows, mapNames, names, against, seed);
  const judgedBy = names.find((name) => name === "mass") ?? mustHave(names[0], "--metrics");
  const best = ordered(rows, against, judgedBy);
  const many = Math.min(pictures, Math.floor(best.length / 2));
  const worst = best.slice(best.length - many).reverse();
  const drawn = maps.filter(({ name, isSlow }) => isSlow !== true || name === against);
  const page = evaluationPage({
    title: `${shared.network.definition.name}: ${mapNames.length} maps on ${rows.length} photos`,
    facts: [
      `${isWhole ? "Whole photos, squashed" : "Photos resized and cropped as the network's weights expect"}; weights ${facts.weights.file}; annotations ${facts.annotations.file}; seed ${seed}; srmap ${version}.`,
    ],
    cells,
    help: new Map(Object.entries(metrics)),
    against,
    judgedBy,
    best: await shownPhotos(best.slice(0, many), units, drawn, judgedBy, shared),
    worst: await shownPhotos(worst, units, drawn, judgedBy, shared),
    leftOut,
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
