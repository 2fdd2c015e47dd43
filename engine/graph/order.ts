/**
 * What the roots depend on, and the roots, each behind its own dependencies: depth first, in the order given. Iterative, so that a
 * long chain from a file cannot overflow the stack.
 * @param cycle the error for items that depend on themselves, from the first round to where it closes (without the repetition)
 */
export function dependencyOrder<Item>(
  roots: Iterable<Item>,
  dependencies: (item: Item) => readonly Item[],
  cycle: (path: readonly Item[]) => Error,
): Item[] {
  const sorted: Item[] = [];
  const states = new Map<Item, "open" | "done">();
  const stack: { readonly item: Item; readonly rest: Iterator<Item> }[] = [];
  const enter = (item: Item): void => {
    const state = states.get(item);
    if (state === "done") return;
    if (state === "open") {
      const path = stack.map((entry) => entry.item);
      throw cycle(path.slice(path.indexOf(item)));
    }
    states.set(item, "open");
    stack.push({ item, rest: dependencies(item)[Symbol.iterator]() });
  };
  for (const root of roots) {
    enter(root);
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const next = top.rest.next();
      if (next.done !== true) {
        enter(next.value);
        continue;
      }
      states.set(top.item, "done");
      sorted.push(top.item);
      stack.pop();
    }
  }
  return sorted;
}
