/**
 * A value that must be there: what the program itself put in place, never what a file or a caller may leave out.
 * @param what the value, for the message
 * @throws Error when it is missing: a fault of this package, not of its input
 */
export function mustHave<Value>(value: Value | undefined, what: string): Value {
  if (value === undefined) throw new Error(`${what}: missing. This is a fault of srmap itself; please report it.`);
  return value;
}
