import { UnsupportedError } from "../../engine/basics/errors.ts";
import { PickleMachine } from "./pickle-machine.ts";
import { opcodes } from "./pickle-opcodes.ts";
import type { PickleHooks, PickleValue } from "./pickle-value.ts";

const stop = ".".charCodeAt(0);

/**
 * Reads one pickle (protocols 2 to 5, and the opcodes of older ones that PyTorch wrote) into plain data. It is a reader, not an
 * interpreter: a global is a name, calls reach only the hooks, and every opcode that would build other objects is refused.
 * @param what names the pickle in messages
 * @returns the value, and the offset of the first byte behind the pickle
 * @throws PickleTruncated at the end of the bytes; UnsupportedError for a global that is not permitted; FormatError otherwise
 */
export function readPickle(
  bytes: Uint8Array,
  begin: number,
  hooks: PickleHooks,
  what: string,
): { value: PickleValue; end: number } {
  const machine = new PickleMachine(bytes, begin, hooks, what);
  const { read } = machine;
  for (let opcode = read.u8(); opcode !== stop; opcode = read.u8()) {
    const run = opcodes.get(opcode);
    if (run === undefined) {
      throw new UnsupportedError(
        `${what}: pickle opcode 0x${opcode.toString(16)} at byte ${read.position() - 1 - begin} does not occur in state dicts. Save the weights alone: torch.save(model.state_dict(), "weights.pth").`,
      );
    }
    run(machine);
  }
  return { value: machine.pop(), end: read.position() };
}
