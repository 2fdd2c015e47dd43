import { type Arguments, describeOptions, type OptionTable } from "../terminal/arguments.ts";
import type { Terminal } from "../terminal/terminal.ts";

/** A command of `srmap`. */
export interface Command {
  /** One line for the list of commands. */
  readonly summary: string;
  /** What is typed behind `srmap NAME`. */
  readonly usage: string;
  readonly options: OptionTable;
  /** Paragraphs below the options: what it does, examples. */
  readonly notes: string;
  /**
   * Does the work.
   * @returns the exit code: 0 when all went well, 1 when something failed
   * @throws UsageError (exit code 2), CommandError and anything else (exit code 1)
   */
  run(given: Arguments, terminal: Terminal): Promise<number>;
}

/** The help text of a command. */
export function describeCommand(name: string, command: Command): string {
  return `${command.summary}

Usage: srmap ${name} ${command.usage}

${describeOptions(command.options)}

${command.notes}
`;
}
