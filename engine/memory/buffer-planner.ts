import { mustHave } from "../basics/must-have.ts";

interface Block {
  offset: number;
  bytes: number;
  isFree: boolean;
}

const align = (bytes: number): number => Math.ceil(bytes / 64) * 64;

/** Plans which buffers share memory: offsets handed out first-fit, given back, merged. Nothing is allocated. */
export class OffsetPlanner {
  readonly #blocks: Block[] = [];
  #end = 0;

  /** Bytes that all buffers need together. */
  get totalBytes(): number {
    return this.#end;
  }

  /** Offset of a buffer of `bytes` bytes. */
  take(bytes: number): number {
    const size = align(bytes);
    const index = this.#blocks.findIndex((block) => block.isFree && block.bytes >= size);
    const block = this.#blocks[index];
    if (block !== undefined) {
      if (block.bytes > size) {
        this.#blocks.splice(index + 1, 0, { offset: block.offset + size, bytes: block.bytes - size, isFree: true });
        block.bytes = size;
      }
      block.isFree = false;
      return block.offset;
    }
    const offset = this.#end;
    this.#blocks.push({ offset, bytes: size, isFree: false });
    this.#end += size;
    return offset;
  }

  /** The buffer at `offset` is not needed any more. */
  give(offset: number): void {
    const index = this.#blocks.findIndex((block) => block.offset === offset);
    const block = mustHave(this.#blocks[index], `buffer at offset ${offset}`);
    block.isFree = true;
    for (const at of [index, index - 1]) {
      const left = this.#blocks[at];
      const right = this.#blocks[at + 1];
      if (left?.isFree && right?.isFree) {
        left.bytes += right.bytes;
        this.#blocks.splice(at + 1, 1);
      }
    }
  }
}
