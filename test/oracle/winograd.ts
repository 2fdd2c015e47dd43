// How large rounding errors of Winograd's algorithm can be: its own sums with every sign made positive, in float64.

const fourPoints = [
  [1, 0, -1, 0],
  [0, 1, 1, 0],
  [0, -1, 1, 0],
  [0, 1, 0, -1],
];
// Points 0, a, -a, b, -b and infinity.
const [a, b] = [5 / 8, 3 / 2];
const [aa, bb] = [a * a, b * b];
const sixPoints = [
  [aa * bb, 0, -(aa + bb), 0, 1, 0],
  [0, -a * bb, -bb, a, 1, 0],
  [0, a * bb, -bb, -a, 1, 0],
  [0, -b * aa, -aa, b, 1, 0],
  [0, b * aa, -aa, -b, 1, 0],
  [0, aa * bb, 0, -(aa + bb), 0, 1],
];

/** Row of G for a point: its powers over the product of its distances from the other points. */
const filterRow = (point: number, taps: number): number[] => {
  const others = [0, a, -a, b, -b].filter((other) => other !== point);
  const product = others.reduce((value, other) => value * (point - other), 1);
  return Array.from({ length: taps }, (_, power) => point ** power / product);
};
const sixFilters = (taps: number): number[][] => [
  ...[0, a, -a, b, -b].map((point) => filterRow(point, taps)),
  Array.from({ length: taps }, (_, power) => (power === taps - 1 ? 1 : 0)),
];
const sixOutputs = (size: number): number[][] =>
  Array.from({ length: size }, (_, power) => [
    ...[0, a, -a, b, -b].map((point) => point ** power),
    power === size - 1 ? 1 : 0,
  ]);

/** What a tile computes: outputs and filter taps along one axis. */
export interface WinogradTileSize {
  readonly size: 2 | 4;
  readonly taps: 3 | 5;
}

/** Interpolation matrices of F(size x size, taps x taps), Lavin and Gray 2015, section 4. */
function winogradMatrices({ size, taps }: WinogradTileSize): { inputs: Matrix; filters: Matrix; outputs: Matrix } {
  if (size === 2 && taps === 3) {
    return {
      inputs: fourPoints,
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
    };
  }
  return { inputs: sixPoints, filters: sixFilters(taps), outputs: sixOutputs(size) };
}

type Matrix = readonly (readonly number[])[];

/** m t m^T. */
function sandwich(m: Matrix, t: Matrix): number[][] {
  const left = m.map((row) => t[0]!.map((_, j) => row.reduce((sum, v, k) => sum + v * t[k]![j]!, 0)));
  return left.map((row) => m.map((other) => row.reduce((sum, v, k) => sum + v * other[k]!, 0)));
}

const absolute = (m: Matrix): number[][] => m.map((row) => row.map(Math.abs));

/**
 * Magnitudes [outC,outH,outW] of a stride-1 convolution of one group: |A^T| [(|G| |g| |G^T|) . (|B^T| |d| |B|)] |A|.
 * @param x [inC,H,W] without padding
 * @param weight [outC,inC,taps,taps]
 */
export function winogradMagnitude(
  tile: WinogradTileSize,
  x: ArrayLike<number>,
  weight: ArrayLike<number>,
  shape: { inC: number; height: number; width: number; outC: number; pad: number; padAfter?: number },
): Float64Array {
  const { inC, height, width, outC, pad, padAfter = pad } = shape;
  const { size, taps } = tile;
  const outH = height + pad + padAfter - taps + 1;
  const outW = width + pad + padAfter - taps + 1;
  const matrices = winogradMatrices(tile);
  const [inputs, filters, outputs] = [matrices.inputs, matrices.filters, matrices.outputs].map(absolute) as [
    number[][],
    number[][],
    number[][],
  ];
  const points = size + taps - 1;
  const all = Array.from({ length: taps }, (_, i) => i);
  const result = new Float64Array(outC * outH * outW);
  const filterOf = (o: number, c: number): number[][] =>
    sandwich(
      filters,
      all.map((i) => all.map((j) => Math.abs(weight[((o * inC + c) * taps + i) * taps + j]!))),
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
