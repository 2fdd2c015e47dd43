import type { Terminal } from "./terminal.ts";

/** A bar on the last line of the screen: `[======      ] 12/30 photo.jpg`. */
export interface Progress {
  /** Shows what is being worked on. */
  update(done: number, label: string): void;
  /** Takes the bar away, so that other lines can be printed. */
  clear(): void;
}

const barLength = 24;
const minimumColumns = 50;

/** A bar for `total` steps. It shows nothing when there is one step, or no screen, or too small a one. */
export function createProgress(terminal: Terminal, total: number): Progress {
  if (total < 2 || !terminal.isInteractive || terminal.columns < minimumColumns) {
    return { update: () => undefined, clear: () => undefined };
  }
  const clear = (): void => terminal.redraw("");
  return {
    update(done, label) {
      const filled = Math.round((barLength * done) / total);
      const bar = `[${"=".repeat(filled)}${" ".repeat(barLength - filled)}] ${done}/${total} `;
      const room = terminal.columns - bar.length - 1;
      const end = label.length <= room ? label : `…${label.slice(label.length - room + 1)}`;
      terminal.redraw(bar + end);
    },
    clear,
  };
}
