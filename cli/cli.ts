import { didYouMean } from "../engine/basics/errors.ts";
import { version } from "../host/version.ts";
import { describeCommand } from "./commands/command.ts";
import { commands, isCommandName } from "./commands/index.ts";
import { parseArguments } from "./terminal/arguments.ts";
import { describeError, UsageError } from "./terminal/errors.ts";
import type { Terminal } from "./terminal/terminal.ts";

function overview(): string {
  const rows = Object.entries(commands).map(([name, { summary }]) => `  ${name.padEnd(10)}${summary}`);
  return `srmap: what did the classifier look at?

Usage: srmap COMMAND ...

Commands:
${rows.join("\n")}
  help      Explains a command: srmap help explain

Options:
  -h, --help     This text
      --version  The version

Exit codes: 0 all went well; 1 something failed, for example a photo that could
not be read; 2 the command line was not understood, nothing was done.
`;
}

async function dispatch(argv: readonly string[], terminal: Terminal): Promise<number> {
  const [name, ...rest] = argv;
  if (name === undefined) {
    terminal.err(overview());
    return 2;
  }
  if (name === "--version") {
    terminal.out(`${version}\n`);
    return 0;
  }
  if (name === "--help" || name === "-h" || (name === "help" && rest.length === 0)) {
    terminal.out(overview());
    return 0;
  }
  const isHelp = name === "help";
  const wanted = isHelp ? (rest[0] ?? "") : name;
  if (!isCommandName(wanted)) {
    const what = wanted.startsWith("-") ? "option" : "command";
    throw new UsageError(
      `unknown ${what} "${wanted}".${didYouMean(wanted, [...Object.keys(commands), "help"]) || ' See "srmap --help".'}`,
    );
  }
  const command = commands[wanted];
  if (isHelp || rest.some((argument, i) => isHelpFlag(argument) && !rest.slice(0, i).includes("--"))) {
    terminal.out(describeCommand(wanted, command));
    return 0;
  }
  return command.run(parseArguments(wanted, command.options, rest), terminal);
}

function isHelpFlag(argument: string): boolean {
  return argument === "--help" || argument === "-h";
}

/**
 * Runs `srmap` with the arguments behind its name.
 * @returns the exit code: 0 all went well, 1 something failed, 2 the command line was not understood
 */
export async function runCli(argv: readonly string[], terminal: Terminal): Promise<number> {
  try {
    return await dispatch(argv, terminal);
  } catch (error) {
    terminal.err(`srmap: ${describeError(error)}\n`);
    return error instanceof UsageError ? 2 : 1;
  }
}
