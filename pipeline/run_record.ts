/** One JSON file a run, in `.ftim/runs/`: what was asked, what it came to, on which machine. */
import { z } from "zod";
import type { Span } from "./clock.ts";
import type { Plan, Vertex } from "./plan.ts";
import type { Summary } from "./report.ts";
import type { Session } from "./session.ts";
import { remove } from "./store.ts";

/** What a run leaves about itself. */
export interface RunRecord {
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
  /** What the caller said of the run. */
  readonly about?: Readonly<Record<string, string>>;
  /** By label, of stages that ran something: when they worked, in seconds from the start, and what they said last. */
  readonly timeline?: Readonly<Record<string, { readonly spans: readonly Span[]; readonly log: readonly string[] }>>;
}

/** Runs whose records are kept; older ones are deleted. */
const KEEP = 100;

interface RunOptions {
  readonly summary: Summary;
  readonly started: number;
  readonly plan: Plan;
  readonly keys: ReadonlyMap<string, string>;
  readonly trees: ReadonlyMap<string, string>;
  readonly spans: ReadonlyMap<string, readonly Span[]>;
  linesOf(stage: string): readonly string[];
  readonly about?: RunRecord["about"];
}

/** As much of a record as its readers rely on; records of earlier versions have less. */
const schema = z.object({
  id: z.string(),
  started: z.iso.datetime(),
  ended: z.iso.datetime(),
  summary: z.object({
    status: z.enum(["done", "failed", "aborted"]),
    seconds: z.number(),
    executed: z.number(),
    cached: z.number(),
    skipped: z.number(),
    stages: z.record(
      z.string(),
      z.object({
        total: z.number(),
        executed: z.number(),
        cached: z.number(),
        skipped: z.number(),
        seconds: z.number(),
        waited: z.object({ inputs: z.number(), gpu: z.number(), others: z.number(), cores: z.number() })
          .exactOptional(),
        peakMemory: z.number().exactOptional(),
      }),
    ),
    failed: z.array(z.string()).default([]),
    unfinished: z.array(z.string()).default([]),
  }),
  stages: z.record(z.string(), z.object({ key: z.string(), tree: z.string().nullable() })),
  targets: z.record(z.string(), z.string()),
  picks: z.record(z.string(), z.array(z.array(z.string()))).default({}),
  facts: z.record(z.string(), z.unknown()).nullable(),
  versions: z.record(z.string(), z.string()),
  about: z.record(z.string(), z.string()).exactOptional(),
  timeline: z.record(
    z.string(),
    z.object({ spans: z.array(z.tuple([z.number(), z.number()])), log: z.array(z.string()) }),
  ).exactOptional(),
});

/** Writes the record of a run, atomically, and returns the run's id. */
export async function writeRunRecord(
  session: Session,
  { summary, started, plan, keys, trees, spans, linesOf, about }: RunOptions,
): Promise<string> {
  const time = new Date(started).toISOString();
  const id = `${time.replaceAll(/[:.]/g, "-")}-${crypto.randomUUID().slice(0, 8)}`;
  const stages = [...keys].map(([label, key]) => [label, { key, tree: trees.get(label) ?? null }]);
  const record: RunRecord = {
    id,
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
    ...(about === undefined ? {} : { about }),
    timeline: Object.fromEntries([...spans].map(([label, spans]) => [label, { spans, log: linesOf(label) }])),
  };
  const folder = `${session.store.root}/runs`;
  const temporary = `${session.store.temporary}/run.json`;
  Deno.writeTextFileSync(temporary, `${JSON.stringify(record, null, 2)}\n`);
  Deno.renameSync(temporary, `${folder}/${id}.json`);
  for (const name of runNames(session.store.root).slice(0, -KEEP)) remove(`${folder}/${name}`);
  return id;
}

/** What a vertex is a part of. */
function makerOf(vertex: Vertex): Vertex {
  const { node, inputs: { from } } = vertex;
  return node.type === "pick" && from !== undefined ? makerOf(from) : vertex;
}

function picksOf({ node, inputs: { from } }: Vertex): readonly (readonly string[])[] {
  return node.type === "pick" && from !== undefined ? [...picksOf(from), node.patterns] : [];
}

/** Names of the run records below a store, oldest first. */
export function runNames(root: string): readonly string[] {
  const names = [...Deno.readDirSync(`${root}/runs`)].map(({ name }) => name);
  return names.filter((name) => name.endsWith(".json")).sort();
}

/** Run records, newest first; one that cannot be read is left out. */
export function* runRecords(root: string): Generator<RunRecord> {
  for (const name of runNames(root).toReversed()) {
    const record = readRecord(`${root}/runs/${name}`);
    if (record !== null) yield record;
  }
}

function readRecord(path: string): RunRecord | null {
  try {
    return schema.safeParse(JSON.parse(Deno.readTextFileSync(path))).data ?? null;
  } catch (error) {
    // removed meanwhile, or damaged
    if (error instanceof Deno.errors.NotFound || error instanceof SyntaxError) return null;
    throw error;
  }
}
