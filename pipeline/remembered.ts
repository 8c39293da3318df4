/** Files that shaped a module graph, as they were: by stamp and content. */
import { hashFileSync, sha256 } from "./hash.ts";
import { type Stamp, stampOf } from "./stamp.ts";

/** A file as it was: an absent one has the inode -1. */
export type Remembered = Stamp & { readonly sha256: string };

/** Hash of a file's content; of a folder, whose path ends in "/", that of the names in it. */
export function hashOf(path: string): string {
  if (!path.endsWith("/")) return hashFileSync(path).sha256;
  return sha256([...Deno.readDirSync(path)].map(({ name }) => name).sort().join("\0"));
}

/** Stamp and content of a file; a missing one is remembered as missing (ino -1). */
export function remember(path: string): Remembered {
  const stamp = stampOf(path);
  if (stamp === null) return { dev: 0, ino: -1, size: 0, mtime: 0, ctime: 0, racy: false, sha256: "" };
  return { ...stamp, sha256: hashOf(path) };
}
