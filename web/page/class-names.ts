/** Class names from a file: a JSON list, a JSON object by index, or a line each. @throws Error in words for people */
export function readClassNames(text: string): readonly string[] {
  const trimmed = text.trim();
  if (!/^[[{]/.test(trimmed)) return trimmed.split(/\r?\n/);
  let parsed: unknown;
  try {
    parsed = JSON.parse(trimmed);
  } catch (error) {
    throw new Error(`The class names are no JSON (${String(error)}). A text file with a name a line does, too.`);
  }
  const names: unknown[] = Array.isArray(parsed)
    ? parsed
    : Object.entries(parsed as Record<string, unknown>)
        .sort(([a], [b]) => Number(a) - Number(b))
        .map(([, name]) => name);
  return names.map((name) => (Array.isArray(name) ? String(name.at(-1)) : String(name))); // Keras: { "0": ["n01440764", "tench"] }
}
