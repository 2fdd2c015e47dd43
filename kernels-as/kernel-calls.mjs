// Writes a function for every kernel with many parameters, which takes them by name: whoever calls it can not mistake their order. What the
// compiler knows as x, xRow, xPixel is one argument x, and the numbers of a window are one argument `window`.

/** Kernels with so many parameters are called with named arguments. */
const namedFrom = 10;

/** Which part of a window a parameter is. */
const windowParts = {
  kh: "kernelShape",
  kw: "kernelShape",
  strideH: "strides",
  strideW: "strides",
  padTop: "pads",
  padLeft: "pads",
  padBottom: "pads",
  padRight: "pads",
  dilationH: "dilations",
  dilationW: "dilations",
};

/**
 * The arguments of one kernel: the type of each, by its name, and the list from which `valuesOf` (below) makes the kernel's parameters:
 * `x` a number, `x.` rows, `x:` pixels, `2strides` the first two numbers of a window's part.
 */
function argumentsOf(names) {
  const types = new Map();
  const list = [];
  for (const name of names) {
    const [, image, stride] = /^(\w+?)(Row|Pixel)$/.exec(name) ?? [];
    const part = windowParts[name];
    if (names.includes(image)) {
      types.set(image, stride === "Pixel" ? "Pixels" : "Rows");
      list[list.length - 1] = stride === "Pixel" ? `${image}:` : `${image}.`;
    } else if (part !== undefined) {
      const before = new RegExp(`^(\\d)${part}$`).exec(list.at(-1));
      if (before) list.pop();
      list.push(`${before ? Number(before[1]) + 1 : 1}${part}`);
    } else {
      types.set(name, name === "scratch" ? "number | PerThread" : "number");
      list.push(name);
    }
  }
  return { types, list };
}

const types = `/** Rows in a kernel's memory: the address of the first element, and elements from one row to the next. */
export interface Rows {
  readonly address: number;
  readonly rowStride: number;
}
/** The same with elements from one pixel to the next. */
export interface Pixels extends Rows {
  readonly pixelStride: number;
}
/** Memory that each thread has for itself. */
export interface PerThread {
  readonly address: number;
  readonly strideBytes: number;
}
/** A window of a convolution or pooling: down and across; pads top, left, bottom, right. */
export interface Window {
  readonly kernelShape: readonly [number, number];
  readonly strides: readonly [number, number];
  readonly pads: readonly [number, number, number, number];
  readonly dilations: readonly [number, number];
}
/** Who divides a kernel's range [0, length). */
export interface Divided {
  split(kernel: never, length: number, ...args: never[]): void;
}
`;

const calls = `function stepsOf(list) {
  return list.split(" ").map((each) => {
    const [, count, name, kind] = /(\\d?)(\\w+)(.?)/.exec(each);
    return [name, count ? Number(count) : kind];
  });
}

function valuesOf(steps, args) {
  const values = [];
  for (const [name, kind] of steps) {
    if (kind === "") values.push(args[name]);
    else if (kind > 0) values.push(...args.window[name].slice(0, kind));
    else {
      const { address, rowStride, pixelStride } = args[name];
      values.push(address, rowStride);
      if (kind === ":") values.push(pixelStride);
    }
  }
  return values;
}

function divided(kernel, list) {
  let steps;
  return (kernels, range, args) => {
    kernels.split(kernel, range, ...valuesOf((steps ??= stepsOf(list)), args));
  };
}

function whole(kernel, list) {
  let steps;
  return (call, args) => call[kernel](...valuesOf((steps ??= stepsOf(list)), args));
}
`;

/**
 * @param declarations what the AssemblyScript compiler wrote
 * @returns the script and its declarations
 */
export function kernelCalls(declarations) {
  let script = calls;
  let declared = types;
  for (const [, kernel, parameters, result] of declarations.matchAll(/export function (\w+)\(([^)]*)\): (\w+);/g)) {
    const all = parameters.split(", ").map((parameter) => parameter.split(":")[0]);
    if (all.length < namedFrom) continue;
    const isDivided = all.slice(-2).join() === "begin,end";
    const { types, list } = argumentsOf(isDivided ? all.slice(0, -2) : all);
    const windowFields = Object.values(windowParts).filter((part) => list.some((each) => each.endsWith(part)));
    if (windowFields.length > 0) {
      const fields = [...new Set(windowFields)].map((field) => JSON.stringify(field)).join(" | ");
      types.set("window", `Pick<Window, ${fields}>`);
    }
    const fields = [...types].map(([name, type]) => `readonly ${name}: ${type}`).join("; ");
    const said = JSON.stringify(list.join(" "));
    script += `export const ${kernel} = /* @__PURE__ */ ${isDivided ? "divided" : "whole"}("${kernel}", ${said});\n`;
    declared += isDivided
      ? `export declare function ${kernel}(kernels: Divided, range: number, args: { ${fields} }): void;\n`
      : `export declare function ${kernel}(call: { ${kernel}(...args: number[]): ${result} }, args: { ${fields} }): ${result};\n`;
  }
  return { script, declared };
}
