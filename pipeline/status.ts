/** Which stages are fresh and which are not, and why, without running any. */
import type { Artifact, StageNode } from "./artifact.ts";
import { hasBlob } from "./blobs.ts";
import { PipelineError } from "./errors.ts";
import { actionsOf, usableRecord } from "./job.ts";
import { differences, type Draft, nearest } from "./explain.ts";
import { nodeKey, recipeKey } from "./keys.ts";
import { didYouMean } from "./nearest_name.ts";
import { planOf, type Vertex } from "./plan.ts";
import { silentReporter } from "./report.ts";
import { latestRuns } from "./run_record.ts";
import { openSession, type Options, type Session } from "./session.ts";
import { resolveSource } from "./sources.ts";
import { listingText, type Resolved, restrict, storedTree } from "./tree.ts";

/** How one stage stands. */
export interface StageStatus {
  readonly label: string;
  /** "waiting": an earlier stage has to run first; if its result comes out the same, this one may turn out fresh. */
  readonly state: "fresh" | "stale" | "waiting";
  /** Items there are and items to execute; null while an earlier stage has to run first. */
  readonly items: number | null;
  readonly todo: number | null;
  /** Fresh: empty. Else what changed since the nearest earlier record, one line each. */
  readonly reasons: readonly string[];
  /** When the result (or the nearest earlier one) was computed, in ms since the epoch. */
  readonly computed: number | null;
  /** Of {@link explain}: what no key holds and may explain a difference all the same. */
  readonly notes?: readonly string[];
}

/** Options of {@link statusOf}. */
export interface StatusOptions extends Options {
  /** How many file and module names a reason lists. Default 3. */
  readonly names?: number;
}

/** Stage by stage, in the order of the graph. */
export async function statusOf(
  targets: Readonly<Record<string, Artifact>>,
  options: StatusOptions = {},
): Promise<readonly StageStatus[]> {
  const plan = planOf(targets);
  const signal = options.signal ?? new AbortController().signal;
  using session = await openSession(plan, { reporter: silentReporter(), ...options, signal, readOnly: true });
  const trees = new Map<Vertex, Resolved | null>();
  const wanted = new Set(plan.targets.values());
  const rows: StageStatus[] = [];
  for (const vertex of plan.vertices) {
    const { node, inputs } = vertex;
    if (node.type === "source") trees.set(vertex, await resolveSource(node, session));
    else if (node.type === "pick") {
      const from = trees.get(Object.values(inputs)[0] ?? vertex) ?? null;
      trees.set(vertex, from && restrict(from, node.patterns));
    } else {
      const view = { session, trees, target: wanted.has(vertex), names: options.names ?? 3 };
      const { row, tree } = await statusOfStage(vertex, node, view);
      rows.push(row);
      trees.set(vertex, tree);
    }
  }
  return rows;
}

/** Why a stage would run (or why it would not): its rows of {@link statusOf}, with many names. */
export async function explain(
  targets: Readonly<Record<string, Artifact>>,
  stage: string,
  options: StatusOptions = {},
): Promise<readonly StageStatus[]> {
  const rows = await statusOf(targets, { names: 20, ...options });
  const found = rows.filter(({ label }) => label === stage || label.replace(/-\d+$/, "") === stage);
  const { store = ".ftim" } = options;
  if (found.length > 0) return found.map((row) => ({ ...row, notes: [denoNote(store, row.label)] }));
  throw new PipelineError(`there is no stage "${stage}" here; ${didYouMean(stage, rows.map(({ label }) => label))}`);
}

/** The rows as plain text, one line a stage and one a reason. */
export function statusText(rows: readonly StageStatus[]): string {
  const width = Math.max(0, ...rows.map(({ label }) => label.length));
  const lines = rows.flatMap(({ label, state, items, todo, reasons, notes = [] }) => {
    const count = items === null || items === 1 ? "" : ` ${state === "fresh" ? items : `${todo} of ${items}`} items`;
    return [
      `${label.padEnd(width)}  ${state}${count}`,
      ...[...reasons, ...notes].map((reason) => `${" ".repeat(width)}  └ ${reason}`),
    ];
  });
  return `${lines.join("\n")}\n`;
}

/** Which Deno computed a stage last, by the records of the runs, and which one this is. */
function denoNote(store: string, label: string): string {
  const now = Deno.version.deno;
  for (const { summary, versions } of latestRuns(store)) {
    if ((summary.stages[label]?.executed ?? 0) === 0) continue;
    return versions.deno === now
      ? `Deno ${now}, as when it was last computed`
      : `Deno ${versions.deno} → ${now}, in no key`;
  }
  return `Deno ${now}`;
}

interface View {
  readonly session: Session;
  readonly trees: ReadonlyMap<Vertex, Resolved | null>;
  readonly target: boolean;
  readonly names: number;
}

async function statusOfStage(
  { label, inputs: vertices }: Vertex,
  node: StageNode,
  { session, trees, target, names }: View,
): Promise<{ row: StageStatus; tree: Resolved | null }> {
  const { state, store } = session;
  const recipe = await session.recipe(node);
  const inputs: Record<string, Resolved> = Object.create(null);
  const digests: Record<string, string | null> = {};
  const waits: string[] = [];
  for (const [role, vertex] of Object.entries(vertices)) {
    const tree = trees.get(vertex) ?? null;
    digests[role] = tree?.digest ?? null;
    if (tree === null) waits.push(`input ${role}: waits for ${vertex.label}`);
    else {
      inputs[role] = tree;
      if (!state.hasDocument(tree.digest)) state.putDocument(listingText(tree.listing()));
    }
  }
  const draft: Draft = { ...recipe, inputs: digests };
  const earlier = nearest(draft, state);
  const reasons = earlier === null
    ? ["never run with this store"]
    : differences(draft, JSON.parse(earlier.preimage), { state, names });
  const computed = earlier?.ended ?? null;
  if (waits.length > 0) {
    const changed = reasons.length > 0;
    const row = { label, state: changed ? "stale" : "waiting", items: null, todo: null, computed } as const;
    return { row: { ...row, reasons: [...reasons, ...waits] }, tree: null };
  }
  const known = Object.entries(inputs).map(([role, { digest }]) => [role, digest]);
  const document = { ...recipe, inputs: Object.fromEntries(known) };
  const record = state.node(nodeKey(document).key);
  if (record !== null) {
    const tree = storedTree(record);
    const gone = target
      ? tree.listing().files.filter(([, sha256, size]) => !hasBlob(store, { sha256, size })).length
      : 0;
    const items = record.items;
    if (gone === 0) {
      return { row: { label, state: "fresh", items, todo: 0, reasons: [], computed: record.ended }, tree };
    }
    return {
      row: { label, state: "stale", items, todo: null, reasons: [`${gone} stored files are gone`], computed },
      tree,
    };
  }
  const actions = actionsOf({ node, inputs, recipe: recipeKey(document).key });
  const todo = actions.filter((action) => usableRecord(action, session) === null).length;
  if (reasons.length === 0) reasons.push("its result was lost or damaged");
  const row = { label, state: "stale", items: actions.length, todo, reasons, computed } as const;
  return { row, tree: null };
}
