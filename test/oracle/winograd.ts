// How large rounding errors of Winograd's algorithm can be: its own sums with every sign made positive, in float64.

/** Interpolation matrices of F(size x size, 3x3), Lavin and Gray 2015, section 4. */
const winogradMatrices = {
  2: {
    inputs: [
      [1, 0, -1, 0],
      [0, 1, 1, 0],
      [0, -1, 1, 0],
      [0, 1, 0, -1],
    ],
    filters: [
      [1, 0, 0],
      [1 / 2, 1 / 2, 1 / 2],
      [1 / 2, -1 / 2, 1 / 2],
      [0, 0, 1],
    ],
    outputs: [
      [1, 1, 1, 0],
      [0, 1, -1, -1],
    ],
  },
  4: {
    inputs: [
      [4, 0, -5, 0, 1, 0],
      [0, -4, -4, 1, 1, 0],
      [0, 4, -4, -1, 1, 0],
      [0, -2, -1, 2, 1, 0],
      [0, 2, -1, -2, 1, 0],
      [0, 4, 0, -5, 0, 1],
    ],
    filters: [
      [1 / 4, 0, 0],
      [-1 / 6, -1 / 6, -1 / 6],
      [-1 / 6, 1 / 6, -1 / 6],
      [1 / 24, 1 / 12, 1 / 6],
      [1 / 24, -1 / 12, 1 / 6],
      [0, 0, 1],
    ],
    outputs: [
      [1, 1, 1, 1, 1, 0],
      [0, 1, -1, 2, -2, 0],
      [0, 1, 1, 4, 4, 0],
      [0, 1, -1, 8, -8, 1],
    ],
  },
} as const;

type Matrix = readonly (readonly number[])[];

/** m t m^T. */
function sandwich(m: Matrix, t: Matrix): number[][] {
  const left = m.map((row) => t[0]!.map((_, j) => row.reduce((sum, v, k) => sum + v * t[k]![j]!, 0)));
  return left.map((row) => m.map((other) => row.reduce((sum, v, k) => sum + v * other[k]!, 0)));
}

const absolute = (m: Matrix): number[][] => m.map((row) => row.map(Math.abs));

/**
 * Magnitudes [outC,outH,outW] of a 3x3 stride-1 convolution of one group: |A^T| [(|G| |g| |G^T|) . (|B^T| |d| |B|)] |A|.
 * @param x [inC,H,W] without padding
 * @param weight [outC,inC,3,3]
 */
export function winogradMagnitude(
  size: 2 | 4,
  x: ArrayLike<number>,
  weight: ArrayLike<number>,
  shape: { inC: number; height: number; width: number; outC: number; pad: number; padAfter?: number },
): Float64Array {
  const { inC, height, width, outC, pad, padAfter = pad } = shape;
  const outH = height + pad + padAfter - 2;
  const outW = width + pad + padAfter - 2;
  const matrices = winogradMatrices[size];
  const [inputs, filters, outputs] = [matrices.inputs, matrices.filters, matrices.outputs].map(absolute) as [
    number[][],
    number[][],
    number[][],
  ];
  const points = size + 2;
  const result = new Float64Array(outC * outH * outW);
  const filterOf = (o: number, c: number): number[][] =>
    sandwich(
      filters,
      [0, 1, 2].map((i) => [0, 1, 2].map((j) => Math.abs(weight[((o * inC + c) * 3 + i) * 3 + j]!))),
    );
  const transformed = Array.from({ length: outC }, (_, o) => Array.from({ length: inC }, (_, c) => filterOf(o, c)));
  for (let ty = 0; ty * size < outH; ty++) {
    for (let tx = 0; tx * size < outW; tx++) {
      const tiles = Array.from({ length: inC }, (_, c) =>
        sandwich(
          inputs,
          Array.from({ length: points }, (_, i) =>
            Array.from({ length: points }, (_, j) => {
              const iy = ty * size + i - pad;
              const ix = tx * size + j - pad;
              return iy < 0 || ix < 0 || iy >= height || ix >= width ? 0 : Math.abs(x[(c * height + iy) * width + ix]!);
            }),
          ),
        ),
      );
      for (let o = 0; o < outC; o++) {
        const sum = tiles[0]!.map((row, i) =>
          row.map((_, j) => tiles.reduce((total, tile, c) => total + tile[i]![j]! * transformed[o]![c]![i]![j]!, 0)),
        );
        sandwich(outputs, sum).forEach((row, i) => {
          row.forEach((v, j) => {
            const [oy, ox] = [ty * size + i, tx * size + j];
            if (oy < outH && ox < outW) result[(o * outH + oy) * outW + ox] = v;
          });
        });
      }
    }
  }
  return result;
}
