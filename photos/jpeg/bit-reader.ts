/**
 * Bits of one entropy-coded segment, most significant first (ITU T.81, F.2.2.5). Behind the last byte (a marker, or the end of
 * the file) zeros follow; `isOverrun` tells whether any of them was used.
 *
 * The fields are public because the block decoders' inner loops read them: `bits` holds `count` bits not yet used, the next
 * one highest.
 */
export class BitReader {
  readonly #data: Uint8Array;
  /** Where the next byte is read; never behind the marker that ends the segment. */
  at: number;
  bits = 0;
  count = 0;
  #padding = 0;

  constructor(data: Uint8Array, at: number) {
    this.#data = data;
    this.at = at;
  }

  /** Tops up to at least 25 bits. */
  fill(): void {
    const data = this.#data;
    while (this.count <= 24) {
      let byte = data[this.at];
      if (byte === undefined) {
        byte = 0;
        this.#padding += 8;
      } else if (byte !== 0xff) {
        this.at++;
      } else {
        // As libjpeg reads it: any number of 0xff and a 0 are one data byte 0xff, anything else is a marker.
        let next = this.at + 1;
        while (data[next] === 0xff) next++;
        if (data[next] === 0) {
          this.at = next + 1;
        } else {
          byte = 0;
          this.#padding += 8;
        }
      }
      this.bits = (this.bits << 8) | byte;
      this.count += 8;
    }
  }

  /** The next `length` bits (1 to 16) as a number. */
  read(length: number): number {
    if (this.count < length) this.fill();
    this.count -= length;
    return (this.bits >>> this.count) & ((1 << length) - 1);
  }

  /** A number of `length` bits (1 to 16) with its sign: T.81, figure F.12 (EXTEND). */
  readSigned(length: number): number {
    const value = this.read(length);
    return value < 1 << (length - 1) ? value - (1 << length) + 1 : value;
  }

  /** Whether more bits were used than the segment has. */
  get isOverrun(): boolean {
    return this.count < this.#padding;
  }

  /** Goes to the start of another segment. */
  restart(at: number): void {
    this.at = at;
    this.bits = 0;
    this.count = 0;
    this.#padding = 0;
  }
}
