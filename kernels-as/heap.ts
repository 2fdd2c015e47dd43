/**
 * First byte, aligned to 64, that the module's own static data does not use: the arena starts here.
 * Source: AssemblyScript's __heap_base.
 */
export function heapBase(): usize {
  return (__heap_base + 63) & ~63;
}
