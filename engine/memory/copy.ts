import type { Kernels } from "./kernels.ts";
import { named } from "./named.ts";

/** Copies `count` float32 values that lie side by side, by one thread: a whole map that a layer hands on as it is. */
export function copyValues(kernels: Pick<Kernels, "split">, to: number, from: number, count: number): void {
  kernels.split(
    "copyChannels",
    1,
    ...named("copyChannels", {
      out: to,
      outRow: 0,
      outPixel: count,
      x: from,
      xRow: 0,
      xPixel: count,
      width: 1,
      channels: count,
    }),
  );
}
