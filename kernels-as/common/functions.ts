// The host's Math.exp and Math.cbrt may differ in the last bit from machine to machine; these do not.

/**
 * e^x in float64, the same bits on every machine.
 * Source: AssemblyScript's standard library, after musl's exp.c.
 */
export function exp(x: f64): f64 {
  return Math.exp(x);
}

/**
 * Cube root of x in float64, the same bits on every machine.
 * Source: AssemblyScript's standard library, after FreeBSD's s_cbrt.c.
 */
export function cbrt(x: f64): f64 {
  return Math.cbrt(x);
}
