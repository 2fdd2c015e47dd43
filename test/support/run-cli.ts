import { runCli } from "../../cli/cli.ts";

/** What a run of the command printed, and its exit code. */
export interface Run {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs the command in this process, as in a terminal that is not interactive. */
export async function srmap(...argv: string[]): Promise<Run> {
  const run = { code: 0, out: "", err: "" };
  const code = await runCli(argv, {
    out: (text) => {
      run.out += text;
    },
    err: (text) => {
      run.err += text;
    },
    redraw: () => undefined,
    isInteractive: false,
    columns: 80,
  });
  return { ...run, code };
}
