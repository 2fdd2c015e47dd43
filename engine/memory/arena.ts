const pageBytes = 65536;
const maximumPages = 65536;

/**
 * The one allocator over a kernel module's memory: bump allocation, 64-byte alignment, never freed piecewise.
 * Typed-array views die when the memory grows, so views are made on demand and never kept.
 */
export class Arena {
  readonly memory: WebAssembly.Memory;
  #next: number;
  /** End of the bytes that were given back and may not be zero. */
  #dirtyEnd = 0;

  /** @param base first usable byte (the module's static data lies below it) */
  constructor(memory: WebAssembly.Memory, base: number) {
    this.memory = memory;
    this.#next = base;
  }

  /** Bytes in use, static data included. */
  get usedBytes(): number {
    return this.#next;
  }

  /**
   * Reserves `bytes` zero bytes and returns their address, a multiple of 64.
   * @throws RangeError when 4 GiB of WebAssembly memory are not enough.
   */
  allocate(bytes: number): number {
    const address = this.reserve(bytes);
    if (address < this.#dirtyEnd) this.u8(address, Math.min(this.#dirtyEnd, this.#next) - address).fill(0);
    return address;
  }

  /** `allocate` without the zeros, for large memory of which every byte is written before it is read. */
  reserve(bytes: number): number {
    const address = this.#next;
    const end = address + Math.ceil(bytes / 64) * 64;
    const available = this.memory.buffer.byteLength;
    if (end > available) {
      const pages = Math.ceil((end - available) / pageBytes);
      if (end > maximumPages * pageBytes) throw outOfMemory(bytes, address);
      try {
        this.memory.grow(pages);
      } catch {
        throw outOfMemory(bytes, address);
      }
    }
    this.#next = end;
    return address;
  }

  /** Everything allocated after this mark can be given back with `release`. */
  mark(): number {
    return this.#next;
  }

  /** Gives back all that was allocated since `mark`. */
  release(mark: number): void {
    this.#dirtyEnd = Math.max(this.#dirtyEnd, this.#next);
    this.#next = mark;
  }

  /** View of `length` float32 at `address`; do not keep it across an allocation. */
  f32(address: number, length: number): Float32Array {
    return new Float32Array(this.memory.buffer, address, length);
  }

  /** View of `length` float64 at `address`; do not keep it across an allocation. */
  f64(address: number, length: number): Float64Array {
    return new Float64Array(this.memory.buffer, address, length);
  }

  /** View of `length` int32 at `address`; do not keep it across an allocation. */
  i32(address: number, length: number): Int32Array {
    return new Int32Array(this.memory.buffer, address, length);
  }

  /** View of `length` bytes at `address`; do not keep it across an allocation. */
  u8(address: number, length: number): Uint8Array {
    return new Uint8Array(this.memory.buffer, address, length);
  }
}

function outOfMemory(bytes: number, used: number): RangeError {
  return new RangeError(
    `arena: cannot reserve ${bytes} bytes more, ${used} are in use and WebAssembly memory ends at 4 GiB or at what this machine grants. Use a smaller network or fewer composites at a time.`,
  );
}
