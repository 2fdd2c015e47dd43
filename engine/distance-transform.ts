/**
 * Euclidean distance of each pixel to the nearest marked one, exact; Infinity everywhere when none is marked.
 * Meijster, Roerdink, Hesselink, "A General Algorithm for Computing Distance Transforms in Linear Time", 2000: distances
 * along columns, then the lower envelope of parabolas along rows, in integers.
 * @param marked height*width, nonzero where marked
 */
export function distanceTransform(marked: Uint8Array, height: number, width: number): Float64Array {
  const result = new Float64Array(height * width);
  const far = height + width; // beyond every distance along a column, small enough for exact squares
  const column = new Int32Array(height * width);
  let isAnyMarked = false;
  for (let x = 0; x < width; x++) {
    let distance = far;
    for (let y = 0; y < height; y++) {
      distance = marked[y * width + x] !== 0 ? 0 : Math.min(far, distance + 1);
      column[y * width + x] = distance;
      isAnyMarked ||= distance === 0;
    }
    for (let y = height - 2; y >= 0; y--) {
      const below = column[(y + 1) * width + x]! + 1;
      if (below < column[y * width + x]!) column[y * width + x] = below;
    }
  }
  if (!isAnyMarked) {
    return result.fill(Number.POSITIVE_INFINITY);
  }
  const heights = new Int32Array(width); // squared distances along the columns, in this row
  const vertex = new Int32Array(width); // columns of the envelope's parabolas
  const start = new Int32Array(width); // first x where each of them is the lowest
  for (let y = 0; y < height; y++) {
    const from = y * width;
    for (let x = 0; x < width; x++) heights[x] = column[from + x]! * column[from + x]!;
    let top = 0;
    vertex[0] = 0;
    start[0] = 0;
    for (let u = 1; u < width; u++) {
      const squared = heights[u]!;
      while (top >= 0) {
        const x = start[top]!;
        const v = vertex[top]!;
        if ((x - v) * (x - v) + heights[v]! <= (x - u) * (x - u) + squared) break;
        top--;
      }
      if (top < 0) {
        top = 0;
        vertex[0] = u;
        start[0] = 0;
        continue;
      }
      const v = vertex[top]!;
      const meeting = 1 + Math.floor((u * u - v * v + squared - heights[v]!) / (2 * (u - v)));
      if (meeting < width) {
        top++;
        vertex[top] = u;
        start[top] = meeting;
      }
    }
    for (let x = width - 1; x >= 0; x--) {
      const v = vertex[top]!;
      result[from + x] = Math.sqrt((x - v) * (x - v) + heights[v]!);
      if (x === start[top]) top--;
    }
  }
  return result;
}
