import type { JSX } from "preact";
import type { LedgerRow } from "../../engine/layers/ledger.ts";

/**
 * Where relevance went, layer by layer: each bar is a layer's relevance, as long as its share of the start; what it handed on, what
 * its bias and stabiliser took and what was dropped are its parts.
 */
export function Ledger({ rows }: { readonly rows: readonly LedgerRow[] }): JSX.Element {
  const parts = (row: LedgerRow): [string, number][] => [
    ["on", Math.abs(row.relevanceIn)],
    ["bias", Math.abs(row.bias)],
    ["stabilizer", Math.abs(row.stabilizer)],
    ["dropped", Math.abs(row.dropped)],
  ];
  const longest = Math.max(1e-30, ...rows.map((row) => parts(row).reduce((sum, [, value]) => sum + value, 0)));
  return (
    <table class="ledger">
      <caption class="hidden">Relevance of each layer, from the output to the input</caption>
      <thead class="hidden">
        <tr>
          <th scope="col">layer</th>
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
            <td>
              <svg viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">
                {
                  parts(row).reduce<{ x: number; bars: JSX.Element[] }>(
                    ({ x, bars }, [name, value]) => {
                      const width = (100 * value) / longest;
                      return {
                        x: x + width,
                        bars: [...bars, <rect key={name} class={name} x={x} y="0" width={width} height="8" />],
                      };
                    },
                    { x: 0, bars: [] },
                  ).bars
                }
              </svg>
            </td>
            <td class="number">{row.relevanceIn.toPrecision(3)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
