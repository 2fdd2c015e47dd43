import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { version } from "../../host/version.ts";
import { CommandError } from "../terminal/errors.ts";
import { reportName } from "./files.ts";
import type { ExplanationReport } from "./report.ts";

/** What happens to results that are there already. */
export type Existing = "skip" | "replace" | "error";

/** Every `Existing`. */
export const existingChoices: readonly Existing[] = ["skip", "replace", "error"];

/** What results have to be of, to be kept. */
export interface WantedResult {
  /** See ExplanationReport. */
  readonly request: string;
  readonly inputSha256: string;
  readonly weightsSha256: string;
  readonly compositeLabel: string;
  readonly target: string;
}

/** The report in a folder, or undefined where there is none, or none that this version wrote. */
export function readReport(folder: string): Partial<ExplanationReport> | undefined {
  const path = join(folder, reportName);
  if (!existsSync(path)) return undefined;
  try {
    const parsed: unknown = JSON.parse(readFileSync(path, "utf8"));
    if (typeof parsed !== "object" || parsed === null) return {};
    return parsed as Partial<ExplanationReport>; // every member is looked at with ?. below
  } catch {
    return {};
  }
}

/** True when every file that a report names is there. */
function isWhole(folder: string, { files = [] }: Partial<ExplanationReport>): boolean {
  return files.every((name) => {
    const stat = statSync(join(folder, name), { throwIfNoEntry: false });
    return stat?.isFile() === true && stat.size > 0;
  });
}

function isReport(report: Partial<ExplanationReport>): report is ExplanationReport {
  return report.target !== undefined && report.input !== undefined && report.files !== undefined;
}

/** What distinguishes the results that are there, as far as it has a name. */
function differenceTo(report: Partial<ExplanationReport>, wanted: WantedResult): string {
  const { srmap, composite, target, weights, input } = report;
  if (input?.sha256 !== wanted.inputSha256) {
    return `of another photo${input?.path === undefined ? "" : ` (${input.path})`}, or of this one before it was changed`;
  }
  if (weights?.sha256 !== wanted.weightsSha256) return `made with other weights (${weights?.file})`;
  if (composite?.label !== wanted.compositeLabel) {
    return `made with composite ${composite?.label} instead of ${wanted.compositeLabel}`;
  }
  if (target?.requested !== wanted.target) return `of target ${target?.requested} instead of ${wanted.target}`;
  if (srmap !== version) return `made by srmap ${srmap}, this is ${version}`;
  return "made with other settings";
}

/**
 * Looks at the results that are there.
 * @returns their report when they are what is wanted and are to be kept; undefined when they have to be made
 * @throws CommandError when they are something else, which is not replaced in silence
 */
export function keptReport(folder: string, wanted: WantedResult, existing: Existing): ExplanationReport | undefined {
  if (existing === "replace") return undefined;
  const report = readReport(folder);
  if (report === undefined) return undefined;
  if (existing === "error") {
    throw new CommandError(`${join(folder, "/")} holds results already, and --existing error refuses that.`);
  }
  const isWanted = report.request === wanted.request && report.input?.sha256 === wanted.inputSha256;
  if (!isWanted) {
    throw new CommandError(
      `${join(folder, "/")} holds results ${differenceTo(report, wanted)}. Add --existing replace to make them anew, or choose another --out.`,
    );
  }
  return isReport(report) && isWhole(folder, report) ? report : undefined;
}
