/**
 * A store that several machines share, by content: blobs under `sha256/ab/…`, a stage's records under
 * `nodes/<key>.json`. A folder (a network mount) is one; an S3-compatible server is another (s3.ts). Nothing that
 * comes from there is believed: blobs and records are checked against their names.
 */
import { type Chunks, fileChunks } from "./chunks.ts";
import { BadObjectError, PipelineError } from "./errors.ts";
import { checkOutsideStores, checkPlace } from "./place.ts";

interface Signal {
  /** Aborted when the transfer is to stop. */
  readonly signal: AbortSignal;
}

/** An object to be sent; `read` may be called several times. */
export interface Outgoing extends Signal {
  readonly size: number;
  readonly read: () => Chunks;
}

/** How to take an object in. */
export interface Incoming<T> extends Signal {
  /** Given the bytes; again, from the start, if the connection breaks. */
  readonly take: (chunks: Chunks) => Promise<T>;
}

/** The size of what is there and is no object, such as a folder in its place. */
export const NO_OBJECT = -1;

/** Somewhere to keep objects by name. */
export interface Remote {
  /** For messages: the folder, or "s3://bucket/prefix". */
  readonly place: string;
  /** An object's size in bytes, {@link NO_OBJECT} for what cannot be read, or null where there is nothing. */
  size(name: string, options: Signal): Promise<number | null>;
  /**
   * Null where there is no such object.
   * @throws {BadObjectError} for one that is there and cannot be read; other errors concern the whole place.
   */
  get<T>(name: string, options: Incoming<T>): Promise<T | null>;
  /** Makes an object visible as a whole or not at all, in place of what was there. */
  put(name: string, object: Outgoing): Promise<void>;
}

/** A blob's name in a shared store. */
export function blobName(sha: string): string {
  return `sha256/${sha.slice(0, 2)}/${sha}`;
}

/** The name of a stage's records in a shared store. */
export function recordsName(key: string): string {
  return `nodes/${key}.json`;
}

/** The object that says that a place is a shared store: whoever pushes leaves it. */
export const MARK = "ftim.json";

/**
 * A shared folder.
 * @throws {PipelineError} for an empty name, and for a folder in a store of the engine's own.
 */
export function folderRemote(folder: string): Remote {
  checkPlace(folder, "the shared folder's name");
  checkOutsideStores(folder, "the shared folder");
  const pathOf = (name: string) => `${folder}/${name}`;
  return {
    place: folder,
    async size(name) {
      const found = await look(pathOf(name));
      return typeof found === "string" ? NO_OBJECT : found;
    },
    async get(name, { take, signal }) {
      const found = await look(pathOf(name));
      if (typeof found === "string") throw new BadObjectError(found);
      return found === null ? null : await take(readable(pathOf(name), { size: found, signal }));
    },
    async put(name, { read }) {
      const path = pathOf(name);
      const temporary = `${path}.${crypto.randomUUID()}.tmp`;
      try {
        await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true });
        await write(temporary, read());
        await Deno.rename(temporary, path);
      } catch (error) {
        await Deno.remove(temporary).catch(() => null);
        if (error instanceof PipelineError || !(error instanceof Error)) throw error;
        if (error instanceof Deno.errors.IsADirectory) {
          throw new PipelineError(`${path} is a folder, where an object belongs: remove it, then push again`);
        }
        throw new PipelineError(`${path} cannot be written: ${error.message}`, { cause: error });
      }
    },
  };
}

/** A file's size, null where nothing is, or why it cannot be read. A pipe would never answer: it is not opened. */
async function look(path: string): Promise<number | null | string> {
  try {
    const { isFile, size } = await Deno.stat(path);
    return isFile ? size : `${path} is not a file`;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return null;
    return unreadable(path, error);
  }
}

function unreadable(path: string, error: unknown): string {
  return `${path} cannot be read: ${error instanceof Error ? error.message : error}`;
}

async function* readable(
  path: string,
  { size, signal }: Signal & { readonly size: number },
): AsyncGenerator<Uint8Array> {
  const chunks = fileChunks(path, { size, signal });
  try {
    for (;;) {
      const { done, value } = await chunks.next().catch((error) => {
        if (signal.aborted) throw error;
        throw new BadObjectError(unreadable(path, error));
      });
      if (done) return;
      yield value;
    }
  } finally {
    await chunks.return(undefined);
  }
}

async function write(path: string, chunks: Chunks): Promise<void> {
  using file = await Deno.open(path, { write: true, createNew: true });
  for await (const chunk of chunks) {
    for (let done = 0; done < chunk.length;) done += await file.write(chunk.subarray(done));
  }
}
