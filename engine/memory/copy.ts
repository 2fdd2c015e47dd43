import * as kernel from "../../kernels-as/kernel-calls.js";
import type { Pixels } from "./feature-map.ts";
import type { Kernels } from "./kernels.ts";

/** Copies `count` float32 values that lie side by side, by one thread: a whole map that a layer hands on as it is. */
export function copyValues(kernels: Pick<Kernels, "split">, to: number, from: number, count: number): void {
  const aside = { rowStride: 0, pixelStride: count };
  kernel.copyChannels(kernels, 1, {
    out: { address: to, ...aside },
    x: { address: from, ...aside },
    width: 1,
    channels: count,
  });
}

/** Copies an image of this size between images of any strides. */
export function copyImage(
  kernels: Pick<Kernels, "split">,
  out: Pixels,
  x: Pixels,
  { height, width, channels }: { readonly height: number; readonly width: number; readonly channels: number },
): void {
  kernel.copyChannels(kernels, height, { out, x, width, channels });
}
