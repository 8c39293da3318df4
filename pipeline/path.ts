/**
 * Which names a file inside a result may have. One rule for whatever writes, picks, takes in or publishes a path, so
 * that nothing gets into the store that could be written outside a folder when it comes out.
 */

/** Why a text is no path of a result's file, or null if it is one: relative, with "/" between names, on any system. */
export function pathFault(path: string): string | null {
  if (path === "") return "is empty";
  if (path.includes("\0")) return "holds a NUL";
  // on a disk all halves become the same character
  if (!path.isWellFormed()) return "holds half of a surrogate pair";
  if (path.includes("\\")) return 'holds a "\\"';
  if (path.startsWith("/")) return "is absolute";
  if (/^[A-Za-z]:/.test(path)) return "begins with a drive";
  for (const name of path.split("/")) {
    if (name === "") return 'has an empty name between two "/", or ends in one';
    if (name === "." || name === "..") return `has "${name}" among its names`;
  }
  return null;
}

/** Throws for a text that is no path of a result's file; `what` says whose it is. */
export function checkPath(path: string, what = "the path"): void {
  const fault = pathFault(path);
  if (fault === null) return;
  throw new Error(
    `${what} ${JSON.stringify(path)} ${fault}: it must be a relative path with "/" between names, such as "a/b.txt"`,
  );
}

/** A path among some that others have as a folder, or null: no disk can hold both. */
export function fileAndFolder(paths: Iterable<string>): string | null {
  const files = new Set(paths);
  for (const path of files) {
    for (let end = path.lastIndexOf("/"); end > 0; end = path.lastIndexOf("/", end - 1)) {
      const folder = path.slice(0, end);
      if (files.has(folder)) return folder;
    }
  }
  return null;
}

/** Whether a path is one of an item's: its key with an ending, or in a folder of its key's name. */
export function isOfItem(path: string, item: string): boolean {
  return path.startsWith(`${item}.`) || path.startsWith(`${item}/`);
}
