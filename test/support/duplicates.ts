import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./paths.ts";

/** Two places that say the same: the files and the first line of each. */
export interface Duplicate {
  readonly files: string;
  readonly lines: number;
  readonly first: string;
}

const blockLines = 6;

/** Lines that count: no blanks, comments, imports, export lists, lone punctuation, or arguments and members that are but passed on by name. */
function countingLines(file: string): string[] {
  const text = readFileSync(join(root, file), "utf8")
    .replace(/\/\*[\s\S]*?\*\//g, "")
    .replace(/^(?:import|export) (?:type )?\{[^}]*\} from "[^"]+";$/gm, "");
  return text
    .split("\n")
    .map((line) => line.trim().replace(/\s+/g, " "))
    .filter((line) => !/^(\/\/.*|import .*|[^\w]*|(\w+: )?"?[\w.!?]+"?,|(\.\.\.)?\w+\([^()]*\),)$/.test(line));
}

/** The longest runs of six lines and more that stand twice, a row for each pair of files. */
export function duplicatesAmong(files: readonly string[]): Duplicate[] {
  const contents = files.map(countingLines);
  const places = new Map<string, { file: number; at: number }[]>();
  contents.forEach((lines, file) => {
    for (let at = 0; at + blockLines <= lines.length; at++) {
      const block = lines.slice(at, at + blockLines).join("\n");
      places.set(block, [...(places.get(block) ?? []), { file, at }]);
    }
  });
  const longest = new Map<string, Duplicate>();
  for (const here of places.values()) {
    for (const [i, a] of here.entries()) {
      for (const b of here.slice(i + 1)) {
        if (a.file === b.file && b.at < a.at + blockLines) continue; // runs that overlap themselves
        const [one = [], two = []] = [contents[a.file], contents[b.file]];
        let lines = 0;
        while (one[a.at + lines] !== undefined && one[a.at + lines] === two[b.at + lines]) lines++;
        const key = [...new Set([files[a.file], files[b.file]])].join(" ~ ");
        if (lines > (longest.get(key)?.lines ?? 0)) longest.set(key, { files: key, lines, first: one[a.at] ?? "" });
      }
    }
  }
  return [...longest.values()].sort((a, b) => (a.files < b.files ? -1 : 1));
}
