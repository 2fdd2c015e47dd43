import type { Cell, Row } from "./summary.ts";

/** A line for each photo, class and map, as evaluation.csv has it; empty where nothing was measured. */
export function csvOf(rows: readonly Row[], maps: readonly string[], names: readonly string[]): string {
  const quoted = (text: string): string => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  const lines = rows.flatMap((row) =>
    maps.map((map) =>
      [
        quoted(row.photo),
        quoted(row.label),
        row.area,
        quoted(map),
        ...names.map((name) => row.maps[map]?.[name]?.value ?? ""),
      ].join(","),
    ),
  );
  return `${[["photo", "class", "area", "map", ...names].join(","), ...lines].join("\n")}\n`;
}

/** Means as the terminal shows them: a line a map, a column a metric. */
export function tableText(cells: readonly Cell[], maps: readonly string[], names: readonly string[]): string {
  const width = Math.max(...maps.map((map) => map.length)) + 2;
  const digits = (value: number): string => (Number.isNaN(value) ? "none" : value.toFixed(3)).padStart(12);
  const lines = maps.map(
    (map) =>
      `${map.padEnd(width)}${names.map((name) => digits(cells.find((cell) => cell.map === map && cell.metric === name)?.interval.mean ?? Number.NaN)).join("")}`,
  );
  return `${"".padEnd(width)}${names.map((name) => name.padStart(12)).join("")}\n${lines.join("\n")}\n`;
}
