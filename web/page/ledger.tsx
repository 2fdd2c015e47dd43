import type { JSX } from "preact";
import type { LedgerRow } from "../../engine/layers/ledger.ts";

/** What becomes of a layer's relevance, in the order of the bars. */
const parts = [
  ["on", (row: LedgerRow) => row.relevanceIn],
  ["bias", (row: LedgerRow) => row.bias],
  ["stabilizer", (row: LedgerRow) => row.stabilizer],
  ["dropped", (row: LedgerRow) => row.dropped],
] as const;

/** Longer than any number of relevance that is not 0. */
const nearNothing = 1e-30;

/**
 * Where relevance went, layer by layer: each bar is a layer's relevance, as long as its share of the start; what it handed on, what
 * its bias and stabiliser took and what was dropped are its parts.
 */
export function Ledger({ rows }: { readonly rows: readonly LedgerRow[] }): JSX.Element {
  const longest = Math.max(
    nearNothing,
    ...rows.map((row) => parts.reduce((sum, [, value]) => sum + Math.abs(value(row)), 0)),
  );
  return (
    <table class="ledger">
      <caption class="hidden">Relevance of each layer, from the output to the input</caption>
      <colgroup>
        <col class="name" />
        <col class="kind" />
        <col class="bars" />
        <col class="number" />
      </colgroup>
      <thead class="hidden">
        <tr>
          <th scope="col">layer</th>
          <th scope="col">kind and rule</th>
          <th scope="col">handed on, bias, stabiliser, dropped</th>
          <th scope="col">handed on</th>
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr
            key={row.layer}
            title={`${row.op} ${row.layer}, ${row.rule}: ${row.relevanceOut.toPrecision(4)} came, ${row.relevanceIn.toPrecision(4)} went on, bias ${row.bias.toPrecision(3)}, stabiliser ${row.stabilizer.toPrecision(2)}, dropped ${row.dropped.toPrecision(3)}`}
          >
            <th scope="row">{row.layer}</th>
            <td class="kind">
              <span>
                {row.op} · {row.rule}
              </span>
            </td>
            <td class="bars">
              <LedgerBars row={row} longest={longest} />
            </td>
            <td class="number">{row.relevanceIn.toPrecision(3)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function LedgerBars({ row, longest }: { readonly row: LedgerRow; readonly longest: number }): JSX.Element {
  let end = 0;
  return (
    <svg viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">
      {parts.map(([name, value]) => {
        const width = (100 * Math.abs(value(row))) / longest;
        const x = end;
        end += width;
        return <rect key={name} class={name} x={x} y="0" width={width} height="8" />;
      })}
    </svg>
  );
}
