/**
 * Where the next marker's code is (behind its 0xff bytes), or the end of the data. Passed over, as libjpeg does: bytes that do
 * not belong to any segment, any number of 0xff before the code, and 0xff 0, which stands for a data byte.
 */
export function nextMarker(bytes: Uint8Array, from: number): number {
  let at = from;
  for (;;) {
    at = bytes.indexOf(0xff, at);
    if (at < 0) return bytes.length;
    while (bytes[at] === 0xff) at++;
    if (bytes[at] !== 0) return at;
  }
}

/** Whether a marker stands alone, without a length and data behind it: TEM, RST0 to RST7, SOI, EOI. */
export function standsAlone(marker: number): boolean {
  return marker === 0x01 || (marker >= 0xd0 && marker <= 0xd9);
}
