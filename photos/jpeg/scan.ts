import { FormatError } from "../../engine/basics/errors.ts";
import type { BlockDecoder } from "./block-decoder.ts";
import type { JpegComponent, JpegFrame } from "./frame.ts";
import { inverseDct, inverseDctOfMean } from "./idct.ts";
import { nextMarker } from "./markers.ts";
import type { ScanHeader } from "./scan-header.ts";

/** Blocks that a scan goes over. */
export function blocksOfScan({ parts }: ScanHeader, frame: JpegFrame): number {
  if (parts.length === 1) return parts[0]!.component.blockColumns * parts[0]!.component.blockRows;
  return parts.reduce((sum, { component: { h, v } }) => sum + h * v, 0) * frame.mcuColumns * frame.mcuRows;
}

const block = new Int16Array(64);

/** Multiplies a block by its table (in 16 bits, as libjpeg-turbo does) and writes its samples. `coefficients` are zeroed. */
function writeSamples(
  coefficients: Int16Array,
  from: number,
  component: JpegComponent,
  row: number,
  column: number,
): void {
  const { samples, storedColumns, quantization } = component;
  if (quantization === undefined) throw new Error("jpeg: samples before the table");
  const stride = storedColumns * 8;
  const to = row * 8 * stride + column * 8;
  let others = 0;
  for (let i = 0; i < 64; i++) {
    const value = coefficients[from + i]!;
    if (i > 0) others |= value;
    block[i] = value * quantization[i]!;
  }
  if (others === 0) inverseDctOfMean(block[0]!, samples, to, stride);
  else inverseDct(block, samples, to, stride);
}

/** Samples of a progressive component whose scans are all decoded. Gives the coefficients' memory back. */
export function finishComponent(component: JpegComponent): void {
  const { storedColumns, storedRows, coefficients } = component;
  component.samples = new Uint8ClampedArray(storedColumns * storedRows * 64);
  for (let row = 0; row < storedRows; row++) {
    for (let column = 0; column < storedColumns; column++) {
      writeSamples(coefficients, (row * storedColumns + column) * 64, component, row, column);
    }
  }
  component.coefficients = new Int16Array(0);
}

/** What passes, before each unit, the restart marker that is due. */
function restartPasser(bytes: Uint8Array, blocks: BlockDecoder, restartInterval: number): () => void {
  let untilRestart = restartInterval;
  let restarts = 0;
  return () => {
    if (restartInterval === 0) return;
    if (untilRestart === 0) {
      checkData(bytes, blocks);
      const marker = nextMarker(bytes, blocks.at);
      if (bytes[marker] !== 0xd0 + (restarts & 7)) {
        if (marker >= bytes.length) throw truncated();
        throw new FormatError("JPEG: a restart marker is missing or out of order. The file is damaged.");
      }
      restarts++;
      blocks.restart(marker + 1);
      untilRestart = restartInterval;
    }
    untilRestart--;
  };
}

/**
 * Decodes one scan: sequential blocks to samples, progressive ones into the components' coefficients.
 * @param restartInterval units between two restart markers, 0 for none
 * @returns where the next marker is to be looked for
 * @throws FormatError when the data are damaged or end early
 */
export function decodeScan(
  bytes: Uint8Array,
  frame: JpegFrame,
  scan: ScanHeader,
  blocks: BlockDecoder,
  restartInterval: number,
): number {
  const single = new Int16Array(64);
  const { isProgressive } = frame;
  for (const { component } of scan.parts) {
    const size = component.storedColumns * component.storedRows * 64;
    if (isProgressive && component.coefficients.length === 0) component.coefficients = new Int16Array(size);
    if (!isProgressive) component.samples = new Uint8ClampedArray(size);
  }

  function decodeBlock(part: number, component: JpegComponent, row: number, column: number): void {
    if (isProgressive) {
      blocks.decode(part, component.coefficients, (row * component.storedColumns + column) * 64);
      return;
    }
    single.fill(0);
    blocks.decode(part, single, 0);
    writeSamples(single, 0, component, row, column);
  }

  const passRestart = restartPasser(bytes, blocks, restartInterval);
  const [only, ...others] = scan.parts;
  if (only !== undefined && others.length === 0) {
    const { component } = only;
    for (let row = 0; row < component.blockRows; row++) {
      for (let column = 0; column < component.blockColumns; column++) {
        passRestart();
        decodeBlock(0, component, row, column);
      }
      checkData(bytes, blocks);
    }
    return blocks.at;
  }
  for (let mcuRow = 0; mcuRow < frame.mcuRows; mcuRow++) {
    for (let mcuColumn = 0; mcuColumn < frame.mcuColumns; mcuColumn++) {
      passRestart();
      for (const [part, { component }] of scan.parts.entries()) {
        const { h, v } = component;
        for (let y = 0; y < v; y++) {
          for (let x = 0; x < h; x++) decodeBlock(part, component, mcuRow * v + y, mcuColumn * h + x);
        }
      }
    }
    checkData(bytes, blocks);
  }
  return blocks.at;
}

/** The error of a file that ends early. */
export function truncated(): FormatError {
  return new FormatError("JPEG: the file is truncated. Get the photo again.");
}

/** Refuses what was decoded from bits that are not there. */
function checkData(bytes: Uint8Array, blocks: BlockDecoder): void {
  if (!blocks.isOverrun) return;
  if (nextMarker(bytes, blocks.at) >= bytes.length) throw truncated();
  throw new FormatError("JPEG: the pixel data end too early. The file is damaged.");
}
