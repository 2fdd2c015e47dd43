// Characters that a terminal acts on or that reorder what is read: C0 and C1 controls, delete, direction marks and overrides,
// line separators, the byte order mark.
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const controls = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

/** The middle of a text that is too long is left out. */
function shortened(text: string, most: number): string {
  if (text.length <= most) return text;
  const end = Math.floor((most - 1) / 3);
  return `${text.slice(0, most - 1 - end)}…${text.slice(text.length - end)}`;
}

/**
 * Text as a screen may get it: whatever a terminal would act on is written as `\u001b`, as in JSON, so that JSON stays JSON. Line
 * breaks are kept. The door of the command passes everything through this; nothing in a file can move a cursor, set a title or
 * hide a line.
 */
export function printable(text: string): string {
  return text.replace(controls, (character) => (character === "\n" ? character : escaped(character)));
}

/** A name, label or note that comes from a file or was typed: one line of at most `most` characters, as a screen may get it. */
export function shown(text: string, most = 100): string {
  return shortened(text, most).replace(controls, escaped);
}

/** Most characters of a path: one that was cut can not be copied, so that only absurd ones are. */
export const mostOfPath = 300;

// Our longest sentences have 350 characters without the names in them.
const mostOfMessage = 1000;

/**
 * A message that may quote names from files. What is in double quotes is shortened to a name's length, a line to 1000 characters;
 * a line break stays where our own lists have one, before an indented or a capital line.
 */
export function shownMessage(message: string): string {
  return (
    message
      // One quoted name after the other, so that what stands between two of them is none.
      .replace(/"([^"\n]*)"/g, (_, name: string) => `"${shortened(name, 100)}"`)
      .split(/\n(?= {2}|[A-Z])/)
      .map((line) => shown(line, mostOfMessage))
      .join("\n")
  );
}
