import { shownMessage } from "./shown.ts";

/** A mistake in what was typed; nothing has been done yet. Ends the command with exit code 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** The work could not be done, in a sentence for people. Ends the command with exit code 1. */
export class CommandError extends Error {
  override readonly name = "CommandError";
}

const systemErrors: Record<string, string> = {
  ENOENT: "there is no such file or folder",
  EACCES: "access is not permitted",
  EPERM: "the system does not permit it",
  EISDIR: "it is a folder",
  ENOTDIR: "a part of the path is a file, not a folder",
  ENOSPC: "the disk is full",
  EROFS: "the disk is read-only",
  EMFILE: "too many files are open",
  ENAMETOOLONG: "the name is too long",
  EEXIST: "something of that name exists already",
};

function systemCode(error: unknown): string | undefined {
  const code: unknown = error instanceof Error && "code" in error ? error.code : undefined;
  return typeof code === "string" ? code : undefined;
}

/** One sentence for what went wrong with a file or folder. */
export function describeError(error: unknown): string {
  const known = systemErrors[systemCode(error) ?? ""];
  const path: unknown = error instanceof Error && "path" in error ? error.path : undefined;
  if (systemCode(error) === "ENOENT" && typeof path === "string" && path.includes("\ufffd")) {
    // What the system listed is not UTF-8 and became this sign, under which there is nothing.
    return "its name holds bytes that are no UTF-8 text, so that it cannot be opened. Rename it.";
  }
  if (known !== undefined) return `${known}.`;
  return shownMessage(error instanceof Error ? error.message : String(error));
}

/** A message about weights that names their file. */
export function weightsError(weights: string, error: unknown): CommandError {
  const message = describeError(error);
  // The loader's own messages name the file already; names of classes come from another one.
  if (message.startsWith('weights "')) return new CommandError(message);
  return new CommandError(
    message.startsWith("labels: ") ? message.replace("labels", "--classes") : `weights ${weights}: ${message}`,
  );
}

/** Turns an engine's complaint about a name that was typed into a complaint about the command line. */
export function asUsage<Value>(check: () => Value): Value {
  try {
    return check();
  } catch (error) {
    throw new UsageError(describeError(error));
  }
}
