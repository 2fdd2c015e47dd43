import { printable, shown } from "./shown.ts";

/** Where a command prints. */
export interface Terminal {
  /** Results, for people or machines. */
  out(text: string): void;
  /** Errors, notes and progress. */
  err(text: string): void;
  /** Puts a text into the last line of an interactive screen, in the place of what was put there before. */
  redraw(text: string): void;
  /** Whether `err` goes to a person's screen, where a line can be drawn over. */
  readonly isInteractive: boolean;
  /** Width of that screen in characters. */
  readonly columns: number;
}

/** The terminal of this process. What it prints is `printable`, wherever the text came from. */
export function processTerminal(): Terminal {
  const columns = process.stderr.columns ?? 80;
  return {
    out: (text) => void process.stdout.write(printable(text)),
    err: (text) => void process.stderr.write(printable(text)),
    redraw: (text) => void process.stderr.write(`\r\u001b[K${shown(text, columns)}`),
    isInteractive: process.stderr.isTTY === true,
    columns,
  };
}
