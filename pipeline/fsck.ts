/** Checks that every stored byte and record is what its name says; moves away what is not, so that it is recomputed. */
import { hashFile, sha256 } from "./hash.ts";
import { finishedNodes, forget, recordedActions, storedBlobs, storedDocuments } from "./records.ts";
import { openState } from "./state.ts";
import { openStore, quarantine } from "./store.ts";

/** What a check found. */
export interface FsckReport {
  readonly blobs: number;
  readonly bytes: number;
  /** Blobs whose bytes do not match their name; now in `quarantine/`. */
  readonly corrupt: readonly string[];
  /** Blobs that records name and that are not there. */
  readonly missing: readonly string[];
  /** Files in the store that are no blobs; now in `quarantine/`. */
  readonly strays: readonly string[];
  /** Records dropped, because what they name is gone or they are not what their key says. */
  readonly forgotten: number;
  /** Nothing was wrong. */
  readonly clean: boolean;
}

/** Re-hashes everything in a store. Safe beside a run. */
export async function fsck(root = ".ftim", { warn = console.error } = {}): Promise<FsckReport> {
  using store = await openStore(Deno.realPathSync(root));
  using state = openState(store.root, { warn });
  const sound = new Set<string>();
  const corrupt: string[] = [];
  const strays: string[] = [];
  let bytes = 0;
  for (const { sha256: name, size, path, stray } of storedBlobs(store.root)) {
    bytes += size;
    if (stray) {
      strays.push(path);
      Deno.renameSync(path, `${store.root}/quarantine/${path.split("/").at(-1)}.${Date.now()}`);
    } else if ((await hashFile(path)).sha256 === name) sound.add(name);
    else {
      corrupt.push(name);
      quarantine(store, name);
    }
  }
  const missing = new Set<string>();
  // a run beside may have published since the walk: look again before calling a blob missing
  const there = (sha: string) =>
    sound.has(sha) || (!corrupt.includes(sha) && exists(`${store.root}/store/sha256/${sha.slice(0, 2)}/${sha}`));
  function lost(files: readonly (readonly [string, string, number])[]): boolean {
    const gone = files.map(([, sha]) => sha).filter((sha) => !there(sha));
    for (const sha of gone) if (!corrupt.includes(sha)) missing.add(sha);
    return gone.length > 0;
  }
  const documents = [...storedDocuments(state)].filter(({ digest, text }) => sha256(text) !== digest).map((
    { digest },
  ) => digest);
  const actions = [...recordedActions(state)]
    .filter(({ key, preimage, files }) => sha256(preimage) !== key || lost(files)).map(({ key }) => key);
  const nodes = finishedNodes(state).filter(({ key, preimage, tree, listing }) =>
    sha256(preimage) !== key || listing === null || documents.includes(tree) || lost(listing.files)
  ).map(({ key }) => key);
  forget(state, { nodes, actions, documents });
  const forgotten = nodes.length + actions.length + documents.length;
  const clean = corrupt.length + strays.length + missing.size + forgotten === 0;
  return { blobs: sound.size + corrupt.length, bytes, corrupt, missing: [...missing].sort(), strays, forgotten, clean };
}

function exists(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
