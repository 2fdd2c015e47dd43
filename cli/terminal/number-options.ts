import type { Arguments } from "./arguments.ts";
import { UsageError } from "./errors.ts";

/** The numbers that an option takes, both ends included. */
export interface NumberRange {
  readonly low: number;
  readonly high: number;
}

/** Threads that the kernels take. */
export const threadRange: NumberRange = { low: 1, high: 64 };

/**
 * An option's number.
 * @param otherwise where the option was not given
 * @throws UsageError for anything but a number within the range
 */
export function numberOption(given: Arguments, name: string, { low, high }: NumberRange, otherwise: number): number {
  const text = given.value(name);
  const value = text === undefined ? otherwise : text.trim() === "" ? Number.NaN : Number(text);
  if (value >= low && value <= high) return value;
  throw new UsageError(`--${name} must be a number from ${low} to ${high}, got "${text}".`);
}

/**
 * An option's whole number, in digits alone.
 * @param otherwise where the option was not given
 * @throws UsageError for anything else
 */
export function wholeOption<Otherwise extends number | undefined>(
  given: Arguments,
  name: string,
  { low, high }: NumberRange,
  otherwise: Otherwise,
): number | Otherwise {
  const text = given.value(name);
  if (text === undefined) return otherwise;
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= low && value <= high) return value;
  const range = high === Number.MAX_SAFE_INTEGER ? `from ${low}` : `from ${low} to ${high}`;
  throw new UsageError(`--${name} must be a whole number ${range}, got "${text}".`);
}
