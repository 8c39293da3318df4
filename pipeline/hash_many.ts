/** Hashes many files on several threads. The order of the results is that of the paths, whoever hashed them. */
import { type FileHash, hashFile, hashFileSync } from "./hash_file.ts";
import { openPause } from "./pause.ts";

/** A file to hash. */
export interface FileToHash {
  readonly path: string;
  /** Bytes, as far as known; only to spread the work. */
  readonly size: number;
}

/** Threads pay from so many bytes or files on: each takes some 50 ms to start. */
const WORTH = { bytes: 128 << 20, files: 4000 };
/** What a thread gets at a time. */
const PORTION = { bytes: 32 << 20, files: 256 };
/** Files up to this size are read synchronously. */
const SMALL = 1 << 20;

/** How to hash. */
interface HashOptions {
  readonly jobs: number;
  /** Stops it. Default: nothing does. */
  readonly signal?: AbortSignal;
}

/** The hashes of some files, on up to `jobs` threads. Throws as `Deno.open` does, and {@link AbortedError}. */
export async function hashMany(
  files: readonly FileToHash[],
  options: HashOptions,
): Promise<readonly FileHash[]> {
  const hashes = await tryHashMany(files, options);
  const whole: FileHash[] = [];
  // a file that could not be read is tried again here, where the error can be thrown whole
  for (const [index, { path }] of files.entries()) whole.push(hashes[index] ?? await hashFile(path));
  return whole;
}

/** As {@link hashMany}, but null for a file that cannot be read. */
export async function tryHashMany(
  files: readonly FileToHash[],
  { jobs, signal = new AbortController().signal }: HashOptions,
): Promise<readonly (FileHash | null)[]> {
  const bytes = files.reduce((sum, { size }) => sum + size, 0);
  const portions = portionsOf(files);
  const threads = Math.min(jobs, portions.length);
  if (threads < 2 || (bytes < WORTH.bytes && files.length < WORTH.files)) return await inline(files, signal);
  const results: (readonly (FileHash | null)[])[] = [];
  const queue = portions.entries();
  async function lane(): Promise<void> {
    const worker = new Worker(new URL("./hash_worker.ts", import.meta.url), { type: "module" });
    try {
      const pause = openPause(signal);
      for (const [index, portion] of queue) {
        await pause();
        results[index] = await ask(worker, portion.map(({ path }) => path));
      }
    } finally {
      worker.terminate();
    }
  }
  await Promise.all(Array.from({ length: threads }, lane));
  return results.flat();
}

async function inline(files: readonly FileToHash[], signal: AbortSignal): Promise<readonly (FileHash | null)[]> {
  const hashes: (FileHash | null)[] = [];
  const pause = openPause(signal);
  for (const { path, size } of files) {
    await pause();
    try {
      hashes.push(size <= SMALL ? hashFileSync(path) : await hashFile(path));
    } catch {
      hashes.push(null);
    }
  }
  return hashes;
}

/** Runs of files, each of about a portion's size. */
function portionsOf(files: readonly FileToHash[]): readonly (readonly FileToHash[])[] {
  const portions: FileToHash[][] = [];
  let [open, bytes]: [FileToHash[], number] = [[], 0];
  for (const file of files) {
    if (open.length === 0) portions.push(open);
    open.push(file);
    bytes += file.size;
    if (bytes >= PORTION.bytes || open.length >= PORTION.files) [open, bytes] = [[], 0];
  }
  return portions;
}

function ask(worker: Worker, paths: readonly string[]): Promise<readonly (FileHash | null)[]> {
  return new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = (event) => {
      event.preventDefault();
      reject(new Error(`a hashing thread failed: ${event.message}`));
    };
    worker.postMessage(paths);
  });
}
