import { didYouMean } from "../basics/errors.ts";
import { inferno, magma, viridis } from "./colormap-tables.ts";

/** 256 colours for values from 0 to 1 (sequential) or from -1 over 0 to 1 (diverging, neutral colour at index 128). */
export interface Colormap {
  readonly kind: "sequential" | "diverging";
  /** R, G, B of 256 colours: 768 bytes. */
  readonly colors: Uint8Array;
}

/** Name of a built-in colour map. */
export type ColormapName =
  | "gray"
  | "wred"
  | "wblue"
  | "hot"
  | "cold"
  | "viridis"
  | "magma"
  | "inferno"
  | "bwr"
  | "seismic"
  | "coldnhot"
  | "france"
  | "coolio"
  | "coleus";

interface Definition {
  readonly kind: Colormap["kind"];
  /** Colours (index:rrggbb) between which is interpolated, or 256 colours without a gap. */
  readonly colors: string;
}

// Names and colours as in zennit (image.py) and matplotlib. Diverging maps have an anchor at index 128: relevance 0 must have
// exactly the neutral colour, since it is most of every map. "seismic" is matplotlib's; zennit uses the name for another map.
const definitions: Record<ColormapName, Definition> = {
  gray: { kind: "sequential", colors: "0:000000 255:ffffff" },
  wred: { kind: "sequential", colors: "0:ffffff 255:ff0000" },
  wblue: { kind: "sequential", colors: "0:ffffff 255:0000ff" },
  hot: { kind: "sequential", colors: "0:000000 85:ff0000 170:ffff00 255:ffffff" },
  cold: { kind: "sequential", colors: "0:000000 128:0000ff 255:00ffff" },
  viridis: { kind: "sequential", colors: viridis },
  magma: { kind: "sequential", colors: magma },
  inferno: { kind: "sequential", colors: inferno },
  bwr: { kind: "diverging", colors: "0:0000ff 128:ffffff 255:ff0000" },
  seismic: { kind: "diverging", colors: "0:00004c 64:0000ff 128:ffffff 191:ff0000 255:800000" },
  coldnhot: { kind: "diverging", colors: "0:00ffff 64:0000ff 128:000000 170:ff0000 213:ffff00 255:ffffff" },
  france: { kind: "diverging", colors: "0:0055a4 128:ffffff 255:ef4135" },
  coolio: { kind: "diverging", colors: "0:00d0d0 128:d0d0d0 255:d000d0" },
  coleus: { kind: "diverging", colors: "0:00d000 128:d0d0d0 255:d000d0" },
};

/** All built-in colour maps, sequential ones first. */
export const colormapNames: readonly ColormapName[] = Object.keys(definitions).filter(isColormapName);

function isColormapName(name: string): name is ColormapName {
  return Object.hasOwn(definitions, name);
}

function hexBytes(hex: string): number[] {
  return Array.from({ length: hex.length / 2 }, (_, i) => Number.parseInt(hex.slice(i * 2, i * 2 + 2), 16));
}

function fromAnchors(text: string): Uint8Array {
  const anchors = text.split(" ").map((anchor) => {
    const [index = "", hex = ""] = anchor.split(":");
    return { index: Number(index), color: hexBytes(hex) };
  });
  const colors = new Uint8Array(768);
  for (let k = 0; k + 1 < anchors.length; k++) {
    const start = anchors[k]!;
    const end = anchors[k + 1]!;
    for (let i = start.index; i <= end.index; i++) {
      const share = (i - start.index) / (end.index - start.index);
      for (let c = 0; c < 3; c++) {
        colors[i * 3 + c] = Math.floor(start.color[c]! + (end.color[c]! - start.color[c]!) * share + 0.5);
      }
    }
  }
  return colors;
}

/**
 * A built-in colour map by name.
 * @throws RangeError when there is none of that name
 */
export function colormap(name: string): Colormap {
  if (!isColormapName(name)) {
    throw new RangeError(
      `colormap: must be one of ${colormapNames.join(", ")}, got "${name}".${didYouMean(name, colormapNames)}`,
    );
  }
  const { kind, colors } = definitions[name];
  return { kind, colors: colors.includes(":") ? fromAnchors(colors) : Uint8Array.from(hexBytes(colors)) };
}
