// T.81, table D.3: how a binary decision's probability is estimated. In each row: Qe, the next state after the less probable and
// after the more probable symbol, and whether the former exchanges the two symbols.
const rows = [
  ...["5a1d 1 1 1", "2586 14 2", "1114 16 3", "080b 18 4", "03d8 20 5", "01da 23 6", "00e5 25 7", "006f 28 8"],
  ...["0036 30 9", "001a 33 10", "000d 35 11", "0006 9 12", "0003 10 13", "0001 12 13", "5a7f 15 15 1", "3f25 36 16"],
  ...["2cf2 38 17", "207c 39 18", "17b9 40 19", "1182 42 20", "0cef 43 21", "09a1 45 22", "072f 46 23", "055c 48 24"],
  ...["0406 49 25", "0303 51 26", "0240 52 27", "01b1 54 28", "0144 56 29", "00f5 57 30", "00b7 59 31", "008a 60 32"],
  ...["0068 62 33", "004e 63 34", "003b 32 35", "002c 33 9", "5ae1 37 37 1", "484c 64 38", "3a0d 65 39", "2ef1 67 40"],
  ...["261f 68 41", "1f33 69 42", "19a8 70 43", "1518 72 44", "1177 73 45", "0e74 74 46", "0bfb 75 47", "09f8 77 48"],
  ...["0861 78 49", "0706 79 50", "05cd 48 51", "04de 50 52", "040f 50 53", "0363 51 54", "02d4 52 55", "025c 53 56"],
  ...["01f8 54 57", "01a4 55 58", "0160 56 59", "0125 57 60", "00f6 58 61", "00cb 59 62", "00ab 61 63", "008f 61 32"],
  ...["5b12 65 65 1", "4d04 80 66", "412c 81 67", "37d8 82 68", "2fe8 83 69", "293c 84 70", "2379 86 71", "1edf 87 72"],
  ...["1aa9 87 73", "174e 72 74", "1424 72 75", "119c 74 76", "0f6b 74 77", "0d51 75 78", "0bb6 77 79", "0a40 77 48"],
  ...["5832 80 81 1", "4d1c 88 82", "438e 89 83", "3bdd 90 84", "34ee 91 85", "2eae 92 86", "299a 93 87", "2516 86 71"],
  ...[
    "5570 88 89 1",
    "4ca9 95 90",
    "44d9 96 91",
    "3e22 97 92",
    "3824 99 93",
    "32b4 99 94",
    "2e17 93 86",
    "56a8 95 96 1",
  ],
  ...["4f46 101 97", "47e5 102 98", "41cf 103 99", "3c3d 104 100", "375e 99 93", "5231 105 102", "4c0f 106 103"],
  ...["4639 107 104", "415e 103 99", "5627 105 106 1", "50e7 108 107", "4b85 109 103", "5597 110 109", "504f 111 107"],
  ...["5a10 110 111 1", "5522 112 109", "59eb 112 111 1"],
  // A state of its own for decisions that are never estimated: one half, as near as Qe comes to it.
  "5a1d 113 113",
].map((row) => row.split(" "));

const qe = Uint16Array.from(rows, ([value]) => Number.parseInt(value!, 16));
const afterLps = Uint8Array.from(rows, ([, next]) => Number(next));
const afterMps = Uint8Array.from(rows, ([, , next]) => Number(next));
const exchanges = Uint8Array.from(rows, ([, , , flag]) => Number(flag === "1"));

/** A bin in the state that never changes. */
export const evenOdds: number = 113 << 1;

/** Decodes binary decisions (T.81, annex D.2). A bin is a byte: state << 1 | the more probable symbol. */
export class ArithmeticReader {
  readonly #data: Uint8Array;
  /** Where the next byte is read; never behind the marker that ends the segment. */
  at = 0;
  /** Size of the interval, and where in it the code points: 16 bits and 16 more that are to come. */
  #interval = 0;
  #code = 0;
  #shifts = 0;
  /** Whether the file ended before the segment did. Behind a marker zeros follow, as the standard has it. */
  isOverrun = false;

  constructor(data: Uint8Array, at: number) {
    this.#data = data;
    this.restart(at);
  }

  /** Goes to the start of another segment. */
  restart(at: number): void {
    this.at = at;
    this.#interval = 0x10000;
    this.#code = 0;
    this.#shifts = 0;
    this.#code = (this.#nextByte() << 24) | (this.#nextByte() << 16);
  }

  #nextByte(): number {
    const byte = this.#data[this.at];
    if (byte === undefined) {
      this.isOverrun = true;
      return 0;
    }
    if (byte !== 0xff) {
      this.at++;
      return byte;
    }
    let next = this.at + 1;
    while (this.#data[next] === 0xff) next++;
    if (this.#data[next] !== 0) return 0;
    this.at = next + 1;
    return 0xff;
  }

  /** The next decision, 0 or 1, by the estimate in `bins[bin]`, which learns from it. */
  decide(bins: Uint8Array, bin: number): number {
    const state = bins[bin]! >> 1;
    const likely = bins[bin]! & 1;
    const unlikelyPart = qe[state]!;
    this.#interval -= unlikelyPart;
    const isAbove = this.#code >>> 16 >= this.#interval;
    // Usually the more probable symbol, without anything to do.
    if (!isAbove && this.#interval >= 0x8000) return likely;
    // Where the "less probable" part is the larger one, the two change places.
    const isLikely = isAbove === this.#interval < unlikelyPart;
    if (isAbove) {
      this.#code -= this.#interval << 16;
      this.#interval = unlikelyPart;
    }
    bins[bin] = isLikely ? (afterMps[state]! << 1) | likely : (afterLps[state]! << 1) | (likely ^ exchanges[state]!);
    do {
      if (this.#shifts === 0) {
        this.#code |= this.#nextByte() << 8;
        this.#shifts = 8;
      }
      this.#interval <<= 1;
      this.#code <<= 1;
      this.#shifts--;
    } while (this.#interval < 0x8000);
    return isLikely ? likely : 1 - likely;
  }
}
