// Salient Relevance in float64, pixel by pixel from the formulas: design notes of the project, after Li et al. 2019 and
// Goferman et al. 2010. Slow on purpose; shares nothing with the engine.

/** A map with its size, row by row. */
export interface Map2d {
  readonly height: number;
  readonly width: number;
  readonly data: readonly number[];
}

export interface OracleSettings {
  readonly feature: "lab" | "gray";
  readonly workSize: number;
  readonly patchSize: number;
  readonly stride: number;
  readonly neighbours: number;
  readonly positionWeight: number;
  readonly scales: readonly number[];
  readonly subScales: readonly number[];
  readonly minimumScale: number;
  readonly fociThreshold: number;
  readonly foci: "scale" | "mean" | "none";
  readonly centrePrior: number;
}

function build(height: number, width: number, value: (y: number, x: number) => number): Map2d {
  const data: number[] = [];
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) data.push(value(y, x));
  return { height, width, data };
}

const at = (map: Map2d, y: number, x: number): number => map.data[y * map.width + x] ?? Number.NaN;

/** Antialiased triangle filter as one sum over the whole image for every output pixel. */
export function resizeOracle(map: Map2d, height: number, width: number): Map2d {
  const axis = (n: number, m: number, i: number): number[] => {
    const s = n / m;
    const u = (i + 0.5) * s - 0.5;
    const w = Array.from({ length: n }, (_, x) => Math.max(0, 1 - Math.abs(x - u) / Math.max(1, s)));
    const total = w.reduce((a, b) => a + b, 0);
    return w.map((v) => v / total);
  };
  const rows = Array.from({ length: height }, (_, y) => axis(map.height, height, y));
  const columns = Array.from({ length: width }, (_, x) => axis(map.width, width, x));
  return build(height, width, (y, x) => {
    let sum = 0;
    rows[y]?.forEach((wy, iy) => {
      if (wy > 0) {
        columns[x]?.forEach((wx, ix) => {
          if (wx > 0) sum += wy * wx * at(map, iy, ix);
        });
      }
    });
    return sum;
  });
}

export function minMaxOracle(map: Map2d): Map2d {
  const low = map.data.reduce((a, b) => Math.min(a, b));
  const high = map.data.reduce((a, b) => Math.max(a, b));
  return { ...map, data: map.data.map((v) => (high > low ? (v - low) / (high - low) : 0)) };
}

/** CIELAB (D65) of one 8-bit sRGB colour. */
export function labOracle(rgb: readonly number[]): [number, number, number] {
  const [r = 0, g = 0, b = 0] = rgb.map((level) => {
    const v = level / 255;
    return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  });
  const f = (t: number): number => (t > 216 / 24389 ? Math.cbrt(t) : ((24389 / 27) * t + 16) / 116);
  const x = f((0.4124564 * r + 0.3575761 * g + 0.1804375 * b) / 0.95047);
  const y = f(0.2126729 * r + 0.7151522 * g + 0.072175 * b);
  const z = f((0.0193339 * r + 0.119192 * g + 0.9503041 * b) / 1.08883);
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}

/** Distance of each pixel to the nearest marked one, over all pairs. */
export function distanceOracle(marked: (y: number, x: number) => boolean, height: number, width: number): Map2d {
  return build(height, width, (y, x) => {
    let best = Number.POSITIVE_INFINITY;
    for (let v = 0; v < height; v++) {
      for (let u = 0; u < width; u++) if (marked(v, u)) best = Math.min(best, Math.hypot(v - y, u - x));
    }
    return best;
  });
}

interface Patch {
  readonly values: readonly number[];
  readonly y: number;
  readonly x: number;
}

/** Patches of one image size with the positions of their centres relative to the larger side. */
function patchesOf(feature: readonly Map2d[], factor: number, set: OracleSettings): Patch[][] {
  const { height: H0 = 0, width: W0 = 0 } = feature[0] ?? {};
  const h = Math.max(set.patchSize, Math.floor(H0 * factor + 0.5));
  const w = Math.max(set.patchSize, Math.floor(W0 * factor + 0.5));
  const images = feature.map((map) => resizeOracle(map, h, w));
  const r = (set.patchSize - 1) / 2;
  const mirror = (i: number, n: number): number => (i < 0 ? -1 - i : i >= n ? 2 * n - 1 - i : i);
  const grid: Patch[][] = [];
  for (let y = 0; y < h; y += set.stride) {
    const row: Patch[] = [];
    for (let x = 0; x < w; x += set.stride) {
      const values: number[] = [];
      for (const image of images) {
        for (let i = -r; i <= r; i++) {
          for (let j = -r; j <= r; j++) values.push(at(image, mirror(y + i, h), mirror(x + j, w)));
        }
      }
      const L = Math.max(H0, W0);
      row.push({ values, y: ((y + 0.5) * H0) / h / L, x: ((x + 0.5) * W0) / w / L });
    }
    grid.push(row);
  }
  return grid;
}

