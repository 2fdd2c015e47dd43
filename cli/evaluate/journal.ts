import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Row } from "./summary.ts";
import type { Unit } from "./units.ts";

/** The rows of an evaluation, on the disk as they are made. */
export interface Journal {
  /** A unit's row; null for one that is left out for its size, undefined for one that was not measured. */
  rowOf(unit: Unit): Row | null | undefined;
  add(unit: Unit, row: Row | null): void;
}

const keyOf = ({ file, label }: Unit): string => JSON.stringify([file, label]);

/** What an earlier run of the same settings left. A line that was cut short is made again. */
function readJournal(path: string, header: string): Map<string, Row | null> {
  const rows = new Map<string, Row | null>();
  if (!existsSync(path)) return rows;
  const [first, ...lines] = readFileSync(path, "utf8").split("\n");
  if (first !== header) return rows;
  for (const line of lines) {
    try {
      const [key, row] = JSON.parse(line) as [string, Row | null];
      rows.set(key, row);
    } catch {
      // The last line of a run that was killed.
    }
  }
  return rows;
}

/**
 * Opens the journal of an output folder and takes up what an earlier run left there.
 * @param facts all that the rows depend on: rows of other facts are dropped
 */
export function openJournal(out: string, facts: unknown): Journal {
  const header = JSON.stringify(facts);
  mkdirSync(out, { recursive: true });
  const path = join(out, "rows.jsonl");
  const known = readJournal(path, header);
  // Rewritten whole: a line that was cut short would spoil the next one.
  writeFileSync(path, `${[header, ...[...known].map((entry) => JSON.stringify(entry))].join("\n")}\n`);
  return {
    rowOf: (unit) => known.get(keyOf(unit)),
    add(unit, row) {
      known.set(keyOf(unit), row);
      appendFileSync(path, `${JSON.stringify([keyOf(unit), row])}\n`);
    },
  };
}
