import { UsageError } from "../terminal/errors.ts";

/** A part of a run: every `count`th photo, from number `index`, 1 to `count`. */
export interface Shard {
  readonly index: number;
  readonly count: number;
}

/**
 * Reads `3/8`.
 * @throws UsageError
 */
export function parseShard(text: string): Shard {
  const [, index, count] = /^(\d+)\/(\d+)$/.exec(text) ?? [];
  const shard = { index: Number(index), count: Number(count) };
  if (!(shard.index >= 1 && shard.index <= shard.count && shard.count <= 1e6)) {
    throw new UsageError(`--shard must be I/N with I from 1 to N, such as 3/8, got "${text}".`);
  }
  return shard;
}

/** True when a photo, by its number from 0 in the whole run, belongs to the shard. Neighbours go to different shards. */
export function isInShard({ index, count }: Shard, photo: number): boolean {
  return photo % count === index - 1;
}

/** Name of a shard's index files: `index-3-of-8`. */
export function shardName({ index, count }: Shard): string {
  return `index-${index}-of-${count}`;
}
