/** How two runs differ: stage by stage what went in and what came out, and a file of the targets on both sides. */
import { readBlob } from "./blobs.ts";
import { changedFiles, differences } from "./explain.ts";
import type { NodePreimage } from "./keys.ts";
import { own } from "./own.ts";
import type { RunRecord } from "./run_record.ts";
import { type RunsOptions, targetListing } from "./runs.ts";
import { openState, type State } from "./state.ts";
import { existingStore, openStore, type Store } from "./store.ts";

/** Two runs, the earlier one first. */
export interface RunPair {
  readonly before: RunRecord;
  readonly after: RunRecord;
}

/** How one stage differs. */
export interface StageDiff {
  readonly label: string;
  /** In which of the two runs it was. */
  readonly change: "changed" | "new" | "gone";
  /** Why its key differs, one line each. */
  readonly reasons: readonly string[];
  /** What became of its result; null where it is the same. */
  readonly output: string | null;
}

/** A file of a target in both runs; null where it is not there. */
export interface FileDiff {
  readonly target: string;
  readonly path: string;
  readonly before: Uint8Array | null;
  readonly after: Uint8Array | null;
}

/** What differs between two runs. */
export interface RunDiff {
  readonly stages: readonly StageDiff[];
  /** How many stages are the same. */
  readonly same: number;
  /** The files that were asked for, where they differ. */
  readonly files: readonly FileDiff[];
}

/** What to compare. */
export interface DiffOptions extends RunsOptions {
  /** Names of target files whose contents are wanted where they differ, such as "metrics.json". */
  readonly files?: readonly string[];
  /** How many file and module names a line lists. Default 5. */
  readonly names?: number;
}

/** Compares two runs of one store. */
export async function diffRuns(pair: RunPair, options: DiffOptions = {}): Promise<RunDiff> {
  using store = await openStore(existingStore(options.store ?? ".ftim"));
  using state = openState(store.root, { warn: console.error });
  const { before, after } = pair;
  const [left, right] = [Object.entries(before.stages), Object.entries(after.stages)];
  const keys = new Map(left.map(([label, { key }]) => [key, label]));
  // two stages of one run have one key where their inputs have come to the same
  const twinOf = (label: string, key: string) => own(before.stages, label)?.key === key ? label : keys.get(key);
  const stages: StageDiff[] = [];
  const matched = new Set<string>();
  let same = 0;
  // stages of one key first: a label's number moves when another use of the stage comes before it
  for (const [label, { key, tree }] of right) {
    const twin = twinOf(label, key);
    if (twin === undefined) continue;
    matched.add(twin);
    const output = outputText([own(before.stages, twin)?.tree ?? null, tree], { state, names: options.names ?? 5 });
    if (output === null) same++;
    else stages.push({ label, change: "changed", reasons: [], output });
  }
  for (const [label, { key, tree }] of right) {
    if (keys.has(key)) continue;
    const twin = matched.has(label) ? undefined : own(before.stages, label);
    if (twin === undefined) {
      stages.push({ label, change: "new", reasons: [], output: null });
      continue;
    }
    matched.add(label);
    const detail = { state, names: options.names ?? 5 };
    const reasons = reasonsOf([twin.key, key], detail);
    stages.push({ label, change: "changed", reasons, output: outputText([twin.tree, tree], detail) });
  }
  for (const [label] of left) {
    if (!matched.has(label)) stages.push({ label, change: "gone", reasons: [], output: null });
  }
  const files = await filesOf(pair, { state, store, names: options.files ?? [] });
  return { stages, same, files };
}

interface Detail {
  readonly state: State;
  readonly names: number;
}

type Two<T> = readonly [before: T, after: T];

function reasonsOf([before, after]: Two<string>, detail: Detail): readonly string[] {
  const [old, now] = [detail.state.node(before), detail.state.node(after)];
  if (old === null || now === null) return ["its record is no longer in the store"];
  const [from, to]: [NodePreimage, NodePreimage] = [JSON.parse(old.preimage), JSON.parse(now.preimage)];
  return differences(to, from, detail);
}

function outputText([before, after]: Two<string | null>, detail: Detail): string | null {
  if (before === after) return null;
  if (before === null) return "made now";
  if (after === null) return "not made now";
  return changedFiles([before, after], detail);
}

interface FilesOptions {
  readonly state: State;
  readonly store: Store;
  readonly names: readonly string[];
}

async function filesOf({ before, after }: RunPair, options: FilesOptions): Promise<readonly FileDiff[]> {
  const targets = new Set([...Object.keys(before.targets), ...Object.keys(after.targets)]);
  const found: FileDiff[] = [];
  for (const target of targets) {
    const [old, now] = [entries(before, { target, ...options }), entries(after, { target, ...options })];
    for (const path of new Set([...old.keys(), ...now.keys()])) {
      const [a, b] = [old.get(path), now.get(path)];
      if (a?.sha256 === b?.sha256) continue;
      const read = async (entry: typeof a) => entry === undefined ? null : await readBlob(options.store, entry);
      found.push({ target, path, before: await read(a), after: await read(b) });
    }
  }
  return found;
}

function entries(run: RunRecord, { target, state, names }: FilesOptions & { readonly target: string }) {
  const files = own(run.targets, target) === undefined ? [] : targetListing(run, target, state)?.files ?? [];
  const wanted = files.filter(([path]) => names.includes(path.slice(path.lastIndexOf("/") + 1)));
  return new Map(wanted.map(([path, sha256, size]) => [path, { sha256, size }]));
}
