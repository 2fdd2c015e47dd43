import { type KernelArgumentNames, kernelArguments } from "../../kernels-as/kernel-arguments.js";
import type { Window } from "../graph/window.ts";
import type { FeatureMap } from "./feature-map.ts";
import type { KernelArgument, KernelExports } from "./kernels.ts";

/** A kernel with so many parameters that they are given by name. */
export type NamedKernel = keyof KernelArgumentNames & keyof KernelExports;

/** Every argument of a kernel by its name, without the range `begin, end` of those that `split` divides. */
export type Named<K extends NamedKernel, A = KernelArgument> = { readonly [N in KernelArgumentNames[K]]: A };

/** What is in one of several objects is in all of them together. */
type Together<U> = (U extends unknown ? (each: U) => void : never) extends (all: infer I) => void ? I : never;

/** Objects that together have every argument of a kernel. */
type Parts<K extends NamedKernel, P extends readonly object[], A = KernelArgument> = P &
  (Together<P[number]> extends Named<K, A> ? unknown : never);

const places = new Map<NamedKernel, ReadonlyMap<string, number>>();

/** The position of each argument, by its name. */
function placesOf(kernel: NamedKernel): ReadonlyMap<string, number> {
  let known = places.get(kernel);
  if (known === undefined) {
    known = new Map(kernelArguments[kernel].split(" ").map((name, index) => [name, index]));
    places.set(kernel, known);
  }
  return known;
}

/**
 * The arguments of `split` for a kernel, in the order that the AssemblyScript compiler wrote down. They come in objects, which are not
 * spread into one: that would take 25 microseconds a call where this takes 1 to 5.
 * @param parts objects that together have every argument by its name; what else they have is left out
 */
export function named<K extends NamedKernel, P extends readonly object[]>(
  kernel: K,
  ...parts: Parts<K, P>
): SplitArguments<K> {
  const index = placesOf(kernel);
  const args = new Array<KernelArgument>(index.size);
  for (const part of parts as readonly Readonly<Record<string, KernelArgument>>[]) {
    for (const name in part) {
      const place = index.get(name);
      if (place !== undefined) args[place] = part[name]!;
    }
  }
  return args as unknown as SplitArguments<K>; // Parts has every name
}

/** What `split` takes after the length. */
type SplitArguments<K extends NamedKernel> =
  Parameters<KernelExports[K]> extends readonly [...infer L, number, number]
    ? { [I in keyof L]: KernelArgument }
    : never[];

/** All arguments of a kernel without a range, which this thread calls by itself. */
export function namedCall<K extends NamedKernel, P extends readonly object[]>(
  kernel: K,
  ...parts: Parts<K, P, number>
): Parameters<KernelExports[K]> {
  return named<K, P>(kernel, ...(parts as never)) as unknown as Parameters<KernelExports[K]>; // it has no others
}

/** All arguments of a kernel with a range, which this thread calls by itself for [0, length). */
export function namedCallOver<K extends NamedKernel, P extends readonly object[]>(
  kernel: K,
  length: number,
  ...parts: Parts<K, P, number>
): Parameters<KernelExports[K]> {
  return [...named<K, P>(kernel, ...(parts as never)), 0, length] as unknown as Parameters<KernelExports[K]>; // and the range
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
  return {
    kh: kernelShape[0],
    kw: kernelShape[1],
    strideH: strides[0],
    strideW: strides[1],
    padTop: pads[0],
    padLeft: pads[1],
    padBottom: pads[2],
    padRight: pads[3],
    dilationH: dilations[0],
    dilationW: dilations[1],
  };
}
