/**
 * True for a path that stays inside the folder it is taken from: relative, without "..", without a drive, an address or a NUL. Both
 * kinds of slash separate, whatever the host.
 */
export function isSafeRelativePath(path: string): boolean {
  if (path === "" || /^[/\\]|^[A-Za-z][\w+.-]*:|\0/.test(path)) return false;
  return !path.split(/[/\\]/).includes("..");
}