/** The un-normalised saliency of one scale on its query grid, at the queries that are wanted (NaN elsewhere). */
export function gridOracle(
  feature: readonly Map2d[],
  scale: number,
  set: OracleSettings,
  isWanted: (row: number, column: number) => boolean = () => true,
): { grid: Map2d; patches: Patch[][] } {
  const queries = patchesOf(feature, scale, set);
  const others = set.subScales
    .filter((s) => s !== 1 && scale * s >= set.minimumScale - 1e-9)
    .flatMap((s) => patchesOf(feature, scale * s, set).flat());
  const candidates = [...queries.flat(), ...others];
  const grid = build(queries.length, queries[0]?.length ?? 0, (a, b) => {
    const query = queries[a]?.[b];
    if (query === undefined || !isWanted(a, b)) return Number.NaN;
    const distances = candidates
      .filter((candidate) => candidate !== query)
      .map((candidate) => {
        const colour = Math.sqrt(candidate.values.reduce((sum, v, k) => sum + (v - (query.values[k] ?? 0)) ** 2, 0));
        return colour / (1 + set.positionWeight * Math.hypot(candidate.y - query.y, candidate.x - query.x));
      })
      .sort((p, q) => p - q)
      .slice(0, set.neighbours);
    const mean = distances.length === 0 ? 0 : distances.reduce((p, q) => p + q, 0) / distances.length;
    return 1 - Math.exp(-mean);
  });
  return { grid, patches: queries };
}

/** Bilinear interpolation between grid values that lie at the given positions. */
function interpolateOracle(
  grid: Map2d,
  rows: readonly number[],
  columns: readonly number[],
  h: number,
  w: number,
): Map2d {
  const locate = (positions: readonly number[], p: number): [number, number, number] => {
    const last = positions.length - 1;
    if (p <= (positions[0] ?? 0)) return [0, 0, 0];
    if (p >= (positions[last] ?? 0)) return [last, last, 0];
    const next = positions.findIndex((q) => q > p);
    const a = positions[next - 1] ?? 0;
    return [next - 1, next, (p - a) / ((positions[next] ?? 0) - a)];
  };
  return build(h, w, (y, x) => {
    const [y0, y1, ty] = locate(rows, y);
    const [x0, x1, tx] = locate(columns, x);
    const top = (1 - tx) * at(grid, y0, x0) + tx * at(grid, y0, x1);
    return (1 - ty) * top + ty * ((1 - tx) * at(grid, y1, x0) + tx * at(grid, y1, x1));
  });
}

function fociOracle(map: Map2d, threshold: number): Map2d {
  const distance = distanceOracle((y, x) => at(map, y, x) > threshold, map.height, map.width).data;
  const furthest = distance.reduce((a, b) => Math.max(a, b), 0);
  if (furthest === 0 || furthest === Number.POSITIVE_INFINITY) return map;
  return { ...map, data: map.data.map((v, i) => v * (1 - (distance[i] ?? 0) / furthest)) };
}

/** The feature image of a relevance map [channels,height,width], before it is resized. */
export function featureOracle(
  relevance: ArrayLike<number>,
  channels: number,
  height: number,
  width: number,
  feature: "lab" | "gray",
): Map2d[] {
  const magnitude = Array.from(relevance, Math.abs);
  const pixels = height * width;
  if (feature === "gray") {
    const sum = Array.from({ length: pixels }, (_, i) => {
      let s = 0;
      for (let c = 0; c < channels; c++) s += magnitude[c * pixels + i] ?? Number.NaN;
      return s;
    });
    return [minMaxOracle({ height, width, data: sum })];
  }
  const low = magnitude.reduce((a, b) => Math.min(a, b));
  const high = magnitude.reduce((a, b) => Math.max(a, b));
  const level = (c: number, i: number): number => {
    const v = magnitude[(channels === 1 ? 0 : c) * pixels + i] ?? Number.NaN;
    return high > low ? Math.trunc((255 * (v - low)) / (high - low)) : 0;
  };
  const lab = Array.from({ length: pixels }, (_, i) => labOracle([level(0, i), level(1, i), level(2, i)]));
  return [0, 1, 2].map((k) => minMaxOracle({ height, width, data: lab.map((colour) => colour[k] ?? Number.NaN) }));
}

/** The whole step on a feature image. */
export function salientRelevanceOracle(
  feature: readonly Map2d[],
  set: OracleSettings,
): { map: Map2d; workMap: Map2d; meanMap: Map2d; grids: Map2d[] } {
  const { height = 0, width = 0 } = feature[0] ?? {};
  const L = Math.max(height, width);
  const H0 = Math.max(1, Math.floor((height * set.workSize) / L + 0.5));
  const W0 = Math.max(1, Math.floor((width * set.workSize) / L + 0.5));
  const work = feature.map((map) => resizeOracle(map, H0, W0));
  const L0 = Math.max(H0, W0);
  const grids: Map2d[] = [];
  const maps = set.scales.map((scale) => {
    const { grid, patches } = gridOracle(work, scale, set);
    grids.push(grid);
    const rows = patches.map((row) => (row[0]?.y ?? 0) * L0 - 0.5);
    const columns = (patches[0] ?? []).map((patch) => patch.x * L0 - 0.5);
    return minMaxOracle(interpolateOracle(grid, rows, columns, H0, W0));
  });
  const mean = (all: readonly Map2d[]): Map2d =>
    build(H0, W0, (y, x) => all.reduce((sum, map) => sum + at(map, y, x), 0) / all.length);
  const meanMap = mean(maps);
  let workMap = meanMap;
  if (set.foci === "scale") workMap = mean(maps.map((map) => fociOracle(map, set.fociThreshold)));
  if (set.foci === "mean") workMap = fociOracle(meanMap, set.fociThreshold);
  if (set.centrePrior > 0) {
    const gauss = (i: number, n: number): number => Math.exp(-0.5 * ((i - (n - 1) / 2) / (n * set.centrePrior)) ** 2);
    const before = workMap;
    workMap = build(H0, W0, (y, x) => at(before, y, x) * gauss(y, H0) * gauss(x, W0));
  }
  return { map: resizeOracle(workMap, height, width), workMap, meanMap, grids };
}
