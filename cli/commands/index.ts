import { check } from "./check.ts";
import type { Command } from "./command.ts";
import { compare } from "./compare.ts";
import { convert } from "./convert.ts";
import { enqueue } from "./enqueue.ts";
import { evaluate } from "./evaluate.ts";
import { explain } from "./explain.ts";
import { fetch } from "./fetch.ts";
import { inspect } from "./inspect.ts";
import { models } from "./models.ts";
import { openPage } from "./open.ts";
import { queue } from "./queue.ts";
import { rulesCommand } from "./rules.ts";
import { indexCommand } from "./run-index.ts";
import { salient } from "./salient.ts";
import { verify } from "./verify.ts";
import { work } from "./work.ts";

/** Name of a command. */
export type CommandName =
  | "explain"
  | "compare"
  | "salient"
  | "evaluate"
  | "check"
  | "rules"
  | "models"
  | "open"
  | "fetch"
  | "enqueue"
  | "work"
  | "queue"
  | "index"
  | "inspect"
  | "convert"
  | "verify";

/** Every command by name. */
export const commands: Record<CommandName, Command> = {
  explain,
  compare,
  salient,
  evaluate,
  check,
  rules: rulesCommand,
  models,
  open: openPage,
  fetch,
  enqueue,
  work,
  queue,
  index: indexCommand,
  inspect,
  convert,
  verify,
};

/** True for the names in `commands`. */
export function isCommandName(name: string): name is CommandName {
  return Object.hasOwn(commands, name);
}
