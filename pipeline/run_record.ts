/**
 * One JSON file a run, in `.ftim/runs/`: what was asked, what it came to, on which machine. Runs are numbered in the
 * order in which they began, whatever the clock says: a run takes the number after the largest one in the folder and
 * leaves a mark there (`000007.open`), in which it notes the results that it uses. Its record
 * (`000007-TIME-CHECKSUM.json`) takes the mark's place; the mark of a run that was killed stays. The name of a record
 * holds the checksum of its text: one that is damaged is one that is not there.
 */
import { crc32 } from "node:zlib";
import { explainStoreFailure } from "./errors.ts";
import { waitLockSync } from "./locks.ts";
import type { Span } from "./clock.ts";
import type { Computes } from "./contract.ts";
import type { Plan, Vertex } from "./plan.ts";
import type { Summary } from "./report.ts";
import type { Session } from "./session.ts";
import { remove, type Store } from "./store.ts";

/** What a run leaves about itself. */
export interface RunRecord {
  /** The file's name without its ending; begins with the run's number. */
  readonly id: string;
  /** ISO 8601. */
  readonly started: string;
  readonly ended: string;
  readonly summary: Summary;
  /** Stage label → node key and digest of the result's listing. */
  readonly stages: Readonly<Record<string, { readonly key: string; readonly tree: string | null }>>;
  /** Target name → label of the stage that made it. */
  readonly targets: Readonly<Record<string, string>>;
  /** Target name → the patterns of each pick between the stage and the target, innermost first; none: left out. */
  readonly picks: Readonly<Record<string, readonly (readonly string[])[]>>;
  /**
   * The caller's facts; null where nothing ran, so that finding them out was not worth it, or the run was
   * interrupted.
   */
  readonly facts: Readonly<Record<string, unknown>> | null;
  readonly versions: Readonly<Record<string, string>>;
  /** Stage name → where it computes, as it says; not of those that say nothing. */
  readonly computes?: Readonly<Record<string, Computes>>;
  /** What the caller said of the run. */
  readonly about?: Readonly<Record<string, string>>;
  /** By label, of stages that ran something: when they worked, in seconds from the start, and what they said last. */
  readonly timeline?: Readonly<Record<string, { readonly spans: readonly Span[]; readonly log: readonly string[] }>>;
}

/** A run that has begun. */
export interface OpenRun {
  /** From 1. */
  readonly number: number;
  /** In ms since the epoch. */
  readonly started: number;
  /** Notes that the run uses a stage's result that was there; what it makes bears its number. */
  note(key: string): void;
  /** Writes the notes down; called before anything is executed, so that a kill does not lose them. */
  save(): void;
}

/** Runs whose records are kept; older ones are deleted. */
const KEEP = 100;

/** Begins a run: takes the next number. */
export function beginRun({ root }: Pick<Store, "root">): OpenRun {
  using _ = waitLockSync(`${root}/runs.lock`, { exclusive: true });
  const number = nextRun(root);
  const notes: string[] = [];
  const append = (text: string, how: Deno.WriteFileOptions) => {
    try {
      Deno.writeTextFileSync(markPath(root, number), text, how);
    } catch (error) {
      throw explainStoreFailure(error, root);
    }
  };
  append("", { createNew: true });
  return {
    number,
    started: Date.now(),
    note: (key) => void notes.push(key),
    save() {
      if (notes.length > 0) append(notes.splice(0).map((key) => `${key}\n`).join(""), { append: true });
    },
  };
}

/** The number that the next run will have. */
export function nextRun(root: string): number {
  return 1 + namesIn(root).reduce((most, name) => Math.max(most, runNumber(name)), 0);
}

interface RunOptions {
  readonly run: OpenRun;
  readonly summary: Summary;
  readonly plan: Plan;
  readonly keys: ReadonlyMap<string, string>;
  readonly trees: ReadonlyMap<string, string>;
  readonly spans: ReadonlyMap<string, readonly Span[]>;
  linesOf(stage: string): readonly string[];
  readonly about?: RunRecord["about"];
}

