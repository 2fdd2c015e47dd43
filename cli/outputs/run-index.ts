import {
  closeSync,
  fstatSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";

/** A target of a photo in the index. */
export interface IndexTarget {
  readonly requested: string;
  readonly description: string;
  readonly class: number;
  /** Left out for a network with one output and no sigmoid. */
  readonly probability?: number;
  /** Sums of the relevance that speaks for the target, and against it. */
  readonly for: number;
  readonly against: number;
  /** Below the run's folder. */
  readonly folder: string;
}

/** A line of index.jsonl: one photo. */
export interface IndexLine {
  /** Its path below the folder that all photos have in common. */
  readonly photo: string;
  readonly sha256?: string;
  /** The likeliest class. */
  readonly class?: number;
  readonly label?: string;
  readonly probability?: number;
  readonly targets?: readonly IndexTarget[];
  /** True class, with --labels, and whether the likeliest class is it. */
  readonly truth?: string;
  readonly right?: boolean;
  readonly notes?: readonly string[];
  readonly error?: string;
  /** Milliseconds by step; only here, and only where the photo was computed in this run: all else is the same in every run. */
  readonly ms?: object;
}

/** Lines of a file that grows by whole lines, each with the offset where it starts. The last one may be torn and is left out. */
function* linesOf(descriptor: number): Generator<{ line: string; offset: number }> {
  const block = Buffer.alloc(1 << 16);
  let rest = Buffer.alloc(0);
  let offset = 0;
  for (;;) {
    const count = readSync(descriptor, block, 0, block.length, offset + rest.length);
    if (count === 0) return;
    rest = Buffer.concat([rest, block.subarray(0, count)]);
    for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
      const line = rest.toString("utf8", 0, end);
      rest = rest.subarray(end + 1);
      yield { line, offset };
      offset += Buffer.byteLength(line) + 1;
    }
  }
}

/** A line as it was written; undefined for one that two runs at once, or a damaged disk, made of pieces. */
function parseLine(line: string): IndexLine | undefined {
  try {
    return JSON.parse(line) as IndexLine; // written by this module
  } catch {
    return undefined;
  }
}

/** Every photo of an index, one after the other. */
export function* readIndex(path: string): Generator<IndexLine> {
  const descriptor = openSync(path, "r");
  try {
    for (const { line } of linesOf(descriptor)) {
      const parsed = parseLine(line);
      if (parsed !== undefined) yield parsed;
    }
  } finally {
    closeSync(descriptor);
  }
}

const withoutTimings = ({ ms: _, ...line }: IndexLine): string => JSON.stringify(line);

function cell(value: string | number | boolean | undefined): string {
  if (value === undefined) return "";
  const text = String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function csvHeader(targets: number): string {
  const columns = Array.from({ length: targets }, (_, i) =>
    ["target", "target_probability", "for", "against"].map((name) => (i === 0 ? name : `${name}_${i + 1}`)),
  );
  return [
    ...["photo", "folder", "class", "label", "probability"],
    ...columns.flat(),
    "truth",
    "right",
    "notes",
    "error",
  ]
    .map(cell)
    .join(",");
}

function csvRow(line: IndexLine, targets: number): string {
  const cells = Array.from({ length: targets }, (_, i) => {
    const target = line.targets?.[i];
    return [target?.description, target?.probability, target?.for, target?.against];
  });
  return [
    ...[line.photo, line.targets?.[0]?.folder, line.class, line.label, line.probability],
    ...cells.flat(),
    ...[line.truth, line.right, line.notes?.join(" "), line.error],
  ]
    .map(cell)
    .join(",");
}

/** The index of a run, written photo by photo. */
export interface RunIndex {
  add(line: IndexLine): void;
  /** Takes off what an earlier run wrote of photos behind the last one. */
  finish(): void;
  /** Another process wrote into the same index meanwhile: it may lack lines. */
  wasDisturbed(): boolean;
  close(): void;
}

/**
 * Opens index.jsonl and index.csv of a run. Lines of an earlier run stay, with their timings, as long as each says the same of the
 * same photo; from the first that does not on they are written anew.
 * @param name "index", or another for a part of a run
 */
export function openRunIndex(folder: string, name: string, targets: number): RunIndex {
  mkdirSync(folder, { recursive: true });
  const lines = openSync(join(folder, `${name}.jsonl`), "a+");
  const table = openSync(join(folder, `${name}.csv`), "w");
  writeSync(table, `${csvHeader(targets)}\n`);
  let earlier: Generator<{ line: string; offset: number }> | undefined = linesOf(lines);
  let end = 0;
  let isDisturbed = false;
  const noticeOthers = (): void => {
    if (fstatSync(lines).size !== end) isDisturbed = true;
  };
  const cut = (): void => {
    ftruncateSync(lines, end);
    earlier = undefined;
  };
  const close = (): void => {
    closeSync(lines);
    closeSync(table);
  };
  return {
    add(line) {
      writeSync(table, `${csvRow(line, targets)}\n`);
      const old = earlier?.next();
      if (old?.done === false && line.ms === undefined) {
        const before = parseLine(old.value.line);
        if (before !== undefined && withoutTimings(before) === withoutTimings(line)) {
          end = old.value.offset + Buffer.byteLength(old.value.line) + 1;
          return;
        }
      }
      if (earlier !== undefined) cut();
      else noticeOthers();
      const text = `${JSON.stringify(line)}\n`;
      writeSync(lines, text);
      end += Buffer.byteLength(text);
    },
    finish() {
      if (earlier === undefined) noticeOthers();
      cut();
    },
    wasDisturbed: () => isDisturbed,
    close,
  };
}

/** Photos that failed, by their paths, with the reasons: of the indexes of a run and of its shards. */
export function failuresIn(folder: string): Map<string, string> {
  const failures = new Map<string, string>();
  for (const name of readdirSync(folder).sort()) {
    if (!/^index(-\d+-of-\d+)?\.jsonl$/.test(name)) continue;
    for (const { photo, error } of readIndex(join(folder, name))) if (error !== undefined) failures.set(photo, error);
  }
  return failures;
}

/** Writes an index anew from lines in their order. @returns how many there were */
export function writeRunIndex(
  folder: string,
  targets: number,
  lines: Iterable<IndexLine>,
): { readonly count: number; readonly failed: number } {
  writeFileSync(join(folder, "index.jsonl"), "");
  const index = openRunIndex(folder, "index", targets);
  let [count, failed] = [0, 0];
  for (const line of lines) {
    index.add(line);
    count++;
    if (line.error !== undefined) failed++;
  }
  index.finish();
  index.close();
  return { count, failed };
}
