import { FormatError } from "../../engine/basics/errors.ts";
import type { JpegComponent, JpegFrame } from "./frame.ts";

/** A component's part in a scan. */
export interface ScanComponent {
  readonly component: JpegComponent;
  /** Which entropy tables it uses for its first and for its other coefficients. */
  readonly dcTable: number;
  readonly acTable: number;
}

/** A scan header (T.81, B.2.3). */
export interface ScanHeader {
  readonly parts: readonly ScanComponent[];
  /** Coefficients it codes, in zigzag order; 0 to 63 in sequential frames. */
  readonly first: number;
  readonly last: number;
  /** Progressive frames: it adds bit `low` to coefficients known down to bit `high`; `high` 0 begins with all bits from `low` up. */
  readonly high: number;
  readonly low: number;
}

/**
 * Reads and checks a scan header, and notes in the components which bits are known after it.
 * @throws FormatError when the scan is not allowed in this frame or sends what an earlier one has sent: every coefficient's bit
 * comes once, so that the number of scans cannot grow without end
 */
export function readScanHeader(data: Uint8Array, frame: JpegFrame): ScanHeader {
  const count = data[0] ?? 0;
  if (count < 1 || count > 4 || data.length !== 4 + 2 * count) {
    throw new FormatError("JPEG: a scan header has a wrong length. The file is damaged.");
  }
  const parts: ScanComponent[] = [];
  for (let i = 0; i < count; i++) {
    const id = data[1 + 2 * i]!;
    const named = frame.components.filter((candidate) => candidate.id === id);
    if (named.length === 0) {
      throw new FormatError(`JPEG: a scan names component ${id}, which the frame header lacks. The file is damaged.`);
    }
    // Some writers give all components the same number and mean the next one each time (libjpeg, jdmarker.c, get_sos).
    const component = named.find((candidate) => parts.every((part) => part.component !== candidate));
    if (component === undefined) {
      throw new FormatError("JPEG: a scan names a component twice. The file is damaged.");
    }
    const tables = data[2 + 2 * i]!;
    parts.push({ component, dcTable: tables >> 4, acTable: tables & 15 });
  }
  if (count > 1 && parts.reduce((sum, { component: { h, v } }) => sum + h * v, 0) > 10) {
    throw new FormatError(
      "JPEG: a scan has more than 10 blocks in a unit, which the format forbids. The file is damaged.",
    );
  }
  const [first, last, bits] = data.subarray(1 + 2 * count);
  const header = frame.isProgressive
    ? { parts, first: first!, last: last!, high: bits! >> 4, low: bits! & 15 }
    : { parts, first: 0, last: 63, high: 0, low: 0 };
  const { high, low } = header;
  const isDc = header.first === 0;
  if (
    header.last > 63 ||
    header.first > header.last ||
    (frame.isProgressive && (isDc ? header.last !== 0 : count > 1)) ||
    low > 13 ||
    (high !== 0 && high !== low + 1)
  ) {
    throw new FormatError(
      `JPEG: a scan of coefficients ${header.first} to ${header.last}, bits ${high} to ${low}, is not allowed. The file is damaged.`,
    );
  }
  for (const { component } of parts) {
    for (let k = header.first; k <= header.last; k++) {
      const known = component.lowestBits[k]!;
      if (high === 0 ? known !== -1 : known !== high) {
        throw new FormatError(
          `JPEG: a scan sends coefficient ${k} of component ${component.id} again or out of order. The file is damaged.`,
        );
      }
      component.lowestBits[k] = low;
    }
  }
  return header;
}
