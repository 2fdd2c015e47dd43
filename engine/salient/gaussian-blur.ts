function blurRows(map: ArrayLike<number>, width: number, kernel: Float64Array): Float64Array {
  const radius = (kernel.length - 1) / 2;
  const out = new Float64Array(map.length);
  const period = 2 * width;
  const source = Int32Array.from({ length: width + 2 * radius }, (_, i) => {
    const at = (((i - radius) % period) + period) % period;
    return at < width ? at : period - 1 - at;
  });
  for (let row = 0; row < map.length; row += width) {
    for (let x = 0; x < width; x++) {
      let sum = 0;
      for (let k = 0; k < kernel.length; k++) sum += kernel[k]! * map[row + source[x + k]!]!;
      out[row + x] = sum;
    }
  }
  return out;
}

function transpose(map: Float64Array, width: number): Float64Array {
  const height = map.length / width;
  return Float64Array.from(map, (_, i) => map[(i % height) * width + Math.floor(i / height)]!);
}

/**
 * A map blurred by a Gaussian of `sigma` pixels, cut at 4 sigma, mirrored at the edges (the edge pixel twice), as
 * `scipy.ndimage.gaussian_filter` does by default.
 * @param map [H,W]
 * @param width W in pixels
 * @param exp the exponential function: the kernels' own where every machine is to give the same bytes
 */
export function gaussianBlur(
  map: ArrayLike<number>,
  width: number,
  sigma: number,
  exp: (x: number) => number,
): Float64Array {
  const radius = Math.floor(4 * sigma + 0.5);
  const raw = Float64Array.from({ length: 2 * radius + 1 }, (_, i) => exp(-0.5 * ((i - radius) / sigma) ** 2));
  const sum = raw.reduce((total, value) => total + value, 0);
  const kernel = raw.map((value) => value / sum);
  return transpose(
    blurRows(transpose(blurRows(map, width, kernel), width), map.length / width, kernel),
    map.length / width,
  );
}
