import { shown } from "./shown.ts";
import type { Terminal } from "./terminal.ts";

// Our longest notes have 250 characters without the names in them.
const mostOfNote = 600;

/** Says what loading decided without being asked, each once. */
export function tellNotes(notes: readonly string[], terminal: Terminal): void {
  for (const note of new Set(notes)) terminal.err(`note: ${shown(note, mostOfNote)}\n`);
}
