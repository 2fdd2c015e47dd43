import type { Command } from "../command.ts";
import { explain } from "./explain.ts";
import { salient } from "./salient.ts";

/** Name of a command. */
export type CommandName = "explain" | "salient";

/** Every command by name. */
export const commands: Record<CommandName, Command> = { explain, salient };

/** True for the names in `commands`. */
export function isCommandName(name: string): name is CommandName {
  return Object.hasOwn(commands, name);
}
