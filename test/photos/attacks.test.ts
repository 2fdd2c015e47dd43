import { readFileSync } from "node:fs";
import { join } from "node:path";
import { deflateSync } from "node:zlib";
import * as assert from "uvu/assert";
import { decodeImage } from "../../host/photos/decode.ts";
import { nextMarker, standsAlone } from "../../photos/jpeg/markers.ts";
import { root } from "../support/paths.ts";
import { rng } from "../support/rng.ts";
import { suite } from "../support/suite.ts";

const golden = join(root, "test/golden/images/decode");
const read = (file: string): Uint8Array => Uint8Array.from(readFileSync(join(golden, file)));

function concat(...parts: readonly (Uint8Array | readonly number[])[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

/** A JPEG cut before each of its markers that have a segment: start, segments (scans with their data), end. */
function jpegParts(bytes: Uint8Array): Uint8Array[] {
  const cuts: number[] = [];
  for (let at = 2; ; ) {
    const marker = nextMarker(bytes, at);
    const code = bytes[marker] ?? 0;
    if (code >= 0xd0 && code <= 0xd7) {
      at = marker + 1;
      continue;
    }
    cuts.push(marker - 1);
    if (standsAlone(code)) break;
    at = marker + 1 + (((bytes[marker + 1] ?? 0) << 8) | (bytes[marker + 2] ?? 0));
  }
  return [0, ...cuts].map((from, i) => bytes.slice(from, cuts[i] ?? bytes.length));
}

/** A PNG cut into its signature and chunks. */
function pngParts(bytes: Uint8Array): Uint8Array[] {
  const view = new DataView(bytes.buffer);
  const parts = [bytes.slice(0, 8)];
  for (let at = 8; at < bytes.length; ) {
    const next = at + 12 + view.getUint32(at);
    parts.push(bytes.slice(at, next));
    at = next;
  }
  return parts;
}

/** CPU time of `work` in milliseconds, and the error that it threw. */
function cost(work: () => void): { ms: number; message: string } {
  const start = process.cpuUsage();
  let message = "";
  try {
    work();
  } catch (error) {
    message = `${error}`;
  }
  const { user, system } = process.cpuUsage(start);
  return { ms: (user + system) / 1000, message };
}

// A grey progressive frame of 10,000 x 10,000: 1,562,500 blocks.
const blocks = 1562500;
const soi = [0xff, 0xd8];
const eoi = [0xff, 0xd9];
const dqt = [0xff, 0xdb, 0, 67, 0, ...new Array<number>(64).fill(1)];
const sof = (marker: number, size: number): number[] => [
  ...[0xff, marker, 0, 11, 8, size >> 8, size & 255, size >> 8, size & 255, 1, 1, 0x11, 0],
];
/** A table of one code, the bit 0. */
const dht = (id: number, symbol: number): number[] => [
  0xff,
  0xc4,
  0,
  20,
  id,
  1,
  ...new Array<number>(15).fill(0),
  symbol,
];
const sos = (first: number, last: number, bits: number): number[] => [0xff, 0xda, 0, 8, 1, 1, 0, first, last, bits];

suite("photos under attack", (test) => {
  test("hundreds of scans over 100 megapixels are refused after a bounded number of passes", () => {
    const means = new Uint8Array(Math.ceil(blocks / 8));
    // Runs of 16,384 to 32,767 empty blocks in 15 bits each: 100 bytes for a pass over the picture.
    const emptyRun = concat(dht(0x10, 0xe0));
    const scans: Uint8Array[] = [];
    for (let k = 1; k < 64; k++) {
      for (let bit = 4; bit >= 0; bit--) {
        scans.push(concat(sos(k, k, bit === 4 ? 4 : ((bit + 1) << 4) | bit), new Uint8Array(200)));
      }
    }
    const start = concat(soi, dqt, sof(0xc2, 10000), dht(0, 0), emptyRun, sos(0, 0, 0));
    const file = Buffer.concat([start, means, ...scans, Uint8Array.from(eoi)]);
    const { ms, message } = cost(() => decodeImage(file));
    assert.is(
      message,
      "UnsupportedError: JPEG: the scans of this 10000x10000 picture pass over it more than 16 times, which is refused for pictures of this size. Save it as a common JPEG or as PNG.",
    );
    // Measured 0.5 s; without a bound the 316 scans took 40 s with jpeg-js.
    assert.ok(ms < 8000, `${ms} ms`);
  });

  test("a frame header behind another never has its way", () => {
    const [start, ...rest] = jpegParts(read("baseline444.jpg"));
    const frame = rest.findIndex((part) => part[1] === 0xc0);
    const huge = Uint8Array.from(rest[frame] ?? []);
    huge.set([0xff, 0xff, 0xff, 0xff], 5);
    const message = "FormatError: JPEG: two frame headers in one picture. The file is damaged.";
    const limit =
      "RangeError: JPEG: 65535x65535 are 4290 megapixels, the limit is 100 megapixels. Scale it down first.";
    const parts = [start ?? [], ...rest];
    const behind = [...parts.slice(0, frame + 2), huge, ...parts.slice(frame + 2)];
    const before = [...parts.slice(0, frame + 1), huge, ...parts.slice(frame + 1)];
    const atEnd = [...parts.slice(0, -1), huge, ...parts.slice(-1)];
    const inThumbnail = [...parts.slice(0, 1), [0xff, 0xe1, 0, huge.length + 2], huge, ...parts.slice(1)];
    assert.is(cost(() => decodeImage(concat(...behind))).message, message);
    assert.is(cost(() => decodeImage(concat(...before))).message, limit);
    assert.is(cost(() => decodeImage(concat(...atEnd))).message, message);
    assert.equal(decodeImage(concat(...inThumbnail)), decodeImage(read("baseline444.jpg")), "inside another segment");
  });

  test("a file of a few bytes gets no memory for the pixels it promises", () => {
    const jpeg = concat(soi, dqt, sof(0xc0, 10000), dht(0, 0), dht(0x10, 0), sos(0, 63, 0), new Uint8Array(1000), eoi);
    const before = process.memoryUsage().arrayBuffers;
    const { ms, message } = cost(() => decodeImage(jpeg));
    assert.is(message, "FormatError: JPEG: the file is truncated. Get the photo again.");
    assert.ok(ms < 1000, `${ms} ms`);
    assert.ok(process.memoryUsage().arrayBuffers - before < 10e6);
  });

  test("pixel data that inflate to more than the header's promise are not inflated", () => {
    const [signature, ihdr, ...others] = pngParts(read("rgb8.png"));
    const bomb = deflateSync(new Uint8Array(200e6));
    const chunk = new Uint8Array(bomb.length + 12);
    chunk.set([0x49, 0x44, 0x41, 0x54], 4);
    chunk.set(bomb, 8);
    new DataView(chunk.buffer).setUint32(0, bomb.length);
    new DataView(chunk.buffer).setUint32(chunk.length - 4, crc32(chunk.subarray(4, chunk.length - 4)));
    const { ms, message } = cost(() =>
      decodeImage(concat(signature ?? [], ihdr ?? [], chunk, others[others.length - 1] ?? [])),
    );
    assert.is(
      message,
      "FormatError: PNG: the pixel data are longer than the 37x29 pixels of the header. The file is damaged.",
    );
    assert.ok(ms < 1000, `${ms} ms`);
  });

  test("segments and chunks left out, doubled, moved and changed are decoded or refused in our words, in bounded time", () => {
    const files = [
      "baseline420.jpg",
      "progressive420.jpg",
      "progressive-restart.jpg",
      "ycck420.jpg",
      "fill-bytes.jpg",
      "arithmetic.jpg",
    ];
    const pictures = ["rgb8-interlaced.png", "palette4.png", "greyalpha16.png", "xmp3-compressed.png", "animated.png"];
    const seed = 11;
    const random = rng(seed);
    for (let i = 0; i < 1500; i++) {
      const isJpeg = i % 2 === 0;
      const names = isJpeg ? files : pictures;
      const file = names[random.integer(0, names.length - 1)] ?? "";
      const parts = isJpeg ? jpegParts(read(file)) : pngParts(read(file));
      for (let n = random.integer(1, 3); n > 0; n--) {
        const from = random.integer(1, parts.length - 1);
        const part = parts[from] ?? new Uint8Array(0);
        const kind = random.integer(0, 3);
        if (kind === 0) parts.splice(from, 1);
        else if (kind === 1) parts.splice(random.integer(1, parts.length), 0, part);
        else if (kind === 2) parts.splice(random.integer(1, parts.length - 1), 0, ...parts.splice(from, 1));
        else if (part.length > 0) {
          const changed = part.slice();
          changed[random.integer(0, Math.min(40, changed.length) - 1)] = random.integer(0, 255);
          // A checksum keeps most changes of a PNG from being looked at.
          if (!isJpeg && changed.length >= 12) {
            const end = changed.length - 4;
            new DataView(changed.buffer).setUint32(end, crc32(changed.subarray(4, end)));
          }
          parts[from] = changed;
        }
      }
      const { ms, message } = cost(() => {
        const { width, height, data } = decodeImage(concat(...parts));
        assert.is(data.length, width * height * 4);
      });
      assert.match(message, /^($|FormatError: |UnsupportedError: |RangeError: )/, `${file}, seed ${seed}, ${i}`);
      assert.ok(ms < 2000, `${file}, seed ${seed}, ${i}: ${ms} ms`);
    }
  });
});

/** PNG specification, annex D, bit by bit: shares nothing with the decoder's. */
function crc32(bytes: Uint8Array): number {
  let c = 0xffffffff;
  for (const byte of bytes) {
    c ^= byte;
    for (let k = 0; k < 8; k++) c = (c & 1) === 1 ? (c >>> 1) ^ 0xedb88320 : c >>> 1;
  }
  return ~c >>> 0;
}
