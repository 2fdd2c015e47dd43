import { readTextFile } from "../../host/files/text-file.ts";
import { CommandError, describeError } from "../terminal/errors.ts";

/** The text of a file that an option names. @param what what the file is, for messages @throws CommandError */
export async function readText(path: string, what: string): Promise<string> {
  return readTextFile(path).catch((error: unknown) => {
    throw new CommandError(`${what} ${path}: ${describeError(error)}`);
  });
}

/** The JSON of a file that an option names. @throws CommandError */
export async function readJson(path: string, what: string): Promise<unknown> {
  const text = await readText(path, what);
  try {
    return JSON.parse(text);
  } catch {
    throw new CommandError(`${what} ${path}: it is not JSON.`);
  }
}
