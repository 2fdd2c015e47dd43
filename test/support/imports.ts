import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, posix, sep } from "node:path";
import { root } from "./paths.ts";

/** One import, export ... from or import() of a source file. */
export interface Import {
  /** The file that imports, from the repository's root, with forward slashes. */
  readonly file: string;
  readonly specifier: string;
  /** The file that is imported, as above; undefined for a package. */
  readonly target: string | undefined;
  readonly isTypeOnly: boolean;
}

/** Every .ts file of a top-level folder, from the repository's root, with forward slashes, sorted. */
export function sourceFiles(room: string): string[] {
  return readdirSync(join(root, room), { recursive: true, encoding: "utf8" })
    .filter((name) => /\.tsx?$/.test(name) && !name.includes("node_modules"))
    .map((name) => `${room}/${name.split(sep).join("/")}`)
    .sort();
}

/** The top-level folder of a file. */
export function roomOf(file: string): string {
  return file.slice(0, file.indexOf("/"));
}

function resolved(file: string, specifier: string): string | undefined {
  if (!specifier.startsWith(".")) return undefined;
  const target = posix.join(dirname(file), specifier);
  // AssemblyScript leaves the ending out.
  return /\.[jt]sx?$/.test(target) ? target : `${target}.ts`;
}

/** All imports of a room's files, comments aside. */
export function importsOf(room: string): Import[] {
  const found: Import[] = [];
  for (const file of sourceFiles(room)) {
    const text = readFileSync(join(root, file), "utf8").replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, "");
    const add = (specifier: string, isTypeOnly: boolean): void => {
      found.push({ file, specifier, target: resolved(file, specifier), isTypeOnly });
    };
    for (const match of text.matchAll(/(?:^|\n)\s*(?:import|export)\s+(type\s)?[^;]*?from\s+"([^"]+)"/g)) {
      add(match[2] ?? "", match[1] !== undefined);
    }
    for (const match of text.matchAll(/(?:^|\n)\s*import\s+"([^"]+)"|\bimport\(\s*"([^"]+)"/g)) {
      add(match[1] ?? match[2] ?? "", false);
    }
  }
  return found;
}

/** By file: all files that it leads to, over any number of imports. */
export function reachedBy(imports: readonly Import[]): Map<string, Set<string>> {
  const targets = new Map<string, Set<string>>();
  for (const { file, target } of imports) {
    if (target !== undefined) targets.set(file, (targets.get(file) ?? new Set()).add(target));
  }
  const reachable = (from: string): Set<string> => {
    const seen = new Set<string>();
    const open = [...(targets.get(from) ?? [])];
    for (let file = open.pop(); file !== undefined; file = open.pop()) {
      if (seen.has(file)) continue;
      seen.add(file);
      open.push(...(targets.get(file) ?? []));
    }
    return seen;
  };
  return new Map([...targets.keys()].map((file) => [file, reachable(file)]));
}

/** Groups of files of which each leads to each other one (strongly connected, two files or more, or one that imports itself), sorted. */
export function circlesAmong(imports: readonly Import[]): string[][] {
  const reached = reachedBy(imports);
  const circles = new Map<string, string[]>();
  for (const [file, ahead] of reached) {
    if (!ahead.has(file)) continue;
    const circle = [...ahead].filter((other) => reached.get(other)?.has(file)).sort();
    circles.set(circle.join(), circle);
  }
  return [...circles.values()];
}
