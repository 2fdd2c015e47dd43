import { parseArgs } from "node:util";
import { nearestName } from "../../engine/basics/errors.ts";
import { UsageError } from "./errors.ts";

/** One option of a command. */
export interface OptionSpec {
  /** Name of the value in the help text ("FILE"); options without one are switches. */
  readonly value?: string;
  /** May be given several times. */
  readonly isRepeatable?: boolean;
  /** One letter. */
  readonly short?: string;
  readonly help: string;
  /** Heading of the help text below which it stands. Default "Options". */
  readonly group?: string;
}

/** The options of a command by name. */
export type OptionTable = Readonly<Record<string, OptionSpec>>;

/** What was typed behind a command's name. */
export interface Arguments {
  /** As they came, for whoever hands them on. */
  readonly argv: readonly string[];
  readonly positionals: readonly string[];
  /** True when the switch was given. */
  has(name: string): boolean;
  /** The option's last value. */
  value(name: string): string | undefined;
  /** All values of a repeatable option. */
  values(name: string): readonly string[];
}

/**
 * Reads a command's arguments.
 * @throws UsageError for unknown options (the nearest name is offered), missing or superfluous values and repetitions
 */
export function parseArguments(command: string, table: OptionTable, argv: readonly string[]): Arguments {
  const options = Object.fromEntries(
    Object.entries(table).map(([name, { value, short }]) => [
      name,
      { type: value === undefined ? ("boolean" as const) : ("string" as const), ...(short ? { short } : {}) },
    ]),
  );
  // Not strict: node's own messages do not know what was meant.
  const { tokens } = parseArgs({ args: [...argv], options, strict: false, allowPositionals: true, tokens: true });
  const positionals: string[] = [];
  const given = new Map<string, string[]>();
  for (const token of tokens) {
    if (token.kind === "positional") positionals.push(token.value);
    if (token.kind !== "option") continue;
    const { name, rawName, value, inlineValue } = token;
    const spec = Object.hasOwn(table, name) ? table[name] : undefined;
    if (spec === undefined) {
      // The dashes are not letters: with them every short name would look alike.
      const near = rawName.startsWith("--") ? nearestName(rawName.slice(2), Object.keys(table)) : undefined;
      const hint = near === undefined ? "" : ` Did you mean "--${near}"?`;
      const typed = argv[token.index] ?? rawName;
      // A file whose name begins with a dash, as it is or out of a shell's pattern.
      const file = /\.\w+$/.test(typed) ? ` If ${typed} is a file, write ./${typed}.` : "";
      throw new UsageError(`unknown option ${rawName}.${hint || file || ` See "srmap help ${command}".`}`);
    }
    const isNegativeNumber = value !== undefined && /^-[\d.]/.test(value);
    const isOptionLike = inlineValue !== true && value?.startsWith("-") === true && value !== "-" && !isNegativeNumber;
    if (spec.value !== undefined && (value === undefined || value === "" || isOptionLike)) {
      throw new UsageError(`option ${rawName} needs a value: ${rawName} ${spec.value}.`);
    }
    if (spec.value === undefined && value !== undefined) {
      throw new UsageError(`option ${rawName} takes no value, got "${value}".`);
    }
    const values = given.get(name) ?? [];
    if (values.length > 0 && spec.value !== undefined && spec.isRepeatable !== true) {
      throw new UsageError(`option ${rawName} was given twice.`);
    }
    given.set(name, [...values, value ?? ""]);
  }
  return {
    argv,
    positionals,
    has: (name) => given.has(name),
    value: (name) => given.get(name)?.at(-1),
    values: (name) => given.get(name) ?? [],
  };
}

/** Breaks text into lines of at most `width` characters. */
function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === "" ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}

/** The same options below a heading of their own in the help text. */
export function inGroup(group: string, table: OptionTable): OptionTable {
  return Object.fromEntries(Object.entries(table).map(([name, spec]) => [name, { ...spec, group }]));
}

/** The options as tables below their headings for the help text, 80 characters wide. */
export function describeOptions(table: OptionTable): string {
  const rows = Object.entries(table).map(([name, { value, short, help, group = "Options" }]) => ({
    left: `  ${short === undefined ? "   " : `-${short},`} --${name}${value === undefined ? "" : ` ${value}`}`,
    help,
    group,
  }));
  const width = Math.max(...rows.map(({ left }) => left.length)) + 2;
  const groups = [...new Set(rows.map(({ group }) => group))];
  return groups
    .map((group) => {
      const lines = rows
        .filter((row) => row.group === group)
        .flatMap(({ left, help }) =>
          wrap(help, 80 - width).map((line, i) => `${(i === 0 ? left : "").padEnd(width)}${line}`),
        );
      return [`${group}:`, ...lines].join("\n");
    })
    .join("\n\n");
}
