// What every test of the search for nearest patches uses (nearest.ts).

/** Larger than every limit that can occur, small enough that limit times weight stays finite. */
export const noLimit: f32 = 1e30;

/** W of a pair. */
export function weight(dy: f32, dx: f32): f32 {
  const w: f32 = sqrt<f32>(dx * dx + dy * dy) + 1;
  return w * w;
}

/** Four W at once, of squared distances; the operations of `weight`, so its bits. */
@inline
export function weightsOf(squared: v128): v128 {
  const w = f32x4.add(f32x4.sqrt(squared), f32x4.splat(1));
  return f32x4.mul(w, w);
}

/** Four W at once. */
@inline
export function weights(dx: v128, dy2: v128): v128 {
  return weightsOf(f32x4.add(f32x4.mul(dx, dx), dy2));
}
