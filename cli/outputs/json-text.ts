const width = 120;

function onOneLine(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(onOneLine).join(", ")}]`;
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value).filter(([, entry]) => entry !== undefined);
    if (entries.length === 0) return "{}";
    return `{ ${entries.map(([key, entry]) => `${JSON.stringify(key)}: ${onOneLine(entry)}`).join(", ")} }`;
  }
  return JSON.stringify(value) ?? "null";
}

/** JSON for people too: what fits on a line stays on one, so that a table has a line per row. */
export function jsonText(value: unknown, indent = 0): string {
  const line = onOneLine(value);
  if (typeof value !== "object" || value === null || indent + line.length <= width) return line;
  const inner = " ".repeat(indent + 2);
  const outer = " ".repeat(indent);
  if (Array.isArray(value)) {
    return `[\n${value.map((entry) => `${inner}${jsonText(entry, indent + 2)}`).join(",\n")}\n${outer}]`;
  }
  const entries = Object.entries(value).filter(([, entry]) => entry !== undefined);
  const lines = entries.map(([key, entry]) => `${inner}${JSON.stringify(key)}: ${jsonText(entry, indent + 2)}`);
  return `{\n${lines.join(",\n")}\n${outer}}`;
}
