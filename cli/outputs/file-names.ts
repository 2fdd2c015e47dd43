/**
 * Names of files or folders for texts that people typed or networks contain, safe on every disk: letters, digits, dot, dash and
 * underscore stay, everything else becomes a dash. Where two would share a name the later ones are numbered.
 */
export function fileNames(texts: readonly string[]): string[] {
  const taken = new Set<string>();
  return texts.map((text) => {
    const plain = text
      .replace(/[^\p{L}\p{N}._-]+/gu, "-")
      .replace(/^[-.]+|[-.]+$/g, "")
      .slice(0, 100);
    const name = plain || "unnamed";
    let unique = name;
    // Compared without case: on many disks "A" and "a" are one file.
    for (let n = 2; taken.has(unique.toLowerCase()); n++) unique = `${name}-${n}`;
    taken.add(unique.toLowerCase());
    return unique;
  });
}
