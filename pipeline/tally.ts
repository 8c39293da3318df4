/** How far a transfer has come, for those who wait for it. */
import type { Digest } from "./blobs.ts";
import type { Chunks } from "./chunks.ts";

/** So much of so much; `total` is null where the end is not known. */
export interface Progress {
  readonly objects: number;
  readonly bytes: number;
  readonly total: { readonly objects: number; readonly bytes: number } | null;
}

/** What every transfer takes. */
export interface TravelOptions {
  /** The store's folder. Default ".ftim". */
  readonly store?: string;
  /** Abort to stop; what has arrived is kept, and the next transfer goes on from there. */
  readonly signal?: AbortSignal;
  /** Told of every piece that has travelled. */
  readonly progress?: (progress: Progress) => void;
}

/** Counts what travels. */
export interface Tally {
  /** An object's bytes, counted as they pass, and given back if the reader stops before their end. */
  counted(chunks: Chunks): Chunks;
  /** An object is through. */
  done(): void;
}

/** Opens a tally of some blobs, or of an unknown number. */
export function openTally(blobs: readonly Digest[] | null, tell: TravelOptions["progress"] = () => {}): Tally {
  const total = blobs && { objects: blobs.length, bytes: blobs.reduce((sum, { size }) => sum + size, 0) };
  let [objects, bytes] = [0, 0];
  const say = () => tell({ objects, bytes, total });
  return {
    async *counted(chunks) {
      let passed = 0;
      let whole = false;
      try {
        for await (const chunk of chunks) {
          passed += chunk.length;
          bytes += chunk.length;
          say();
          yield chunk;
        }
        whole = true;
      } finally {
        if (!whole) bytes -= passed;
      }
    },
    done() {
      objects++;
      say();
    },
  };
}
