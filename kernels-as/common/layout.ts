// Copies between layouts.

/**
 * out[y,x,c] = in[y,x,c]: copies a block of channels of an NHWC image, for concat, splits and borders.
 * Layout: both NHWC with row and pixel strides in elements; out may not alias in. Rows [begin, end) are written.
 * Source: definition.
 */
export function copyChannels(out: usize, outRow: i32, outPixel: i32, x: usize, xRow: i32, xPixel: i32, width: i32, channels: i32, begin: i32, end: i32): void {
  const bytes = <usize>channels << 2;
  for (let r = begin; r < end; r++) {
    let o = out + (<usize>r * <usize>outRow << 2);
    let a = x + (<usize>r * <usize>xRow << 2);
    if (outPixel == channels && xPixel == channels) {
      memory.copy(o, a, <usize>width * bytes);
      continue;
    }
    for (let i = 0; i < width; i++) {
      memory.copy(o, a, bytes);
      o += <usize>outPixel << 2;
      a += <usize>xPixel << 2;
    }
  }
}

/**
 * out[c][y][x] = in[y][x][c]: NHWC (strided) to contiguous channel-first. Channels [begin, end) are written.
 * Source: definition; the order in which PyTorch, Caffe and ONNX flatten.
 */
export function toChannelFirst(out: usize, x: usize, xRow: i32, xPixel: i32, height: i32, width: i32, begin: i32, end: i32): void {
  for (let c = begin; c < end; c++) {
    let o = out + (<usize>(c * height) * <usize>width << 2);
    for (let y = 0; y < height; y++) {
      let a = x + (<usize>y * <usize>xRow + <usize>c << 2);
      for (let i = 0; i < width; i++) {
        f32.store(o, f32.load(a));
        o += 4;
        a += <usize>xPixel << 2;
      }
    }
  }
}

/**
 * out[y][x][c] = in[c][y][x]: contiguous channel-first to NHWC (strided). Channels [begin, end) are written.
 * Source: inverse of toChannelFirst.
 */
export function fromChannelFirst(out: usize, outRow: i32, outPixel: i32, x: usize, height: i32, width: i32, begin: i32, end: i32): void {
  for (let c = begin; c < end; c++) {
    let a = x + (<usize>(c * height) * <usize>width << 2);
    for (let y = 0; y < height; y++) {
      let o = out + (<usize>y * <usize>outRow + <usize>c << 2);
      for (let i = 0; i < width; i++) {
        f32.store(o, f32.load(a));
        a += 4;
        o += <usize>outPixel << 2;
      }
    }
  }
}

/**
 * Writes zeros around an image: `top` rows above, `bottom` below, `left` and `right` pixels beside each row.
 * Layout: x points at pixel (0,0); rows are rowStride elements apart, rowStride = (left + width + right) * channels.
 * Source: definition.
 */
export function clearBorder(x: usize, rowStride: i32, height: i32, width: i32, channels: i32, top: i32, left: i32, bottom: i32, right: i32): void {
  const row = <usize>rowStride << 2;
  const leftBytes = <usize>(left * channels) << 2;
  const start = x - <usize>top * row - leftBytes;
  memory.fill(start, 0, <usize>top * row);
  memory.fill(start + <usize>(top + height) * row, 0, <usize>bottom * row);
  const rightBytes = <usize>(right * channels) << 2;
  const rightAt = x + (<usize>(width * channels) << 2);
  for (let y = 0; y < height; y++) {
    if (leftBytes) memory.fill(x + <usize>y * row - leftBytes, 0, leftBytes);
    if (rightBytes) memory.fill(rightAt + <usize>y * row, 0, rightBytes);
  }
}
