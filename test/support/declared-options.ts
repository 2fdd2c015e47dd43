import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./paths.ts";

/**
 * Public functions of some files that take options, as "file: function", told from their declarations: a parameter of a type that is called
 * Options, Settings, Limits, Thresholds, Watch, Request or WebNetwork, or an object that is written out and may be left out.
 */
export function takersOfOptions(isWanted: (file: string) => boolean): string[] {
  const parts = readFileSync(join(root, "test/golden/public-declarations.txt"), "utf8").split(/^\/\/ (.*)\.d\.ts$/m);
  const found: string[] = [];
  for (let i = 1; i < parts.length; i += 2) {
    const file = parts[i] ?? "";
    if (!isWanted(file)) continue;
    // A written-out object goes over several lines: they are joined.
    const text = (parts[i + 1] ?? "").replace(/\{\n([^}]*)\}/g, (all) => all.replace(/\s+/g, " "));
    for (const [, name, parameters = ""] of text.matchAll(/^export declare function (\w+)\((.*)\): /gm)) {
      if (/: [^,]*(Options|Settings|Limits|Thresholds|Watch|Request|WebNetwork)\b|\?: \{/.test(parameters)) {
        found.push(`${file}: ${name}`);
      }
    }
  }
  return found;
}
