/** Where a command prints. */
export interface Terminal {
  /** Results, for people or machines. */
  out(text: string): void;
  /** Errors, notes and progress. */
  err(text: string): void;
  /** Whether `err` goes to a person's screen, where a line can be drawn over. */
  readonly isInteractive: boolean;
  /** Width of that screen in characters. */
  readonly columns: number;
}

/** The terminal of this process. */
export function processTerminal(): Terminal {
  return {
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    isInteractive: process.stderr.isTTY === true,
    columns: process.stderr.columns ?? 80,
  };
}
