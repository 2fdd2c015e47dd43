/** Whether bytes begin with a text of one-byte characters. "?" stands for any byte. */
export function startsWith(bytes: Uint8Array, pattern: string): boolean {
  if (bytes.length < pattern.length) return false;
  for (let i = 0; i < pattern.length; i++) {
    if (pattern[i] !== "?" && pattern.charCodeAt(i) !== bytes[i]) return false;
  }
  return true;
}

/** Bytes as text where only ASCII is looked for: every other byte becomes some character. */
export function asciiText(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += 4096) text += String.fromCharCode(...bytes.subarray(at, at + 4096));
  return text;
}
