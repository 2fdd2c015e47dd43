// What the basis of patches is chosen by: kernels of engine/salient/patch-basis.ts.

/**
 * A sample of patches without their mean.
 *   mean[e] = sum over n of patches[places[n],e] / count;  out[n,e] = patches[places[n],e] - mean[e]
 * Layout: out [count,length], mean [length] float64; patches [.,length] float32; places [count] i32. Elements [begin,end) are
 * written.
 * Source: definition.
 */
export function centreSample(out: usize, mean: usize, patches: usize, places: usize, count: i32, length: i32, begin: i32, end: i32): void {
  const placesEnd = places + ((<usize>count) << 2);
  const rowBytes = (<usize>length) << 2;
  for (let e = begin; e < end; e++) {
    const column = patches + ((<usize>e) << 2); // patches at [0,e]
    let sum = 0.0;
    for (let p = places; p < placesEnd; p += 4) {
      sum += <f64>f32.load(column + <usize>i32.load(p) * rowBytes) / <f64>count;
    }
    f64.store(mean + ((<usize>e) << 3), sum);
    let to = out + ((<usize>e) << 3);
    for (let p = places; p < placesEnd; p += 4) {
      f64.store(to, <f64>f32.load(column + <usize>i32.load(p) * rowBytes) - sum);
      to += rowBytes << 1; // out at [n+1,e]
    }
  }
}

/**
 * Sums over patches and pixels of the products of two channels, c <= d.
 *   out[c,d] = out[d,c] = sum over n, e of patches[n,c*area+e] * patches[n,d*area+e]
 * Layout: out [channels,channels], patches [count,length] float64. Of the outputs [begin,end) those with c <= d are computed.
 * Source: definition: the covariance of the channels, but for a factor.
 */
export function channelProducts(out: usize, patches: usize, count: i32, length: i32, channels: i32, area: i32, begin: i32, end: i32): void {
  for (let n = begin; n < end; n++) {
    const c = n / channels;
    const d = n % channels;
    if (d < c) continue;
    let sum = 0.0;
    for (let k = 0; k < count; k++) {
      let p = patches + ((<usize>(k * length + c * area)) << 3);
      let q = patches + ((<usize>(k * length + d * area)) << 3);
      const stop = p + ((<usize>area) << 3);
      while (p < stop) {
        sum += f64.load(p) * f64.load(q);
        p += 8; // patches at [k,c*area+e+1]
        q += 8; // patches at [k,d*area+e+1]
      }
    }
    f64.store(out + ((<usize>(c * channels + d)) << 3), sum);
    f64.store(out + ((<usize>(d * channels + c)) << 3), sum);
  }
}

/** out = a b of matrices [size,size], every sum in order; size odd. */
function product(out: usize, a: usize, b: usize, size: i32): void {
  const last = (<usize>(size - 1)) << 3;
  const pitch = last + 8;
  const aEnd = a + <usize>size * pitch;
  while (a < aEnd) {
    const rowEnd = a + pitch;
    for (let v: usize = 0; v < last; v += 16) {
      let s = f64x2.splat(0);
      let q = b + v;
      for (let p = a; p < rowEnd; p += 8) {
        s = f64x2.add(s, f64x2.mul(v128.load64_splat(p), v128.load(q)));
        q += pitch; // b at [i+1,v]
      }
      v128.store(out + v, s);
    }
    let s = 0.0;
    let q = b + last;
    for (let p = a; p < rowEnd; p += 8) {
      s += f64.load(p) * f64.load(q);
      q += pitch;
    }
    f64.store(out + last, s);
    a += pitch; // a at [u+1,0]
    out += pitch;
  }
}

/**
 * Squared coefficients of patches: a linear map across the channels, a cosine transform in the plane.
 *   out[n,k,u,v] = (sum over i of cosines[u,i] * sum over j of plane[i,j] * transposed[j,v])^2,
 *   plane[i,j] = sum over c of axes[c,k] * patches[n,(c*size+i)*size+j]
 * Layout: out [.,channels,size,size], patches [.,length], axes [channels,channels], cosines and its transpose [size,size],
 * scratch [2,size,size], float64. size odd. Patches [begin,end) are written.
 * Source: definition: the energies by which engine/salient/patch-basis.ts orders its basis.
 */
export function squareCoefficients(
  out: usize, scratch: usize, patches: usize, axes: usize, cosines: usize, transposed: usize, length: i32, channels: i32, size: i32,
  begin: i32, end: i32
): void {
  const planeBytes = (<usize>(size * size)) << 3;
  const rows = scratch + planeBytes;
  const axesEnd = axes + ((<usize>(channels * channels)) << 3);
  const axesPitch = (<usize>channels) << 3;
  let to = out + <usize>(begin * channels) * planeBytes;
  for (let n = begin; n < end; n++) {
    const patch = patches + ((<usize>(n * length)) << 3);
    for (let axis = axes; axis < axes + axesPitch; axis += 8) {
      for (let e: usize = 0; e < planeBytes; e += 8) {
        let sum = 0.0;
        let p = patch + e;
        for (let w = axis; w < axesEnd; w += axesPitch) {
          sum += f64.load(w) * f64.load(p);
          p += planeBytes; // patches at [n,c+1,e]
        }
        f64.store(scratch + e, sum);
      }
      product(rows, scratch, transposed, size);
      product(scratch, cosines, rows, size);
      for (let e: usize = 0; e < planeBytes; e += 8) {
        const coefficient = f64.load(scratch + e);
        f64.store(to + e, coefficient * coefficient);
      }
      to += planeBytes; // out at [n,k+1,0,0]
    }
  }
}
