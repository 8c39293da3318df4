/** A worker thread that hashes lists of files: paths in, hashes out; null for a file that cannot be read. */
/// <reference lib="deno.worker" />
import { type FileHash, hashFileInChunks } from "./hash_file.ts";

function tryHash(path: string): FileHash | null {
  try {
    return hashFileInChunks(path);
  } catch {
    return null;
  }
}

self.addEventListener("message", ({ data }: MessageEvent<readonly string[]>) => self.postMessage(data.map(tryHash)));
