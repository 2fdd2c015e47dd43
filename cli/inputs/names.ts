import { resolve, sep } from "node:path";
import { isUrl } from "./expand.ts";
import type { FoundInput, Input } from "./found-input.ts";

const isFile = ({ path }: FoundInput): boolean => path !== "-" && !isUrl(path);

/** The folder that an input was found below: its path without its name. */
function baseOf({ path, relative }: FoundInput): string {
  const segments = resolve(path).split(sep);
  // Where parts are divided by "/", a "\\" belongs to a name.
  const depth = relative.split(sep === "/" ? sep : /[/\\]/).length;
  return segments.slice(0, -depth).join(sep);
}

/** The deepest folder that holds all of them. */
function commonFolder(folders: readonly string[]): string {
  const [first = "", ...others] = folders;
  const segments = first.split(sep);
  let length = segments.length;
  for (const other of others) {
    const theirs = other.split(sep);
    const end = segments.findIndex((segment, i) => segment !== theirs[i]);
    length = Math.min(length, end < 0 ? segments.length : end);
  }
  return segments.slice(0, length).join(sep);
}

/**
 * What results of inputs are called: their paths below the folder that all arguments have in common, with "/" between the parts on
 * every machine. Names of other places (URLs, standard input) are numbered where they are taken.
 * @returns one for each input; that of an input which could not be found is what was typed
 */
export function inputNames(inputs: readonly Input[]): string[] {
  const found = inputs.filter((input) => input.error === undefined);
  const common = commonFolder([...new Set(found.filter(isFile).map(baseOf))]);
  const named = (input: FoundInput): string =>
    isFile(input)
      ? resolve(input.path)
          .slice(common.length + 1)
          .split(sep)
          .join("/")
      : input.relative;
  const taken = new Set(found.filter(isFile).map(named));
  return inputs.map((input) => {
    if (input.error !== undefined) return input.path;
    const name = named(input);
    if (isFile(input)) return name;
    let unique = name;
    for (let n = 2; taken.has(unique); n++) unique = `${n}-${name}`;
    taken.add(unique);
    return unique;
  });
}