/** Writes the record of a run, atomically, and returns the run's id. */
export async function writeRunRecord(
  session: Session,
  { run, summary, plan, keys, trees, spans, linesOf, about }: RunOptions,
): Promise<string> {
  const time = new Date(run.started).toISOString();
  const stages = [...keys].map(([label, key]) => [label, { key, tree: trees.get(label) ?? null }]);
  const record: Omit<RunRecord, "id"> = {
    started: time,
    ended: new Date().toISOString(),
    summary,
    stages: Object.fromEntries(stages),
    targets: Object.fromEntries([...plan.targets].map(([name, vertex]) => [name, makerOf(vertex).label])),
    picks: Object.fromEntries(
      [...plan.targets].filter(([, { node }]) => node.type === "pick").map(([name, vertex]) => [name, picksOf(vertex)]),
    ),
    // finding them out may take a while, for which an interrupted run has no time
    facts: summary.executed > 0 && summary.status !== "aborted" ? await session.facts() : null,
    versions: { ...Deno.version },
    computes: computesOf(plan),
    ...(about === undefined ? {} : { about }),
    timeline: Object.fromEntries([...spans].map(([label, spans]) => [label, { spans, log: linesOf(label) }])),
  };
  const { root, temporary: folder } = session.store;
  const text = `${JSON.stringify(record)}\n`;
  const temporary = `${folder}/run.json`;
  Deno.writeTextFileSync(temporary, text);
  const id = `${padded(run.number)}-${time.replaceAll(/[:.]/g, "-")}-${checksum(text)}`;
  Deno.renameSync(temporary, `${root}/runs/${id}.json`);
  remove(markPath(root, run.number));
  for (const name of runNames(root).slice(0, -KEEP)) remove(`${root}/runs/${name}`);
  return id;
}

function computesOf({ vertices }: Plan): Readonly<Record<string, Computes>> {
  return Object.fromEntries(vertices.flatMap(({ node }) => {
    if (node.type !== "stage" || Object.keys(node.stage.computes).length === 0) return [];
    return [[node.stage.name, node.stage.computes]];
  }));
}

/** What a vertex is a part of. */
function makerOf(vertex: Vertex): Vertex {
  const { node, inputs: { from } } = vertex;
  return node.type === "pick" && from !== undefined ? makerOf(from) : vertex;
}

function picksOf({ node, inputs: { from } }: Vertex): readonly (readonly string[])[] {
  return node.type === "pick" && from !== undefined ? [...picksOf(from), node.patterns] : [];
}

const padded = (number: number) => String(number).padStart(6, "0");
const checksum = (text: string) => crc32(text).toString(16).padStart(8, "0");
const markPath = (root: string, number: number) => `${root}/runs/${padded(number)}.open`;

function namesIn(root: string): readonly string[] {
  return [...Deno.readDirSync(`${root}/runs`)].map(({ name }) => name);
}

/**
 * The number in the name of a record or a mark, or in a run's id; 0 for one of an earlier version, which began with the
 * year.
 */
export function runNumber(name: string): number {
  return Number(/^(\d{6,15})[-.]/.exec(name)?.[1] ?? 0);
}

/** Names of the run records below a store, oldest first, damaged ones among them. */
export function runNames(root: string): readonly string[] {
  const names = namesIn(root).filter((name) => name.endsWith(".json")).sort();
  return names.sort((a, b) => runNumber(a) - runNumber(b));
}

/** A run's record, by the name of its file; null for one that is damaged or gone. */
export function readRunFile(root: string, name: string): RunRecord | null {
  let text: string;
  try {
    text = Deno.readTextFileSync(`${root}/runs/${name}`);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
  const id = name.replace(/\.json$/, "");
  return id.endsWith(`-${checksum(text)}`) ? { id, ...JSON.parse(text) } : null;
}

/** The records of all runs, the latest first, read as they are asked for; damaged ones are left out. */
export function* latestRuns(root: string): Generator<RunRecord> {
  for (const name of runNames(root).toReversed()) {
    const record = readRunFile(root, name);
    if (record !== null) yield record;
  }
}

/** A run that was killed, or that failed or was interrupted. */
export interface UnfinishedRun {
  readonly number: number;
  /** When it was last heard of, in ms since the epoch. */
  readonly time: number;
  /** Keys of stages' results that it has used. */
  readonly keys: readonly string[];
}

/** The runs that have not made their targets. */
export function unfinishedRuns(root: string): readonly UnfinishedRun[] {
  const killed = namesIn(root).filter((name) => name.endsWith(".open")).map((name) => {
    const path = `${root}/runs/${name}`;
    const keys = Deno.readTextFileSync(path).split("\n");
    return { number: runNumber(name), time: Deno.statSync(path).mtime?.getTime() ?? 0, keys };
  });
  const ended = [...latestRuns(root)].filter(({ summary }) => summary.status !== "done").map((record) => {
    const keys = Object.values(record.stages).map(({ key }) => key);
    return { number: runNumber(record.id), time: Date.parse(record.ended), keys };
  });
  return [...killed, ...ended];
}

/** Removes the marks of runs that were killed before a time, in ms since the epoch. Not beside a run. */
export function removeMarks(root: string, before: number): void {
  // the largest number stays, so that it is not given again
  const last = nextRun(root) - 1;
  for (const { number, time } of unfinishedRuns(root)) {
    if (time < before && number !== last) remove(markPath(root, number));
  }
}

/** For each stage's result that a recorded run has used, the number of the latest such run. */
export function lastUses(root: string): ReadonlyMap<string, number> {
  const uses = new Map<string, number>();
  for (const { id, stages } of latestRuns(root)) {
    for (const { key } of Object.values(stages)) if (!uses.has(key)) uses.set(key, runNumber(id));
  }
  return uses;
}
