// Average pooling on NHWC images. Windows are clipped to the image, so padding is never read; four channels at a time.

import { highOf, lowOf, rounded } from "../common/pairs";

/** Windows that count this many positions, 16 x 16, and more are summed in double: a running float32 sum of 128 x 128 is 4e-5 off. */
const sumsInDouble: f32 = 256;

/** Number of positions that a window counts along one axis, PyTorch's rule. */
@inline
function counted(start: i32, kernel: i32, size: i32, padBefore: i32, padAfter: i32, includePad: i32): i32 {
  return includePad ? min(start + kernel, size + padAfter) - max(start, -padBefore) : min(start + kernel, size) - max(start, 0);
}

/**
 * Average pooling.
 *   y[oy,ox,c] = (sum over the window's positions inside the image of x) / divisor
 * divisor: positions inside the image, or (includePad) inside image and pads; a window that ceil mode lets stick out beyond the
 * pads is clipped there, as in PyTorch. Large windows are summed and divided in double, rounded once.
 * Layout: y, x NHWC with row and pixel strides in elements. y may not alias x. Rows [begin, end) are written.
 * Source: definition.
 */
export function averagePool2dForward(
  y: usize, yRow: i32, yPixel: i32, x: usize, xRow: i32, xPixel: i32,
  inH: i32, inW: i32, outW: i32, channels: i32, kh: i32, kw: i32, strideH: i32, strideW: i32,
  padTop: i32, padLeft: i32, padBottom: i32, padRight: i32, includePad: i32, begin: i32, end: i32
): void {
  for (let oy = begin; oy < end; oy++) {
    const top = oy * strideH - padTop;
    for (let ox = 0; ox < outW; ox++) {
      const left = ox * strideW - padLeft;
      const divisor = <f32>(counted(top, kh, inH, padTop, padBottom, includePad) * counted(left, kw, inW, padLeft, padRight, includePad));
      const out = y + (<usize>(oy * yRow + ox * yPixel) << 2);
      const y0 = max(top, 0), y1 = min(top + kh, inH), x0 = max(left, 0), x1 = min(left + kw, inW);
      let c = 0;
      if (divisor >= sumsInDouble) {
        const by = f64x2.splat(<f64>divisor);
        for (; c + 4 <= channels; c += 4) {
          let low = f64x2.splat(0);
          let high = low;
          for (let iy = y0; iy < y1; iy++) {
            for (let ix = x0; ix < x1; ix++) {
              const values = v128.load(x + (<usize>(iy * xRow + ix * xPixel + c) << 2));
              low = f64x2.add(low, lowOf(values));
              high = f64x2.add(high, highOf(values));
            }
          }
          v128.store(out + (<usize>c << 2), rounded(f64x2.div(low, by), f64x2.div(high, by)));
        }
        for (; c < channels; c++) {
          let sum: f64 = 0;
          for (let iy = y0; iy < y1; iy++) {
            for (let ix = x0; ix < x1; ix++) sum += <f64>f32.load(x + (<usize>(iy * xRow + ix * xPixel + c) << 2));
          }
          f32.store(out + (<usize>c << 2), <f32>(sum / <f64>divisor));
        }
      }
      for (; c + 4 <= channels; c += 4) {
        let sum = f32x4.splat(0);
        for (let iy = y0; iy < y1; iy++) {
          for (let ix = x0; ix < x1; ix++) sum = f32x4.add(sum, v128.load(x + (<usize>(iy * xRow + ix * xPixel + c) << 2)));
        }
        v128.store(out + (<usize>c << 2), f32x4.div(sum, f32x4.splat(divisor)));
      }
      for (; c < channels; c++) {
        let sum: f32 = 0;
        for (let iy = y0; iy < y1; iy++) {
          for (let ix = x0; ix < x1; ix++) sum += f32.load(x + (<usize>(iy * xRow + ix * xPixel + c) << 2));
        }
        f32.store(out + (<usize>c << 2), sum / divisor);
      }
    }
  }
}

/**
 * Input gradient of average pooling, added to dx (zero it first).
 *   dx[iy,ix,c] += dy[oy,ox,c] / divisor for every window that holds (iy,ix)
 * Layout and divisor as averagePool2dForward. Channels [begin, end) are written, windows in raster order.
 * Source: adjoint of averagePool2dForward.
 */
export function averagePool2dInputGrad(
  dx: usize, dxRow: i32, dxPixel: i32, dy: usize, dyRow: i32, dyPixel: i32,
  inH: i32, inW: i32, outH: i32, outW: i32, kh: i32, kw: i32, strideH: i32, strideW: i32,
  padTop: i32, padLeft: i32, padBottom: i32, padRight: i32, includePad: i32, begin: i32, end: i32
): void {
  for (let oy = 0; oy < outH; oy++) {
    const top = oy * strideH - padTop;
    for (let ox = 0; ox < outW; ox++) {
      const left = ox * strideW - padLeft;
      const divisor = <f32>(counted(top, kh, inH, padTop, padBottom, includePad) * counted(left, kw, inW, padLeft, padRight, includePad));
      const at = dy + (<usize>(oy * dyRow + ox * dyPixel) << 2);
      const y0 = max(top, 0), y1 = min(top + kh, inH), x0 = max(left, 0), x1 = min(left + kw, inW);
      let c = begin;
      for (; c + 4 <= end; c += 4) {
        const share = f32x4.div(v128.load(at + (<usize>c << 2)), f32x4.splat(divisor));
        for (let iy = y0; iy < y1; iy++) {
          for (let ix = x0; ix < x1; ix++) {
            const to = dx + (<usize>(iy * dxRow + ix * dxPixel + c) << 2);
            v128.store(to, f32x4.add(v128.load(to), share));
          }
        }
      }
      for (; c < end; c++) {
        const share = f32.load(at + (<usize>c << 2)) / divisor;
        for (let iy = y0; iy < y1; iy++) {
          for (let ix = x0; ix < x1; ix++) {
            const to = dx + (<usize>(iy * dxRow + ix * dxPixel + c) << 2);
            f32.store(to, f32.load(to) + share);
          }
        }
      }
    }
  }
}
