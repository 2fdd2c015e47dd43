/** A local response normalisation of one image [C,H,W], Caffe semantics. */
export interface LrnGeometry {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  readonly size: number;
  readonly alpha: number;
  readonly beta: number;
  readonly bias: number;
  readonly region: "acrossChannels" | "withinChannel";
}

/** Flat indices of the positions whose squares position `index` sums: itself and its neighbours inside the image. */
export function lrnNeighbours(g: LrnGeometry, index: number): number[] {
  const half = (g.size - 1) / 2;
  const area = g.height * g.width;
  const channel = Math.floor(index / area);
  const neighbours: number[] = [];
  if (g.region === "acrossChannels") {
    for (let c = Math.max(0, channel - half); c <= Math.min(g.channels - 1, channel + half); c++) {
      neighbours.push(c * area + (index % area));
    }
    return neighbours;
  }
  const row = Math.floor((index % area) / g.width);
  const column = index % g.width;
  for (let y = Math.max(0, row - half); y <= Math.min(g.height - 1, row + half); y++) {
    for (let x = Math.max(0, column - half); x <= Math.min(g.width - 1, column + half); x++) {
      neighbours.push(channel * area + y * g.width + x);
    }
  }
  return neighbours;
}

/** alpha / n, n = size across channels and size^2 within one (Caffe divides by the full window, also at the border). */
export function lrnScaledAlpha(g: LrnGeometry): number {
  return g.alpha / (g.region === "acrossChannels" ? g.size : g.size * g.size);
}

/** S = bias + alpha / n * sum of x^2 over the neighbours. */
export function lrnDenominator(g: LrnGeometry, x: ArrayLike<number>): Float64Array {
  const scale = lrnScaledAlpha(g);
  return Float64Array.from({ length: g.channels * g.height * g.width }, (_, k) =>
    lrnNeighbours(g, k).reduce((sum, i) => sum + scale * x[i]! * x[i]!, g.bias),
  );
}

/** y = x * S^-beta. */
export function lrn(g: LrnGeometry, x: ArrayLike<number>): Float64Array {
  return lrnDenominator(g, x).map((s, k) => x[k]! * s ** -g.beta);
}

/** dx = J^T dy with J_ki = dy_k/dx_i = [i = k] S_k^-beta - 2 beta alpha/n x_k x_i S_k^(-beta-1) for i in the neighbourhood of k. */
export function lrnInputGrad(g: LrnGeometry, x: ArrayLike<number>, dy: ArrayLike<number>): Float64Array {
  const s = lrnDenominator(g, x);
  const scale = lrnScaledAlpha(g);
  const dx = new Float64Array(s.length);
  for (let k = 0; k < s.length; k++) {
    dx[k]! += s[k]! ** -g.beta * dy[k]!;
    for (const i of lrnNeighbours(g, k)) {
      dx[i]! -= 2 * g.beta * scale * x[k]! * x[i]! * s[k]! ** (-g.beta - 1) * dy[k]!;
    }
  }
  return dx;
}
