/**
 * Rows of text in columns, two spaces apart, without blanks at the ends of lines.
 * @param isRight whether a column's texts end below each other instead of beginning
 */
export function tableLines(rows: readonly (readonly string[])[], isRight: (column: number) => boolean): string[] {
  const widths: number[] = [];
  for (const row of rows) for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, cell.length);
  return rows.map((row) =>
    row
      .map((cell, i) => (isRight(i) ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)))
      .join("  ")
      .trimEnd(),
  );
}
