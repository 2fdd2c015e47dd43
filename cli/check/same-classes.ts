import type { Network } from "../../engine/network/network.ts";
import { labelOf } from "../../engine/request/target.ts";
import { plainName } from "../inputs/photo-labels.ts";
import { CommandError } from "../terminal/errors.ts";
import type { AttentionFile } from "./attention-file.ts";

const firstName = (label: string): string => plainName(label.split(",")[0] ?? label);

/**
 * Refuses an attention file of a network with other classes: as many of them, and those that were predicted under the same names where
 * both have names.
 * @throws CommandError
 */
export function requireSameClasses(recorded: AttentionFile, path: string, { classCount, definition }: Network): void {
  const { name, labels } = definition;
  const again = "Write it again with srmap check --write.";
  if (recorded.classes !== classCount) {
    throw new CommandError(
      `attention file ${path}: is of a network with ${recorded.classes} classes, ${name} has ${classCount}. ${again}`,
    );
  }
  for (const { prediction } of recorded.photos) {
    const { index, label } = prediction;
    const own = labels?.[index];
    const isNamed = label !== labelOf(undefined, index);
    if (own === undefined || !isNamed || firstName(own) === firstName(label)) continue;
    throw new CommandError(
      `attention file ${path}: is of another network: its class ${index} is "${label}", that of ${name} is "${own}". ${again}`,
    );
  }
}
