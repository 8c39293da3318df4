/** Sends a run's results to a shared store: blobs before records, only what is not there yet, or not whole. */
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { blobPath, checkBlob, type Digest, readBlob } from "./blobs.ts";
import { type AnyBundle, blobsOf, bundleText, isFinished, parseBundle } from "./bundle.ts";
import { bundlesOfRun, distinct, RECORDS_LIMIT, type Transfer, transferOf } from "./archive.ts";
import { type Chunks, collect, fileChunks, once } from "./chunks.ts";
import { BadObjectError } from "./errors.ts";
import { inLanes, openLanes } from "./lanes.ts";
import { blobName, MARK, recordsName, type Remote } from "./remote.ts";
import { openState } from "./state.ts";
import { existingStore, openStore, type Store } from "./store.ts";
import { openTally, type TravelOptions } from "./tally.ts";

/** Which run (default: the latest), and how closely to look at what is there. */
export interface PushOptions extends TravelOptions {
  readonly run?: string;
  /** Read what is there too, and compare its hash; otherwise its size must do. */
  readonly verify?: boolean;
}

/** What was sent; `replaced` objects and records were there, damaged. */
export interface Push extends Transfer {
  readonly replaced: number;
}

/** Transfers at a time. */
const LANES = 8;

/** Objects up to this size (in bytes) are read at once. */
const SMALL = 1 << 20;

/** Sends a run's results: finished stages, and the items that are done of unfinished ones. */
export async function push(remote: Remote, options: PushOptions = {}): Promise<Push> {
  const { store: root = ".ftim", run, verify = false, signal = new AbortController().signal, progress } = options;
  using store = await openStore(existingStore(root), { readOnly: true });
  using state = openState(store.records, { warn: console.error });
  const bundles = bundlesOfRun({ store, state, run });
  const lanes = openLanes(LANES);
  const blobs = distinct(bundles.flatMap((bundle) => blobsOf(bundle)));
  const tally = openTally(blobs, progress);
  const sent: Digest[] = [];
  const gone: AnyBundle[] = [];
  let replaced = 0;

  async function sendBlob(blob: Digest, stop: AbortSignal): Promise<void> {
    const name = blobName(blob.sha256);
    const there = await remote.size(name, { signal: stop });
    if (there !== blob.size || verify && !await isSound(blob, { remote, signal: stop })) {
      const read = await openBlob(blob, store);
      await remote.put(name, { size: blob.size, read: () => tally.counted(read()), signal: stop });
      sent.push(blob);
      if (there !== null) replaced++;
    }
    tally.done();
  }
  async function sendRecords(bundle: AnyBundle, stop: AbortSignal): Promise<void> {
    const { key } = bundle.node;
    const bytes = new TextEncoder().encode(bundleText(bundle));
    const there = await recordsThere(key, { mine: bytes, remote, signal: stop });
    if (there === "the same") return;
    if (there === "damaged") replaced++;
    else if (there !== null && !await isBetter(bundle, { than: there, remote, signal: stop })) return;
    await remote.put(recordsName(key), { size: bytes.length, read: () => once(bytes), signal: stop });
    gone.push(bundle);
  }
  await leaveMark({ remote, signal });
  await inLanes(blobs, { lanes, signal, work: sendBlob });
  await inLanes(bundles, { lanes, signal, work: sendRecords });
  return { ...transferOf(gone, sent), replaced };
}

interface There {
  readonly remote: Remote;
  readonly signal: AbortSignal;
}

async function leaveMark({ remote, signal }: There): Promise<void> {
  if (await remote.size(MARK, { signal }) !== null) return;
  const bytes = new TextEncoder().encode('{"form":1}\n');
  await remote.put(MARK, { size: bytes.length, read: () => once(bytes), signal });
}

/** Whether a shared object of the right size has the right bytes, too. */
async function isSound({ sha256, size }: Digest, { remote, signal }: There): Promise<boolean> {
  async function take(chunks: Chunks): Promise<boolean> {
    const hash = createHash("sha256");
    let left = size;
    for await (const chunk of chunks) {
      left -= chunk.length;
      if (left < 0) return false;
      hash.update(chunk);
    }
    return hash.digest("hex") === sha256;
  }
  return await remote.get(blobName(sha256), { take, signal }).catch(ifBad(false)) ?? false;
}

/** How a checked blob is read; a small one is read once. */
async function openBlob(blob: Digest, store: Store): Promise<() => Chunks> {
  if (blob.size > SMALL && await checkBlob(store, blob) === "ok") {
    return () => fileChunks(blobPath(store, blob.sha256), blob);
  }
  const bytes = await readBlob(store, blob);
  return () => once(bytes);
}

/** What the shared store has of a stage: sound records, the very same ones, damaged ones, or none. */
async function recordsThere(
  key: string,
  { mine, remote, signal }: There & { readonly mine: Uint8Array },
): Promise<AnyBundle | "the same" | "damaged" | null> {
  async function take(chunks: Chunks): Promise<AnyBundle | "the same"> {
    const from = remote.place;
    const bytes = await collect(chunks, { limit: RECORDS_LIMIT, what: `${from}: the records ${key}` });
    return Buffer.compare(bytes, mine) === 0 ? "the same" : parseBundle(bytes, { key, from });
  }
  return await remote.get(recordsName(key), { take, signal }).catch(ifBad("damaged" as const));
}

function ifBad<T>(value: T): (error: unknown) => T {
  return (error) => {
    if (error instanceof BadObjectError) return value;
    throw error;
  };
}

/** Whether records say more than those in the shared store, or can be used where those cannot. */
async function isBetter(
  bundle: AnyBundle,
  { than, remote, signal }: There & { readonly than: AnyBundle },
): Promise<boolean> {
  if (!isFinished(bundle)) return !isFinished(than) && bundle.actions.length > than.actions.length;
  if (!isFinished(than)) return true;
  if (bundle.node.tree === than.node.tree) return false;
  // a stage that is not the same to the byte each time: what others have already is left, if it is whole
  for (const { sha256, size } of blobsOf(than)) {
    if (await remote.size(blobName(sha256), { signal }) !== size) return true;
  }
  return false;
}
