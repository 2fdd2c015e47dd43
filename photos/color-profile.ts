/** Whether a profile's name says that values are what our networks were trained on, so that nothing need be said. */
export function isSrgb(name: string): boolean {
  return /sRGB|IEC ?61966-2[.-]1|^c2$/i.test(name);
}

/**
 * What an ICC profile calls itself ("Display P3"), "unnamed" where that cannot be read.
 * Source: ICC.1:2022, 7.3 (tags) and 10.15 (multiLocalizedUnicodeType); ICC.1:2001-04, 6.5.17 (textDescriptionType).
 */
export function iccDescription(profile: Uint8Array): string {
  const view = new DataView(profile.buffer, profile.byteOffset, profile.byteLength);
  const text = (at: number, length: number): string => String.fromCharCode(...profile.subarray(at, at + length));
  const number = (at: number): number => (at + 4 <= profile.length ? view.getUint32(at) : 0);
  // A profile has about 20 tags.
  for (let i = 0; i < Math.min(number(128), 100); i++) {
    const entry = 132 + i * 12;
    if (text(entry, 4) !== "desc") continue;
    const at = number(entry + 4);
    if (text(at, 4) === "desc") return text(at + 12, Math.min(number(at + 8), 200)).split("\0")[0] || "unnamed";
    if (text(at, 4) !== "mluc") return "unnamed";
    const start = at + number(at + 24);
    const units: number[] = [];
    for (let k = 0; k + 1 < Math.min(number(at + 20), 400) && start + k + 2 <= profile.length; k += 2) {
      units.push(view.getUint16(start + k));
    }
    return String.fromCharCode(...units) || "unnamed";
  }
  return "unnamed";
}
