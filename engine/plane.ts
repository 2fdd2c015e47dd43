/** One channel of an image or map in float64, row by row: what the Salient Relevance step computes with between kernels. */
export interface Plane {
  readonly height: number;
  readonly width: number;
  readonly data: Float64Array;
}

/** A plane of zeros. */
export function zeroPlane(height: number, width: number): Plane {
  return { height, width, data: new Float64Array(height * width) };
}

/** (x - min) / (max - min) over the plane; zeros where the plane is constant. */
export function normaliseRange({ height, width, data }: Plane): Plane {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < data.length; i++) {
    const value = data[i]!;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  const range = high > low ? high - low : 1;
  const out = new Float64Array(data.length);
  for (let i = 0; i < data.length; i++) out[i] = (data[i]! - low) / range;
  return { height, width, data: out };
}
