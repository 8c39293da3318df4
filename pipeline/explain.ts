/** Says in words how a stage's key document differs from the nearest earlier one. */
import type { Code } from "./code.ts";
import type { NodePreimage } from "./keys.ts";
import { own } from "./own.ts";
import type { FileRow, NodeRecord, State } from "./state.ts";
import type { Listing } from "./tree.ts";

/** A key document whose inputs may not all be known yet (null: an earlier stage has to run first). */
export interface Draft extends Omit<NodePreimage, "inputs"> {
  readonly inputs: Readonly<Record<string, string | null>>;
}

/** How many names a line lists before it only counts. */
export interface Detail {
  readonly names: number;
}

/** How many earlier records are considered. */
const HISTORY = 50;

/** The earlier record of the stage that differs least from a draft, the latest among equals. */
export function nearest(draft: Draft, state: State): NodeRecord | null {
  let best: { record: NodeRecord; distance: number } | null = null;
  for (const record of state.recentNodes(draft.stage, HISTORY)) {
    const distance = distanceOf(draft, JSON.parse(record.preimage));
    if (best === null || distance < best.distance) best = { record, distance };
  }
  return best?.record ?? null;
}

function distanceOf(draft: Draft, earlier: NodePreimage): number {
  const inputs = changedKeys(draft.inputs, earlier.inputs).filter((role) =>
    draft.inputs[role] !== null || earlier.inputs[role] === undefined
  );
  const params = leafChanges(draft.params, earlier.params).length;
  const environment = leafChanges(draft.environment, earlier.environment).length;
  const moved = draft.module !== earlier.module;
  const rest = [moved, draft.code !== earlier.code, draft.salt !== earlier.salt, draft.schema !== earlier.schema];
  return inputs.length + params + environment + rest.filter(Boolean).length;
}

/** One line a difference: "param lr: 1e-4 → 1e-5", "code: stages/pose.ts changed", "images: 3 of 4812 files new". */
export function differences(
  draft: Draft,
  earlier: NodePreimage,
  options: Detail & { readonly state: State },
): string[] {
  const lines: string[] = [];
  const sameSchema = draft.schema === earlier.schema;
  if (!sameSchema) lines.push(`engine schema: ${earlier.schema} → ${draft.schema}`);
  if (draft.salt !== earlier.salt) lines.push(`salt: "${earlier.salt}" → "${draft.salt}"`);
  // under another schema there is no module, and digests of code cannot be compared
  if (sameSchema && draft.module !== earlier.module) lines.push(`module: ${earlier.module} → ${draft.module}`);
  if (sameSchema && draft.code !== earlier.code) lines.push(...codeLines(earlier.code, draft.code, options));
  const params = leafChanges(earlier.params, draft.params).map((line) => `param ${line}`);
  const environment = leafChanges(earlier.environment, draft.environment).map((line) => `environment ${line}`);
  lines.push(...shortened(params, { what: "param", ...options }));
  lines.push(...shortened(environment, { what: "environment", ...options }));
  if (draft.each.join() !== earlier.each.join()) lines.push(`each: [${earlier.each}] → [${draft.each}]`);
  for (const role of changedKeys(earlier.inputs, draft.inputs)) {
    const [before, after] = [earlier.inputs[role], draft.inputs[role]];
    if (before === undefined) lines.push(`input ${role}: new`);
    else if (after === undefined) lines.push(`input ${role}: gone`);
    else if (after !== null) lines.push(`input ${role}: ${changedFiles([before, after], options)}`);
  }
  return lines;
}

type Context = Detail & { readonly state: State };

function codeLines(before: string, after: string, { state, names }: Context): readonly string[] {
  const [old, now] = [state.document(before), state.document(after)];
  if (old === null || now === null) return ["code: changed"];
  const [a, b]: [Code, Code] = [JSON.parse(old), JSON.parse(now)];
  const lines = [
    ...changeLines(a.modules, b.modules),
    ...changeLines(a.packages, b.packages, "package "),
    ...changeLines(a.aliases ?? {}, b.aliases ?? {}, "import "),
  ];
  return shortened(lines, { what: "code", names });
}

/** The first lines, and how many more there are. */
function shortened(lines: readonly string[], { what, names }: Detail & { readonly what: string }): readonly string[] {
  return lines.length <= names + 1
    ? lines
    : [...lines.slice(0, names), `${what}: ${lines.length - names} more changes`];
}

type Table = Readonly<Record<string, unknown>>;

function changeLines(before: Table, after: Table, prefix = ""): string[] {
  return changedKeys(before, after).map((name) => {
    const what = own(before, name) === undefined ? "new" : own(after, name) === undefined ? "gone" : "changed";
    return `code: ${prefix}${name} ${what}`;
  });
}

/** What happened to a listing's files between two digests, in counts and first names. */
export function changedFiles(
  [before, after]: readonly [before: string, after: string],
  { state, names }: Context,
): string {
  const [old, now] = [state.document(before), state.document(after)];
  if (old === null || now === null) return "changed";
  const [a, b]: [Listing, Listing] = [JSON.parse(old), JSON.parse(now)];
  const [from, to] = [new Map(a.files.map(byPath)), new Map(b.files.map(byPath))];
  const fresh = [...to.keys()].filter((path) => !from.has(path));
  const gone = [...from.keys()].filter((path) => !to.has(path));
  const changed = [...to].filter(([path, sha]) => from.has(path) && from.get(path) !== sha).map(([path]) => path);
  const parts: string[] = [];
  for (const [paths, word] of [[changed, "changed"], [fresh, "new"], [gone, "gone"]] as const) {
    if (paths.length === 0) continue;
    const rest = paths.length > names ? ", …" : "";
    parts.push(
      `${paths.length} of ${word === "gone" ? from.size : to.size} files ${word} (${
        paths.slice(0, names).join(", ")
      }${rest})`,
    );
  }
  return parts.length > 0 ? parts.join("; ") : "other items were skipped";
}

function byPath([path, sha]: FileRow): [string, string] {
  return [path, sha];
}

function changedKeys(before: Table, after: Table): string[] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...names].filter((name) => own(before, name) !== own(after, name)).sort();
}

/** "a.b: 1 → 2" for every leaf that differs. */
function leafChanges(before: unknown, after: unknown): string[] {
  const [old, now] = [leaves(before), leaves(after)];
  return changedKeys(old, now).map((path) => `${path}: ${old[path] ?? "(absent)"} → ${now[path] ?? "(absent)"}`);
}

function leaves(value: unknown, path = ""): Record<string, string> {
  if (typeof value !== "object" || value === null) {
    return path === "" ? {} : { [path]: JSON.stringify(value) ?? "undefined" };
  }
  const entries = Object.entries(value);
  if (entries.length === 0) return path === "" ? {} : { [path]: JSON.stringify(value) };
  return Object.assign({}, ...entries.map(([key, inner]) => leaves(inner, path === "" ? key : `${path}.${key}`)));
}
