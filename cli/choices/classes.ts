import { imagenetLabels } from "../../engine/labels/imagenet.ts";
import { UsageError } from "../terminal/errors.ts";
import { readJson, readText } from "./text.ts";

/** A name as JSON files give it: alone, or last in a list, as torchvision's older files have ["n01440764", "tench"]. */
function nameOf(value: unknown): string | undefined {
  const name: unknown = Array.isArray(value) ? value.at(-1) : value;
  return typeof name === "string" || typeof name === "number" ? String(name) : undefined;
}

function namesOfJson(json: unknown): readonly (string | undefined)[] | undefined {
  if (Array.isArray(json)) return json.map(nameOf);
  if (typeof json !== "object" || json === null) return undefined;
  // The config.json of transformers.
  if ("id2label" in json) return namesOfJson(json.id2label);
  const entries = Object.entries(json);
  const isByIndex = entries.every(([key]) => /^\d+$/.test(key));
  const pairs = entries.map(([key, value]): [number, string | undefined] =>
    isByIndex ? [Number(key), nameOf(value)] : [typeof value === "number" ? value : Number.NaN, key],
  );
  const names = pairs.sort(([a], [b]) => a - b);
  return names.length > 0 && names.every(([index], i) => index === i) ? names.map(([, name]) => name) : undefined;
}

async function readNames(given: string): Promise<readonly (string | undefined)[]> {
  if (/\.json$/i.test(given)) {
    const names = namesOfJson(await readJson(given, "classes"));
    if (names !== undefined) return names;
    throw new UsageError(
      `--classes ${given}: it must be a list of names, or an object with every index from 0 on, as keys or as values.`,
    );
  }
  const text = await readText(given, "classes");
  if (/^\s*(\{\s*["'\d]|\[\s*["'])/.test(text)) {
    throw new UsageError(
      `--classes ${given}: it begins like a list or dict of Python or JSON. Give a text file of one name per line, or JSON in a file that ends in .json (json.dump writes it).`,
    );
  }
  const lines = text.split(/\r\n|\n|\r/).map((line) => line.trim());
  while (lines.at(-1) === "") lines.pop();
  return lines;
}

/**
 * Class names by index: of a JSON list, of {"0": "cat"} or {"cat": 0}, or of lines.
 * @throws UsageError, CommandError
 */
export async function readClasses(given: string): Promise<readonly string[]> {
  if (given === "imagenet") return imagenetLabels;
  const names = await readNames(given);
  return names.map((name, index) => {
    if (name === undefined || name.trim() === "") {
      throw new UsageError(
        `--classes ${given}: class ${index} must have a name, a text. Name every class once, in order.`,
      );
    }
    return name;
  });
}
