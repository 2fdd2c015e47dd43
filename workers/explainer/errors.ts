import { FormatError, ShapeError, UnsupportedError } from "../../engine/basics/errors.ts";
import type { PostedError } from "./messages.ts";

/** A call was ended by its AbortSignal. Named as the DOM's own. */
export class AbortError extends Error {
  override readonly name = "AbortError";
}

/** More calls wait than the explainer takes: wait for one to end, or drop the photo (a camera's next frame comes anyway). */
export class BusyError extends Error {
  override readonly name = "BusyError";
}

/** The worker ended or could not be started; the next call starts a new one. */
export class WorkerError extends Error {
  override readonly name = "WorkerError";
}

const classes: Readonly<Record<string, new (message: string) => Error>> = {
  AbortError,
  FormatError,
  RangeError,
  ShapeError,
  TypeError,
  UnsupportedError,
};

/** An error as a message; what is no Error becomes one. */
export function postedError(error: unknown): PostedError {
  return error instanceof Error
    ? { name: error.name, message: error.message }
    : { name: "Error", message: String(error) };
}

/** The error that was posted, of the class that was thrown. */
export function receivedError({ name, message }: PostedError): Error {
  const known = classes[name];
  return known === undefined ? new Error(message) : new known(message);
}
