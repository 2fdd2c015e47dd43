#!/usr/bin/env node
import { runCli } from "./cli.ts";
import { closedOutput } from "./terminal/interrupts.ts";
import { processTerminal } from "./terminal/terminal.ts";

// A reader that went away ("srmap ... | head") ends the work; it is not shown as an error with a stack.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE" && error.code !== "ERR_STREAM_DESTROYED") throw error;
  closedOutput();
});

process.exitCode = await runCli(process.argv.slice(2), processTerminal());
