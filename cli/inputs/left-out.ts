import { extname } from "node:path";
import { counted } from "../terminal/counted.ts";
import { shown } from "../terminal/shown.ts";
import type { Terminal } from "../terminal/terminal.ts";
import type { InputKind } from "./found-input.ts";

/** What was found beside the inputs and not taken. */
export interface LeftOut {
  /** Files of other kinds: number by ending, "" for none. */
  readonly otherFiles: Map<string, number>;
  /** Hidden files; those that systems write by themselves (.DS_Store and the like) are not counted. */
  hidden: number;
  /** Folders that hold results of this command, whose pictures are no photos. */
  readonly resultFolders: string[];
  /** Folders beside photos; only a folder without photos of its own is taken to be one of a folder per class. */
  readonly folders: string[];
}

/** Nothing yet. */
export function nothingLeftOut(): LeftOut {
  return { otherFiles: new Map(), hidden: 0, resultFolders: [], folders: [] };
}

const systemFiles = /^(\.DS_Store|\._.*|\.localized|Thumbs\.db|desktop\.ini)$/i;

/** Counts a file that is not taken. */
export function leaveOut(leftOut: LeftOut, name: string): void {
  if (systemFiles.test(name)) return;
  if (name.startsWith(".")) {
    leftOut.hidden++;
    return;
  }
  const ending = extname(name).toLowerCase();
  leftOut.otherFiles.set(ending, (leftOut.otherFiles.get(ending) ?? 0) + 1);
}

/** Whether a folder with these files holds results of this command: they say so themselves. */
export function holdsResults(names: readonly string[]): boolean {
  return (
    ["explanation.json", "salient-relevance.json", "compare.json"].some((report) => names.includes(report)) ||
    (names.includes("summary.json") && names.includes("index.html"))
  );
}

function listed(paths: readonly string[]): string {
  const rest = paths.length > 3 ? ", ..." : "";
  return `${paths
    .slice(0, 3)
    .map((path) => shown(path))
    .join(", ")}${rest}`;
}

/** One sentence for people, undefined when nothing was left out. */
export function describeLeftOut(leftOut: LeftOut, { name }: InputKind): string | undefined {
  const { otherFiles, hidden, resultFolders, folders } = leftOut;
  const parts: string[] = [];
  const others = [...otherFiles.values()].reduce((sum, count) => sum + count, 0);
  if (others > 0) {
    const endings = [...otherFiles].map(
      ([ending, count]) => `${count} ${ending === "" ? "without ending" : shown(ending, 20)}`,
    );
    parts.push(
      `${counted(others, "file")} that ${others === 1 ? "is" : "are"} no ${name} (${endings.slice(0, 8).join(", ")})`,
    );
  }
  if (hidden > 0) parts.push(counted(hidden, "hidden file"));
  if (resultFolders.length > 0)
    parts.push(`${counted(resultFolders.length, "folder")} of results (${listed(resultFolders)})`);
  if (folders.length > 0) {
    parts.push(
      `${counted(folders.length, "folder")} beside photos (${listed(folders)}; name them to take their photos)`,
    );
  }
  return parts.length === 0 ? undefined : `left out: ${parts.join("; ")}.`;
}

/** Says it, as a note beside the results. */
export function tellLeftOut({ leftOut }: { readonly leftOut: LeftOut }, kind: InputKind, terminal: Terminal): void {
  const text = describeLeftOut(leftOut, kind);
  if (text !== undefined) terminal.err(`${text}\n`);
}
