/**
 * Moves the `count` smallest of n values to the front, in no particular order (Hoare's quickselect, median of three).
 * values [n] float32 without NaN, changed in place; 0 <= count <= n.
 */
export function selectSmallest(values: usize, n: i32, count: i32): void {
  let left = 0;
  let right = n - 1;
  const k = count - 1;
  while (left < right && k >= 0) {
    const a = load<f32>(values + ((<usize>left) << 2));
    const b = load<f32>(values + ((<usize>((left + right) >> 1)) << 2));
    const c = load<f32>(values + ((<usize>right) << 2));
    const pivot = max(min(a, b), min(max(a, b), c));
    let i = left;
    let j = right;
    while (i <= j) {
      while (load<f32>(values + ((<usize>i) << 2)) < pivot) i++;
      while (load<f32>(values + ((<usize>j) << 2)) > pivot) j--;
      if (i <= j) {
        const t = load<f32>(values + ((<usize>i) << 2));
        store<f32>(values + ((<usize>i) << 2), load<f32>(values + ((<usize>j) << 2)));
        store<f32>(values + ((<usize>j) << 2), t);
        i++;
        j--;
      }
    }
    if (k <= j) right = j;
    else if (k >= i) left = i;
    else return;
  }
}

// Sums of square roots are kept in fixed point with this many steps per unit: integers add up to the same total in any
// order, so the result does not depend on the order in which neighbours were found. 2^40: steps of 1e-12; room to 8e6.
const fixedPoint: f64 = 1099511627776.0;

/**
 * Mean of the square roots of `count` values, independent of their order; 0 when count is 0.
 * values [count] float32, not negative; the sum of their roots below 8e6.
 */
export function meanRoot(values: usize, count: i32): f64 {
  if (count == 0) return 0;
  let sum: i64 = 0;
  for (let i = 0; i < count; i++) sum += <i64>(sqrt(<f64>load<f32>(values + ((<usize>i) << 2))) * fixedPoint);
  return <f64>sum / (fixedPoint * <f64>count);
}
