// Euclidean distances to marked pixels: kernels of the foci step. Meijster, Roerdink, Hesselink, "A General Algorithm for
// Computing Distance Transforms in Linear Time", 2000: distances along columns, then the lower envelope of parabolas along
// rows, in integers. Marked are pixels above a threshold; planes lie one after another.

/**
 * Distance of each pixel to the nearest marked one of its column, at most height + width.
 *   out[k,y,x] = min(height + width, min over v with planes[k,v,x] > threshold of |v - y|)
 * Layout: out [.,height,width] i32, planes [.,height,width] float64. Columns [begin,end) of all planes are written.
 * Source: Meijster, Roerdink, Hesselink 2000, phase 1.
 */
export function distanceColumns(out: usize, planes: usize, threshold: f64, height: i32, width: i32, begin: i32, end: i32): void {
  const pitch = (<usize>width) << 2;
  for (let n = begin; n < end; n++) {
    const first = <usize>((n / width) * height * width + (n % width));
    const top = out + (first << 2); // out at [k,0,x]
    const stop = top + <usize>height * pitch;
    let p = planes + (first << 3);
    let distance = height + width;
    for (let to = top; to < stop; to += pitch) {
      distance = f64.load(p) > threshold ? 0 : min(height + width, distance + 1);
      i32.store(to, distance);
      p += pitch << 1; // planes at [k,y+1,x]
    }
    for (let to = stop - pitch; to >= top; to -= pitch) {
      distance = min(distance + 1, i32.load(to));
      i32.store(to, distance);
    }
  }
}

/**
 * Distances in the plane from those along columns; Infinity where the whole plane has no mark.
 *   out[n,x] = sqrt(min over v of (x - v)^2 + columns[n,v]^2)
 * Layout: out [rows,width] float64; columns [rows,width], scratch [3,width] i32. Rows [begin,end) of planes of `height` rows are
 * written. height and width <= 16383, so that squares stay exact.
 * Source: Meijster, Roerdink, Hesselink 2000, phase 2.
 */
export function distanceRows(out: usize, scratch: usize, columns: usize, height: i32, width: i32, begin: i32, end: i32): void {
  const none = (height + width) * (height + width);
  const pitch = (<usize>width) << 2;
  // The envelope's parabolas from left to right: column, squared height there, first x where it is the lowest.
  const heightAt = pitch;
  const startAt = pitch << 1;
  for (let n = begin; n < end; n++) {
    const row = columns + <usize>n * pitch;
    let top = scratch - 4; // the last parabola
    for (let u = 0; u < width; u++) {
      const along = i32.load(row + ((<usize>u) << 2));
      const squared = along * along;
      let start = 0;
      while (top >= scratch) {
        const x = i32.load(top + startAt);
        const v = i32.load(top);
        const h = i32.load(top + heightAt);
        if ((x - v) * (x - v) + h <= (x - u) * (x - u) + squared) {
          start = 1 + (u * u - v * v + squared - h) / (2 * (u - v)); // not negative: the division rounds down
          break;
        }
        top -= 4;
      }
      if (start < width) {
        top += 4;
        i32.store(top, u);
        i32.store(top + heightAt, squared);
        i32.store(top + startAt, start);
      }
    }
    const to = out + ((<usize>n * <usize>width) << 3);
    for (let x = width - 1; x >= 0; x--) {
      const d = x - i32.load(top);
      const squared = d * d + i32.load(top + heightAt);
      f64.store(to + ((<usize>x) << 3), squared < none ? sqrt(<f64>squared) : Infinity);
      if (x == i32.load(top + startAt)) top -= 4;
    }
  }
}
