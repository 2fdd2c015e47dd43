// Separable resampling in float64: kernels of the Salient Relevance step.

/**
 * Weighted sums along both axes of planes c:
 *   out[c,y,x] = sum over k < columnCounts[x] of columnWeights[x,k] * row[c, y, firstColumns[x] + k],
 *   row[c,y,x] = sum over k < rowCounts[y] of rowWeights[y,k] * input[c, firstRows[y] + k, x]
 * Layout: out [.,rows,columns], input [.,height,width], rowWeights [rows,rowTaps], columnWeights [columns,columnTaps] float64;
 * first and count arrays i32; scratch [width] float64. out may not alias input. Rows [begin,end) of all planes are written.
 * Source: definition of a separable filter; weights by engine/salient/resample.ts.
 */
export function resamplePlanes(
  out: usize, scratch: usize, input: usize, firstRows: usize, rowCounts: usize, rowWeights: usize, firstColumns: usize,
  columnCounts: usize, columnWeights: usize, height: i32, width: i32, rows: i32, columns: i32, rowTaps: i32, columnTaps: i32, begin: i32,
  end: i32
): void {
  const pitch = (<usize>width) << 3;
  for (let n = begin; n < end; n++) {
    const y = n % rows;
    const at = (<usize>y) << 2;
    const weights = rowWeights + ((<usize>(y * rowTaps)) << 3);
    const stop = weights + ((<usize>i32.load(rowCounts + at)) << 3);
    const top = input + <usize>((n / rows) * height + i32.load(firstRows + at)) * pitch; // input at [c, firstRows[y], 0]
    const pairs = (<usize>(width & ~1)) << 3;
    for (let x: usize = 0; x < pairs; x += 16) {
      let s = f64x2.splat(0);
      let p = top + x;
      for (let w = weights; w < stop; w += 8) {
        s = f64x2.add(s, f64x2.mul(v128.load64_splat(w), v128.load(p)));
        p += pitch; // input at [c, firstRows[y] + k + 1, x]
      }
      v128.store(scratch + x, s);
    }
    if ((width & 1) != 0) {
      let s = 0.0;
      let p = top + pairs;
      for (let w = weights; w < stop; w += 8) {
        s += f64.load(w) * f64.load(p);
        p += pitch;
      }
      f64.store(scratch + pairs, s);
    }
    let to = out + ((<usize>(n * columns)) << 3);
    let w = columnWeights;
    for (let x = 0; x < columns; x++) {
      const taps = i32.load(columnCounts + ((<usize>x) << 2));
      const row = scratch + ((<usize>i32.load(firstColumns + ((<usize>x) << 2))) << 3);
      let s = 0.0;
      for (let k = 0; k < taps; k++) s += f64.load(w + ((<usize>k) << 3)) * f64.load(row + ((<usize>k) << 3));
      f64.store(to, s);
      to += 8; // out at [c, y, x+1]
      w += (<usize>columnTaps) << 3; // columnWeights at [x+1, 0]
    }
  }
}
