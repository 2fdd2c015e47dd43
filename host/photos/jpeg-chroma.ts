import type { Image } from "../../engine/picture/image.ts";
import type { JpegComponent } from "./jpeg-header.ts";

/**
 * Interpolates subsampled components the way libjpeg does by default ("fancy upsampling": triangle filter, jdsample.c), in
 * place. jpeg-js repeats samples instead, which moves colours at edges by tens of grey levels.
 * libjpeg does so for steps of 2 x 1, 1 x 2 and 2 x 2; other steps it repeats as well.
 * @param image components in the R, G, B places, each sample repeated over its step
 */
export function upsampleChroma(image: Image, components: readonly JpegComponent[]): void {
  const maxH = Math.max(...components.map(({ h }) => h));
  const maxV = Math.max(...components.map(({ v }) => v));
  components.forEach(({ h, v }, channel) => {
    const stepX = maxH / h;
    const stepY = maxV / v;
    if ((stepX !== 1 && stepX !== 2) || (stepY !== 1 && stepY !== 2) || stepX * stepY === 1) return;
    const plane = samplesOf(image, channel, stepX, stepY);
    // Planes of two columns or fewer are repeated where columns are concerned.
    if (stepX === 2 && plane.width <= 2) return;
    for (let y = 0; y < image.height; y++) {
      if (stepX === 1) tallRow(image, plane, channel, y);
      else wideRow(image, plane, channel, y, stepY);
    }
  });
}

interface Plane {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

function samplesOf(image: Image, channel: number, stepX: number, stepY: number): Plane {
  const width = Math.ceil(image.width / stepX);
  const height = Math.ceil(image.height / stepY);
  const data = new Uint8Array(width * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      data[y * width + x] = image.data[(y * stepY * image.width + x * stepX) * 4 + channel]!;
    }
  }
  return { width, height, data };
}

/** The sample rows that output row y lies between, the nearer first; beyond the picture the edge row counts again. */
function neighbours(plane: Plane, y: number): readonly [near: number, far: number] {
  const near = y >> 1;
  const far = y % 2 === 0 ? Math.max(0, near - 1) : Math.min(plane.height - 1, near + 1);
  return [near * plane.width, far * plane.width];
}

/** Step 1 x 2: 3/4 near + 1/4 far, rounding half down in upper rows and half up in lower ones. */
function tallRow(image: Image, plane: Plane, channel: number, y: number): void {
  const [near, far] = neighbours(plane, y);
  const bias = y % 2 === 0 ? 1 : 2;
  let to = y * image.width * 4 + channel;
  for (let x = 0; x < image.width; x++, to += 4) {
    image.data[to] = (3 * plane.data[near + x]! + plane.data[far + x]! + bias) >> 2;
  }
}

/** Steps 2 x 1 and 2 x 2: column sums (one row, or 3 near + 1 far), then 3/4 near + 1/4 far column. */
function wideRow(image: Image, plane: Plane, channel: number, y: number, stepY: number): void {
  const [near, far] = stepY === 2 ? neighbours(plane, y) : [y * plane.width, y * plane.width];
  const shift = stepY === 2 ? 4 : 2;
  // As h2v1_fancy_upsample and h2v2_fancy_upsample alternate their rounding.
  const evenBias = stepY === 2 ? 8 : 1;
  const oddBias = stepY === 2 ? 7 : 2;
  const sum = (x: number): number =>
    stepY === 2 ? 3 * plane.data[near + x]! + plane.data[far + x]! : plane.data[near + x]!;
  const last = plane.width - 1;
  let to = y * image.width * 4 + channel;
  for (let x = 0; x < image.width; x++, to += 4) {
    const column = x >> 1;
    if (x % 2 === 0) {
      const left = column === 0 ? sum(0) : sum(column - 1);
      image.data[to] = (3 * sum(column) + left + evenBias) >> shift;
    } else {
      const right = column === last ? sum(last) : sum(column + 1);
      image.data[to] = (3 * sum(column) + right + oddBias) >> shift;
    }
  }
}
