import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./paths.ts";

/** A function, method or callback of the sources. */
export interface SourceFunction {
  readonly file: string;
  readonly name: string;
  /** From the first line of its head to its last brace. */
  readonly lines: number;
}

const notFunctions =
  /^\s*(?:\} )?(?:if|else|for|while|switch|try|catch|finally|do|class|export class|abstract class|case)\b/;

/**
 * All functions of a formatted source file whose bodies have braces: the formatter puts the brace that closes a body on a line of the same
 * indentation as the line on which its head begins.
 */
export function functionsOf(file: string): SourceFunction[] {
  const lines = readFileSync(join(root, file), "utf8").split("\n");
  const indentOf = (line: string): number => line.length - line.trimStart().length;
  const found: SourceFunction[] = [];
  lines.forEach((line, i) => {
    if (!/(?:=>|\)|\): .*|\}\)?: .*) \{$/.test(line) || notFunctions.test(line)) return;
    const indent = indentOf(line);
    let begin = i;
    // "): Result {" ends a head of several lines.
    if (/^\s*[)}]/.test(line)) while (begin > 0 && (begin === i || indentOf(lines[begin] ?? "") > indent)) begin--;
    const head = lines[begin] ?? "";
    if (notFunctions.test(head)) return;
    const end = lines.findIndex((other, k) => k > i && indentOf(other) === indent && /^\s*\}/.test(other));
    if (end < 0) return;
    const name =
      /(?:function\*? |const |get |set )(\w+)/.exec(head)?.[1] ?? /(#?\w+)\s*[(=:]/.exec(head)?.[1] ?? head.trim();
    found.push({ file, name, lines: end - begin + 1 });
  });
  return found;
}
