/**
 * Files that were fetched once, kept under their hash. They are checked again each time that they are read.
 */

import { createHash, randomUUID } from "node:crypto";
import { join } from "node:path";

/** Where verified files and npm's own cache are, relative to the project. */
export const defaultCache = ".ftim/cache";

/** What a file's bytes are checked against, as data.lock has it; null: not known. */
interface Known {
  readonly sha256: string | null;
  readonly size: number | null;
}

/** Whether a packaged file was fetched before. Its bytes are checked when it is read, not here. */
export async function isCached({ sha256, size }: Known): Promise<boolean> {
  if (sha256 === null) return false;
  return await Deno.stat(cachedPath(sha256, defaultCache)).then((found) => found.size === size, () => false);
}

/** Reads a file; null where it is not there, or is not what it must be and is removed. */
export async function readCached(file: Known, cache: string): Promise<Uint8Array<ArrayBuffer> | null> {
  if (file.sha256 === null) return null;
  const path = cachedPath(file.sha256, cache);
  const bytes = await readOrNull(path);
  if (bytes === null || matches(file, bytes)) return bytes;
  await Deno.remove(path).catch(() => {}); // another process may have been faster
  return null;
}

/** Keeps a file that was checked. */
export async function keep({ sha256 }: Known, bytes: Uint8Array, cache: string): Promise<void> {
  if (sha256 === null) return;
  const path = cachedPath(sha256, cache);
  await Deno.mkdir(join(path, ".."), { recursive: true });
  const part = `${path}.${randomUUID()}`;
  await Deno.writeFile(part, bytes);
  await Deno.rename(part, path);
}

/** Whether bytes have the size and the hash that they must have. */
export function matches({ sha256, size }: Known, bytes: Uint8Array): boolean {
  return bytes.length === size && hashOf(bytes) === sha256;
}

/** SHA-256 in hex. */
export function hashOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** The bytes of a file; null where there is none. */
export async function readOrNull(path: string): Promise<Uint8Array<ArrayBuffer> | null> {
  try {
    return await Deno.readFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.IsADirectory) return null;
    throw error;
  }
}

function cachedPath(sha256: string, cache: string): string {
  return join(cache, "assets", sha256.slice(0, 2), sha256);
}
