/** Takes what a stage writes: named at once by content, visible in the store only when the stage has succeeded. */
import { discard, stageBytes, type Staged } from "./blobs.ts";
import { canonical } from "./hash.ts";
import { checkPath, isOfItem } from "./path.ts";
import { checkWritten } from "./plain.ts";
import type { FileRow } from "./state.ts";
import type { Store } from "./store.ts";

/** Where a stage puts its result. A path can be written once, and none after the stage has returned. */
export interface Writer {
  write(path: string, content: Uint8Array | string): void;
  /** Writes canonical JSON: the same value always gives the same bytes. Refuses what JSON would lose. */
  json(path: string, value: unknown): void;
}

/** A writer and what it has taken. */
export interface Sink {
  readonly writer: Writer;
  readonly files: FileRow[];
  readonly staged: Staged[];
  /** From now on the writer takes nothing: it throws what it is given for what it was asked to take. */
  seal(late: (what: string) => Error): void;
  /** Throws if it is sealed. */
  check(what: string): void;
  discard(): void;
}

/** Makes a writer; `item` restricts its paths to that item's. */
export function openSink(store: Store, { item }: { readonly item: string | null }): Sink {
  const files: FileRow[] = [];
  const staged: Staged[] = [];
  const names = new Set<string>();
  let sealed: ((what: string) => Error) | null = null;
  function check(what: string): void {
    if (sealed !== null) throw sealed(what);
  }
  function write(path: string, content: Uint8Array | string): void {
    check(`wrote "${path}"`);
    checkPath(path);
    checkItem(path, item);
    if (names.has(path)) throw new Error(`"${path}" was written twice`);
    const blob = stageBytes(store, typeof content === "string" ? new TextEncoder().encode(content) : content);
    names.add(path);
    staged.push(blob);
    files.push([path, blob.sha256, blob.size]);
  }
  function json(path: string, value: unknown): void {
    checkWritten(value, `"${path}"`);
    write(path, canonical(value));
  }
  const writer = { write, json };
  const seal = (late: (what: string) => Error) => sealed = late;
  return { writer, files, staged, seal, check, discard: () => discard(staged) };
}

function checkItem(path: string, item: string | null): void {
  if (item !== null && !isOfItem(path, item)) {
    throw new Error(`"${path}" does not belong to item "${item}": write "${item}.…" or "${item}/…"`);
  }
}
