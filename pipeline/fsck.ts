/** Checks that every stored byte and record is what its name says; moves away what is not, so that it is recomputed. */
import { hasBlob, moveAway, quarantine } from "./blobs.ts";
import { sha256 } from "./hash.ts";
import { tryHashMany } from "./hash_many.ts";
import { dropDamaged, finishedNodes, forget, recordedActions, storedBlobs } from "./records.ts";
import { repairLayout } from "./layout.ts";
import { readRunFile, runNames } from "./run_record.ts";
import { type FileRow, openState } from "./state.ts";
import { existingStore, openStore } from "./store.ts";

/** What a check found. */
export interface FsckReport {
  readonly blobs: number;
  readonly bytes: number;
  /** Blobs whose bytes do not match their name; now in `quarantine/`. */
  readonly corrupt: readonly string[];
  /** Blobs that records name and that are not there. */
  readonly missing: readonly string[];
  /** What lay in the store and has no place there; now in `quarantine/`, or beside it what had its place. */
  readonly strays: readonly string[];
  /** Records dropped: what they name is gone, or they are not what their key or checksum says. */
  readonly forgotten: number;
  /** Nothing was wrong. */
  readonly clean: boolean;
}

/**
 * Re-hashes everything in a store, and sets aside a damaged database and what has the place of the store's own files
 * and folders. Safe beside a run.
 */
export async function fsck(
  root = ".ftim",
  { warn = console.error, jobs = navigator.hardwareConcurrency } = {},
): Promise<FsckReport> {
  const path = existingStore(root, { damaged: true });
  const strays = [...repairLayout(path)];
  using store = await openStore(path);
  let warnings = 0;
  using state = openState(store.root, {
    check: true,
    warn(message) {
      warnings++;
      warn(message);
    },
  });
  const sound = new Set<string>();
  const corrupt = new Set<string>();
  let bytes = 0;
  const found = [...storedBlobs(store.root)];
  for (const { path } of found.filter(({ stray }) => stray)) {
    strays.push(path);
    moveAway(store, path);
  }
  const blobs = found.filter(({ stray }) => !stray);
  const hashes = await tryHashMany(blobs, { jobs });
  for (const [index, { sha256: name, size }] of blobs.entries()) {
    const hash = hashes[index];
    bytes += size;
    if (hash?.sha256 === name) sound.add(name);
    // one that a run beside has moved away meanwhile is not in the way
    else if (hash !== null || hasBlob(store, { sha256: name, size })) {
      corrupt.add(name);
      quarantine(store, name);
    }
  }
  const missing = new Set<string>();
  // a run beside may have published since the walk: look again before calling a blob missing
  function lost(files: readonly FileRow[]): boolean {
    const gone = files.filter(([, sha, size]) => !sound.has(sha) && !hasBlob(store, { sha256: sha, size }));
    for (const [, sha] of gone) if (!corrupt.has(sha)) missing.add(sha);
    return gone.length > 0;
  }
  const damaged = dropDamaged(state);
  const runs = runNames(store.root).filter((name) => readRunFile(store.root, name) === null);
  for (const name of runs) moveAway(store, `${store.root}/runs/${name}`);
  const actions: string[] = [];
  for (const { key, preimage, files } of recordedActions(state)) {
    if (sha256(preimage) !== key || lost(files)) actions.push(key);
  }
  const nodes = finishedNodes(state).filter(({ key, preimage, listing }) =>
    sha256(preimage) !== key || listing === null || lost(listing.files)
  ).map(({ key }) => key);
  forget(state, { nodes, actions });
  const forgotten = damaged + runs.length + nodes.length + actions.length;
  return {
    blobs: sound.size + corrupt.size,
    bytes,
    corrupt: [...corrupt],
    missing: [...missing].sort(),
    strays,
    forgotten,
    clean: corrupt.size + strays.length + missing.size + forgotten + warnings === 0,
  };
}
