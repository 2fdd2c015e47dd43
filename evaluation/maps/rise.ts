import { type Tensor, tensor } from "../../engine/basics/tensor.ts";
import { seededRandom } from "../basics/random.ts";

/** Where pixels of an enlarged side lie between the cells of a grid; beyond the first and last cell it goes back as in a mirror. */
interface Places {
  readonly low: Int32Array;
  readonly part: Float64Array;
}

function placesOf(cells: number, length: number): Places {
  const last = cells - 1;
  const low = new Int32Array(length);
  const part = new Float64Array(length);
  for (let i = 0; i < length; i++) {
    const from = Math.abs(((i + 0.5) * cells) / length - 0.5);
    const place = from > last ? Math.max(0, 2 * last - from) : from;
    low[i] = Math.min(Math.max(0, last - 1), Math.floor(place));
    part[i] = place - low[i]!;
  }
  return { low, part };
}

/** A mask: a grid of zeros and ones, enlarged to one cell more a side than the input has and moved by less than a cell. */
function writeMask(
  mask: Float64Array,
  width: number,
  grid: Uint8Array,
  cells: number,
  rows: Places,
  columns: Places,
): void {
  const right = cells > 1 ? 1 : 0;
  const down = cells > 1 ? cells : 0;
  for (let i = 0; i < mask.length; i++) {
    const [y, x] = [Math.floor(i / width), i % width];
    const [py, px] = [rows.part[y]!, columns.part[x]!];
    const at = rows.low[y]! * cells + columns.low[x]!;
    const upper = grid[at]! * (1 - px) + grid[at + right]! * px;
    const lower = grid[at + down]! * (1 - px) + grid[at + down + right]! * px;
    mask[i] = upper * (1 - py) + lower * py;
  }
}

/**
 * RISE: mean score of randomly masked inputs, weighted by the masks: sum of score x mask / (samples x keep). Masks are grids of
 * `cells` x `cells` zeros and ones, enlarged and shifted at random; what is masked becomes 0.
 * Source: Petsiuk et al. 2018, section 3.2 (cells 7, keep 0.5, 4000 masks for VGG-16), and the authors' code (github.com/eclique/RISE),
 * whose masks these are, number for number.
 * @param input [C,H,W]
 * @param score called `samples` times
 * @returns [H,W]
 */
export function riseMap(
  input: Tensor,
  score: (input: Tensor) => number,
  samples = 1000,
  seed = 1,
  cells = 7,
  keep = 0.5,
): Float64Array {
  const [, height = 1, width = 1] = input.shape;
  const random = seededRandom(seed);
  const area = height * width;
  const [cellHeight, cellWidth] = [Math.ceil(height / cells), Math.ceil(width / cells)];
  const [tall, wide] = [placesOf(cells, (cells + 1) * cellHeight), placesOf(cells, (cells + 1) * cellWidth)];
  const shifted = ({ low, part }: Places, by: number): Places => ({ low: low.subarray(by), part: part.subarray(by) });
  const sums = new Float64Array(area);
  const mask = new Float64Array(area);
  const data = new Float32Array(input.data.length);
  for (let sample = 0; sample < samples; sample++) {
    const grid = Uint8Array.from({ length: cells ** 2 }, () => Number(random() < keep));
    const [dy, dx] = [Math.floor(random() * cellHeight), Math.floor(random() * cellWidth)];
    writeMask(mask, width, grid, cells, shifted(tall, dy), shifted(wide, dx));
    for (let i = 0; i < data.length; i++) data[i] = input.data[i]! * mask[i % area]!;
    const value = score(tensor(input.shape, data));
    for (let i = 0; i < area; i++) sums[i]! += value * mask[i]!;
  }
  return sums.map((sum) => sum / (samples * keep));
}
