/**
 * Weighted sums over rows and columns.
 *   y[oy, ox, c] = sum over i < rowTaps, j < columnTaps of rowWeights[oy, i] * columnWeights[ox, j] * x[rows[oy, i], columns[ox, j], c]
 * Layout: y, x NHWC with row and pixel strides in elements; rows i32 and rowWeights f32 [outH, rowTaps], columns and columnWeights
 * [outW, columnTaps]; a place below 0 is no tap. y may not alias x. Rows [begin, end) are written; sums in float64.
 * Source: interpolation as ONNX Resize defines it, adaptive and one-axis means.
 */
export function resample2dForward(
  y: usize, yRow: i32, yPixel: i32, x: usize, xRow: i32, xPixel: i32, rows: usize, rowWeights: usize,
  columns: usize, columnWeights: usize, rowTaps: i32, columnTaps: i32, outW: i32, channels: i32, begin: i32, end: i32
): void {
  for (let oy = begin; oy < end; oy++) {
    for (let ox = 0; ox < outW; ox++) {
      for (let c = 0; c < channels; c++) {
        let sum: f64 = 0;
        for (let i = 0; i < rowTaps; i++) {
          const iy = i32.load(rows + (<usize>(oy * rowTaps + i) << 2));
          if (iy < 0) continue;
          const wy = <f64>f32.load(rowWeights + (<usize>(oy * rowTaps + i) << 2));
          for (let j = 0; j < columnTaps; j++) {
            const ix = i32.load(columns + (<usize>(ox * columnTaps + j) << 2));
            if (ix < 0) continue;
            const wx = <f64>f32.load(columnWeights + (<usize>(ox * columnTaps + j) << 2));
            sum += wy * wx * <f64>f32.load(x + (<usize>(iy * xRow + ix * xPixel + c) << 2));
          }
        }
        f32.store(y + (<usize>(oy * yRow + ox * yPixel + c) << 2), <f32>sum);
      }
    }
  }
}

/**
 * Input gradient of resample2dForward, added to dx (zero it first).
 *   dx[rows[oy, i], columns[ox, j], c] += rowWeights[oy, i] * columnWeights[ox, j] * dy[oy, ox, c]
 * Layout: as resample2dForward. Channels [begin, end) are done, outputs in raster order.
 * Source: adjoint of resample2dForward.
 */
export function resample2dInputGrad(
  dx: usize, dxRow: i32, dxPixel: i32, dy: usize, dyRow: i32, dyPixel: i32, rows: usize, rowWeights: usize,
  columns: usize, columnWeights: usize, rowTaps: i32, columnTaps: i32, outH: i32, outW: i32, begin: i32, end: i32
): void {
  for (let oy = 0; oy < outH; oy++) {
    for (let ox = 0; ox < outW; ox++) {
      for (let i = 0; i < rowTaps; i++) {
        const iy = i32.load(rows + (<usize>(oy * rowTaps + i) << 2));
        if (iy < 0) continue;
        const wy = f32.load(rowWeights + (<usize>(oy * rowTaps + i) << 2));
        for (let j = 0; j < columnTaps; j++) {
          const ix = i32.load(columns + (<usize>(ox * columnTaps + j) << 2));
          if (ix < 0) continue;
          const weight = wy * f32.load(columnWeights + (<usize>(ox * columnTaps + j) << 2));
          const to = dx + (<usize>(iy * dxRow + ix * dxPixel) << 2);
          const from = dy + (<usize>(oy * dyRow + ox * dyPixel) << 2);
          for (let c = begin; c < end; c++) {
            const at = <usize>c << 2;
            f32.store(to + at, f32.load(to + at) + weight * f32.load(from + at));
          }
        }
      }
    }
  }
}
