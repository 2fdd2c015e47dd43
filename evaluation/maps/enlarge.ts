/**
 * Bilinear enlargement of a small map, sample positions at pixel centres, edge values repeated: PyTorch's
 * `interpolate(mode="bilinear", align_corners=False)`, which is OpenCV's INTER_LINEAR.
 * @returns [toHeight,toWidth]
 */
export function enlargeMap(
  map: Float64Array,
  width: number,
  height: number,
  toWidth: number,
  toHeight: number,
): Float64Array {
  const at = (i: number, from: number, to: number): readonly [low: number, high: number, part: number] => {
    const place = Math.max(0, ((i + 0.5) * from) / to - 0.5);
    const low = Math.min(from - 1, Math.floor(place));
    return [low, Math.min(from - 1, low + 1), place - low];
  };
  return Float64Array.from({ length: toWidth * toHeight }, (_, i) => {
    const [x0, x1, px] = at(i % toWidth, width, toWidth);
    const [y0, y1, py] = at(Math.floor(i / toWidth), height, toHeight);
    const upper = map[y0 * width + x0]! * (1 - px) + map[y0 * width + x1]! * px;
    const lower = map[y1 * width + x0]! * (1 - px) + map[y1 * width + x1]! * px;
    return upper * (1 - py) + lower * py;
  });
}
