import { mustHave } from "../../engine/basics/must-have.ts";
import type { LedgerRow } from "../../engine/layers/ledger.ts";
import { shown } from "../terminal/shown.ts";
import { tableLines } from "../terminal/table.ts";

const columns = ["R out", "R in", "bias", "stabiliser", "dropped", "remainder"] as const;

interface Line {
  readonly left: readonly [layer: string, op: string, rule: string];
  readonly numbers: readonly number[];
}

/** What no column accounts for: rounding. */
function remainder(out: number, into: number, bias: number, stabilizer: number, dropped: number): number {
  return out - into - bias - stabilizer - dropped;
}

/**
 * From what relevance started with to what reached the input. Relevance that layers handed on and no layer took in reached the
 * input.
 */
function total(ledger: readonly LedgerRow[]): Line {
  const sum = (key: "relevanceOut" | "relevanceIn" | "bias" | "stabilizer" | "dropped"): number =>
    ledger.reduce((result, row) => result + row[key], 0);
  const start = mustHave(ledger[0], "ledger").relevanceOut;
  const reached = sum("relevanceIn") - (sum("relevanceOut") - start);
  const losses = [sum("bias"), sum("stabilizer"), sum("dropped")] as const;
  return { left: ["total", "", ""], numbers: [start, reached, ...losses, remainder(start, reached, ...losses)] };
}

/** One number of places for the whole table, so that columns add up by eye; what would then look like nothing is told apart. */
function format(value: number, places: number): string {
  if (value === 0) return "0";
  return Math.abs(value) < 0.5 * 10 ** -places ? value.toExponential(1) : value.toFixed(places);
}

/**
 * The conservation ledger as text: a line per layer from the output to the input, and a total. In every line R out is R in plus
 * bias, stabiliser, dropped and remainder.
 */
export function ledgerTable(ledger: readonly LedgerRow[]): string {
  const lines: Line[] = ledger.map((row) => {
    const { relevanceOut, relevanceIn, bias, stabilizer, dropped } = row;
    const rest = remainder(relevanceOut, relevanceIn, bias, stabilizer, dropped);
    return {
      left: [shown(row.layer, 60), row.op, row.rule],
      numbers: [relevanceOut, relevanceIn, bias, stabilizer, dropped, rest],
    };
  });
  lines.push(total(ledger));
  const largest = Math.max(...lines.flatMap(({ numbers }) => numbers.slice(0, 5).map(Math.abs)));
  // Six significant digits of the largest number.
  const places = Math.min(9, Math.max(0, 5 - Math.floor(Math.log10(largest || 1))));
  const table = [
    ["layer", "op", "rule", ...columns],
    ...lines.map(({ left, numbers }) => [...left, ...numbers.map((value) => format(value, places))]),
  ];
  return tableLines(table, (column) => column > 2)
    .map((line) => `${line}\n`)
    .join("");
}
