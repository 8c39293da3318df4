/**
 * A store that several machines share, by content: blobs under `sha256/ab/…`, a finished stage's records under
 * `nodes/<key>.json`. A folder (a network mount) is one; an S3-compatible server is another (s3.ts). Nothing that
 * comes from there is believed: blobs and records are checked against their names.
 */
import type { Artifact } from "./artifact.ts";
import { distinct, type Transfer } from "./archive.ts";
import { blobsOf, type Bundle, bundlesOf, installBundles, parseBundle, readRun } from "./closure.ts";
import { PipelineError } from "./errors.ts";
import { sha256 } from "./hash.ts";
import { nodeKey } from "./keys.ts";
import { planOf, type Vertex } from "./plan.ts";
import { nextRun } from "./run_record.ts";
import { openSession, type Options } from "./session.ts";
import { resolveSource } from "./sources.ts";
import { openState } from "./state.ts";
import { commit, type Digest, existingStore, hasBlob, openStore, readBlob, stageBytes, type Store } from "./store.ts";
import { type Listing, type Resolved, restrict, storedTree } from "./tree.ts";

/** Somewhere to keep objects by name. */
export interface Remote {
  has(name: string): Promise<boolean>;
  /** Null where there is no such object. */
  get(name: string): Promise<Uint8Array | null>;
  /** Makes an object visible as a whole or not at all. */
  put(name: string, bytes: Uint8Array): Promise<void>;
}

/** A shared folder. */
export function folderRemote(folder: string): Remote {
  const pathOf = (name: string) => `${folder}/${name}`;
  return {
    async has(name) {
      return await Deno.stat(pathOf(name)).then(() => true, ifMissing(false));
    },
    async get(name) {
      return await Deno.readFile(pathOf(name)).catch(ifMissing(null));
    },
    async put(name, bytes) {
      const path = pathOf(name);
      await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true });
      const temporary = `${path}.${crypto.randomUUID()}.tmp`;
      await Deno.writeFile(temporary, bytes);
      await Deno.rename(temporary, path);
    },
  };
}

function ifMissing<T>(value: T): (error: unknown) => T {
  return (error) => {
    if (error instanceof Deno.errors.NotFound) return value;
    throw error;
  };
}

const blobName = (sha: string) => `sha256/${sha.slice(0, 2)}/${sha}`;
const nodeName = (key: string) => `nodes/${key}.json`;

/** Transfers at a time. */
const LANES = 8;

/** Sends a run's finished stages (default: the latest run's), blobs before records, only what is not there yet. */
export async function push(
  remote: Remote,
  { store: root = ".ftim", run }: { readonly store?: string; readonly run?: string } = {},
): Promise<Transfer> {
  using store = await openStore(existingStore(root), { readOnly: true });
  using state = openState(store.records, { warn: console.error });
  const bundles = bundlesOf(Object.values(readRun(store.root, run).stages).map(({ key }) => key), state);
  const sent: Digest[] = [];
  await inLanes(distinct(bundles.flatMap((bundle) => blobsOf(bundle))), async (blob) => {
    if (await remote.has(blobName(blob.sha256))) return;
    await remote.put(blobName(blob.sha256), await readBlob(store, blob));
    sent.push(blob);
  });
  let stages = 0;
  await inLanes(bundles, async (bundle) => {
    const name = nodeName(bundle.node.key);
    if (await remote.has(name)) return;
    await remote.put(name, new TextEncoder().encode(JSON.stringify(bundle)));
    stages++;
  });
  return { stages, blobs: sent.length, bytes: total(sent) };
}

/** Fetches what the remote has of the targets' graph: stages whose inputs and code are the same here as there. */
export async function pull(
  remote: Remote,
  targets: Readonly<Record<string, Artifact>>,
  options: Options = {},
): Promise<Transfer> {
  const plan = planOf(targets);
  using session = await openSession(plan, { ...options, signal: options.signal ?? new AbortController().signal });
  const { state, store } = session;
  const trees = new Map<Vertex, Resolved>();
  const bundles: Bundle[] = [];
  for (const vertex of plan.vertices) {
    const { node } = vertex;
    if (node.type === "source") {
      trees.set(vertex, await resolveSource(node, session));
      continue;
    }
    const inputs = Object.entries(vertex.inputs).flatMap(([role, input]) => {
      const tree = trees.get(input);
      return tree === undefined ? [] : [[role, tree] as const];
    });
    // a stage before this one is neither here nor there
    if (inputs.length < Object.keys(vertex.inputs).length) continue;
    if (node.type === "pick") {
      for (const [, from] of inputs) trees.set(vertex, restrict(from, node.patterns));
      continue;
    }
    const digests = Object.fromEntries(inputs.map(([role, { digest }]) => [role, digest]));
    const { key } = nodeKey({ ...await session.recipe(node), inputs: digests });
    const known = state.node(key);
    const bytes = known === null ? await remote.get(nodeName(key)) : null;
    if (known !== null) trees.set(vertex, storedTree(known));
    else if (bytes !== null) {
      const bundle = parseBundle(new TextDecoder().decode(bytes), key);
      const text = bundle.documents.find((document) => sha256(document) === bundle.node.tree) ?? "";
      const listing: Listing = JSON.parse(text);
      trees.set(vertex, { digest: bundle.node.tree, listing: () => listing, source: null });
      bundles.push(bundle);
    }
  }
  const wanted = distinct(bundles.flatMap((bundle) => blobsOf(bundle))).filter((blob) => !hasBlob(store, blob));
  await inLanes(wanted, (blob) => fetchBlob(remote, { blob, store }));
  installBundles(bundles, { state, run: nextRun(store.root) });
  return { stages: bundles.length, blobs: wanted.length, bytes: total(wanted) };
}

async function fetchBlob(
  remote: Remote,
  { blob, store }: { readonly blob: Digest; readonly store: Store },
): Promise<void> {
  const bytes = await remote.get(blobName(blob.sha256));
  if (bytes === null) throw new PipelineError(`the remote store names blob ${blob.sha256} and does not have it`);
  if (sha256(bytes) !== blob.sha256) throw new PipelineError(`the remote store's blob ${blob.sha256} is damaged`);
  await commit(store, [stageBytes(store, bytes)]);
}

function total(blobs: readonly Digest[]): number {
  return blobs.reduce((sum, { size }) => sum + size, 0);
}

async function inLanes<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const queue = [...items].reverse();
  async function lane(): Promise<void> {
    for (let item = queue.pop(); item !== undefined; item = queue.pop()) await work(item);
  }
  await Promise.all(Array.from({ length: Math.min(LANES, queue.length) }, lane));
}
