import { type KernelArgumentNames, kernelArguments } from "../../kernels-as/kernel-arguments.js";
import type { Window } from "../graph/window.ts";
import type { FeatureMap } from "./feature-map.ts";
import type { KernelArgument, KernelExports } from "./kernels.ts";

/** A kernel with so many parameters that they are given by name. */
export type NamedKernel = keyof KernelArgumentNames & keyof KernelExports;

/** Every argument of a kernel by its name, without the range `begin, end` of those that `split` divides. */
export type Named<K extends NamedKernel, A = KernelArgument> = { readonly [N in KernelArgumentNames[K]]: A };

const orders = new Map<NamedKernel, readonly string[]>();

/** The arguments of `split` for a kernel, in the order that the AssemblyScript compiler wrote down. */
export function named<K extends NamedKernel>(kernel: K, args: Named<K>): SplitArguments<K> {
  const order = orders.get(kernel) ?? kernelArguments[kernel].split(" ");
  orders.set(kernel, order);
  const byName: Readonly<Record<string, KernelArgument>> = args;
  return order.map((name) => byName[name]) as unknown as SplitArguments<K>; // Named<K> has every name of the order
}

/** What `split` takes after the length. */
type SplitArguments<K extends NamedKernel> =
  Parameters<KernelExports[K]> extends readonly [...infer L, number, number]
    ? { [I in keyof L]: KernelArgument }
    : never[];

/** All arguments of a kernel that this thread calls by itself. @param range begin and end, for the kernels that have them */
export function namedCall<K extends NamedKernel>(
  kernel: K,
  args: Named<K, number>,
  ...range: readonly [] | readonly [begin: number, end: number]
): Parameters<KernelExports[K]> {
  return [...named(kernel, args), ...range] as unknown as Parameters<KernelExports[K]>; // the kernel's order, then its range
}

/** An image in kernel memory as the kernels call it: `x`, `xRow`, `xPixel`. @param at address, if it is not the image's own */
export function imageArgs<N extends string>(
  name: N,
  { address, rowStride, pixelStride }: Pick<FeatureMap, "address" | "rowStride" | "pixelStride">,
  at: number = address,
): { readonly [P in N | `${N}Row` | `${N}Pixel`]: number } {
  const result: Record<string, number> = { [name]: at, [`${name}Row`]: rowStride, [`${name}Pixel`]: pixelStride };
  return result as { readonly [P in N | `${N}Row` | `${N}Pixel`]: number }; // the three names above
}

/** The same for kernels that take whole rows: `x`, `xRow`. */
export function rowArgs<N extends string>(
  name: N,
  { address, rowStride }: Pick<FeatureMap, "address" | "rowStride">,
): { readonly [P in N | `${N}Row`]: number } {
  const result: Record<string, number> = { [name]: address, [`${name}Row`]: rowStride };
  return result as { readonly [P in N | `${N}Row`]: number }; // the two names above
}

type WindowName =
  | "kh"
  | "kw"
  | `stride${"H" | "W"}`
  | `pad${"Top" | "Left" | "Bottom" | "Right"}`
  | `dilation${"H" | "W"}`;

/** A window as the kernels call it; each takes what it has. */
export function windowArgs({ kernelShape, strides, pads, dilations }: Window): {
  readonly [P in WindowName]: number;
} {
  const [[kh, kw], [strideH, strideW], [dilationH, dilationW]] = [kernelShape, strides, dilations];
  const [padTop, padLeft, padBottom, padRight] = pads;
  return { kh, kw, strideH, strideW, padTop, padLeft, padBottom, padRight, dilationH, dilationW };
}
