import type { Result } from "../measure/result.ts";
import type { Roof } from "../parts/roof.ts";

/** A time with as many digits as are worth reading. */
export function milliseconds(ms: number): string {
  return ms >= 100 ? ms.toFixed(0) : ms >= 10 ? ms.toFixed(1) : ms.toFixed(2);
}

/** A number with its unit: plain where that is readable. */
export function amount(value: number, unit = ""): string {
  const text =
    value !== 0 && Math.abs(value) < 0.01 ? value.toExponential(1) : value.toFixed(Math.abs(value) < 10 ? 2 : 1);
  return `${text} ${unit}`.trim();
}

/** Our time over a peer's, for the same work by as many threads; under 1 srmap is faster. */
export function ratio(own: Result, peer: Result): number | undefined {
  if (own.timing === undefined || peer.timing === undefined) return undefined;
  const isSame = own.group === peer.group && own.name === peer.name && own.threads === peer.threads;
  return isSame ? own.timing.medianMs / peer.timing.medianMs : undefined;
}

/** What a result reaches, and which part of the roof that is. */
function rate({ timing, flop, arithmetic = flop, bytes, streamMs, threads }: Result, roof: Roof | undefined): string {
  if (timing === undefined) return "";
  const perSecond = (count: number): number => count / timing.medianMs / 1e6;
  const share = (value: number, limit: number | undefined): string =>
    limit === undefined || threads !== 1 ? "" : ` = ${((100 * value) / limit).toFixed(0)} % of the roof`;
  const parts: string[] = [];
  if (flop && arithmetic) {
    const done = arithmetic === flop ? "" : `, ${perSecond(arithmetic).toFixed(1)} done`;
    const isBounded = bytes === undefined;
    parts.push(
      `${perSecond(flop).toFixed(1)} GFLOP/s${done}${isBounded ? share(perSecond(arithmetic), roof?.gflops) : ""}`,
    );
  }
  if (bytes) parts.push(`${perSecond(bytes).toFixed(1)} GB/s${share(perSecond(bytes), roof?.gigabytes)}`);
  if (streamMs)
    parts.push(`reading and writing alone ${((100 * streamMs) / timing.medianMs).toFixed(0)} % of its time`);
  return parts.join(", ");
}

function line(result: Result, rows: readonly Result[], roof: Roof | undefined): string {
  const { timing, check } = result;
  const head = `  ${result.name.padEnd(42)} ${result.by.padEnd(30)} ${String(result.threads).padStart(2)}T`;
  const checkedBy = check === undefined ? "" : `  [${check}]`;
  if (timing === undefined) return `${head} ${amount(result.value ?? Number.NaN, result.unit)}${checkedBy}`;
  const range = `${milliseconds(timing.minMs)}-${milliseconds(timing.maxMs)}`;
  const times = `${milliseconds(timing.medianMs).padStart(9)} ms (${range}) cpu ${milliseconds(timing.cpuMs)}`;
  const own = rows.find((each) => each.by === "srmap" && each.name === result.name && each.threads === result.threads);
  const against = own && own !== result ? ratio(own, result) : undefined;
  const compared = against === undefined ? "" : `  srmap is ${against.toFixed(2)} x this`;
  // In one group the same work by one thread and by more: how far threads carry.
  const single = rows.find((each) => each.by === result.by && each.name === result.name && each.threads === 1);
  const gain =
    single?.timing && result.by === "srmap" && result.threads > 1
      ? `  ${(single.timing.medianMs / timing.medianMs).toFixed(2)} times one thread`
      : "";
  return `${head} ${times.padEnd(46)} ${rate(result, roof)}${compared}${gain}${checkedBy}`;
}

/** Prints the tables. */
export function print(results: readonly Result[], roof?: Roof): void {
  for (const group of new Set(results.map((each) => each.group))) {
    console.log(`\n${group}`);
    const rows = results.filter((each) => each.group === group);
    const sorted = rows
      .map((row) => ({ row, first: rows.findIndex((other) => other.name === row.name) }))
      .sort((a, b) => a.first - b.first)
      .map(({ row }) => row);
    const printed = new Set<string>();
    for (const row of sorted) {
      if (row.unit !== "relative L2") {
        console.log(line(row, rows, roof));
        continue;
      }
      // Algorithms side by side.
      if (printed.has(row.name)) continue;
      printed.add(row.name);
      const algorithms = sorted.filter(({ name }) => name === row.name);
      const cells = algorithms.map(({ by, value = Number.NaN }) => `${amount(value)} ${by}`.padEnd(28));
      console.log(`  ${row.name.padEnd(42)} ${cells.join(" ").trimEnd()}`);
    }
  }
}
