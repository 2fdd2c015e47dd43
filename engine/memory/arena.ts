const pageBytes = 65536;
const maximumPages = 65536;

const wholeLines = (bytes: number): number => Math.ceil(bytes / 64) * 64;

interface Block {
  readonly address: number;
  readonly bytes: number;
}

/** What all arenas over one memory share. */
interface Shared {
  /** First byte that was never handed out, or that was given back with all after it. */
  next: number;
  /** End of the bytes that were given back and may not be zero. */
  dirtyEnd: number;
  /** Memory below `next` that scopes have given back, by address, neighbours merged. */
  free: Block[];
  /** Marks that have not been released; while there are any, memory is taken from the end alone. */
  marks: number[];
}

/**
 * The one allocator over a kernel module's memory: from the end of what is in use, or where a scope gave memory back; 64-byte alignment.
 * Typed-array views die when the memory grows, so views are made on demand and never kept.
 */
export class Arena {
  readonly memory: WebAssembly.Memory;
  readonly #shared: Shared;
  /** What a scope has taken; undefined: this arena gives nothing back. */
  readonly #own: Block[] | undefined;

  /**
   * @param base first usable byte (the module's static data lies below it)
   * @param whole the arena of which this is to be a scope
   */
  constructor(memory: WebAssembly.Memory, base: number, whole?: Arena) {
    this.memory = memory;
    this.#shared = whole ? whole.#shared : { next: base, dirtyEnd: 0, free: [], marks: [] };
    this.#own = whole && [];
  }

  /** Bytes in use, static data included. */
  get usedBytes(): number {
    const { next, free } = this.#shared;
    return free.reduce((used, { bytes }) => used - bytes, next);
  }

  /** An arena over the same memory that remembers what is taken from it, so that `giveBack` can end it all. */
  scope(): Arena {
    return new Arena(this.memory, 0, this);
  }

  /** Gives back all that was taken from this scope, save between a mark and its release. Nothing of it may be used any more. */
  giveBack(): void {
    const shared = this.#shared;
    const blocks = [...shared.free, ...(this.#own?.splice(0) ?? [])].sort((a, b) => a.address - b.address);
    shared.free = [];
    for (const block of blocks) {
      const last = shared.free.at(-1);
      if (last !== undefined && last.address + last.bytes === block.address) {
        shared.free.pop();
        shared.free.push({ address: last.address, bytes: last.bytes + block.bytes });
      } else shared.free.push(block);
    }
    const end = shared.free.at(-1);
    if (end !== undefined && end.address + end.bytes === shared.next && shared.marks.length === 0) {
      shared.free.pop();
      shared.dirtyEnd = Math.max(shared.dirtyEnd, shared.next);
      shared.next = end.address;
    }
  }

  /**
   * Reserves `bytes` zero bytes and returns their address, a multiple of 64.
   * @throws RangeError when 4 GiB of WebAssembly memory are not enough.
   */
  allocate(bytes: number): number {
    const end = this.#shared.next;
    const address = this.reserve(bytes);
    const dirtyEnd = address < end ? address + wholeLines(bytes) : Math.min(this.#shared.dirtyEnd, this.#shared.next);
    if (address < dirtyEnd) this.u8(address, dirtyEnd - address).fill(0);
    return address;
  }

  /** `allocate` without the zeros, for large memory of which every byte is written before it is read. */
  reserve(bytes: number): number {
    const whole = wholeLines(bytes);
    const isKept = this.#shared.marks.length === 0;
    const address = (isKept ? this.#reuse(whole) : undefined) ?? this.#extend(bytes, whole);
    if (isKept && whole > 0) this.#own?.push({ address, bytes: whole });
    return address;
  }

  /** The smallest free block that is large enough, or what it has too much. */
  #reuse(bytes: number): number | undefined {
    const { free } = this.#shared;
    const fitting = free.filter((block) => block.bytes >= bytes && bytes > 0).sort((a, b) => a.bytes - b.bytes)[0];
    if (fitting === undefined) return undefined;
    const { address, bytes: size } = fitting;
    free.splice(free.indexOf(fitting), 1, ...(size > bytes ? [{ address: address + bytes, bytes: size - bytes }] : []));
    return address;
  }

  #extend(bytes: number, whole: number): number {
    const address = this.#shared.next;
    const end = address + whole;
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
    this.#shared.next = end;
    return address;
  }

  /** Everything allocated after this mark can be given back with `release`. */
  mark(): number {
    const { next, marks } = this.#shared;
    marks.push(next);
    return next;
  }

  /** Gives back all that was allocated since `mark`. */
  release(mark: number): void {
    const shared = this.#shared;
    // The last mark of this place, and those above that an error has left.
    shared.marks.length = Math.max(0, shared.marks.lastIndexOf(mark));
    shared.dirtyEnd = Math.max(shared.dirtyEnd, shared.next);
    shared.next = mark;
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
