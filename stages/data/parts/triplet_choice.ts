/**
 * Choosing triplets: grouping by identity, expression and yaw bin, a seeded draw without repetition, and the CSV form.
 */

import { uniform } from "../../../nets/random.ts";

/** A face that may become part of a triplet. */
export interface View {
  /** Key of the aligned face: `<photograph>/<face>`. */
  readonly key: string;
  /** Null: unknown, so in no triplet. */
  readonly identity: string | null;
  readonly expression: string;
  /** Degrees; > 0: nose to the image's right. */
  readonly yaw: number;
}

/** Three views of one identity with one expression. */
export interface Triplet {
  readonly identity: string;
  readonly expression: string;
  /** Keys of the aligned faces: left, frontal, right bin. */
  readonly views: readonly [string, string, string];
  readonly yaws: readonly [number, number, number];
}

/** Views of one identity and expression that fell into the bins. */
export interface Group {
  readonly identity: string;
  readonly expression: string;
  readonly bins: readonly (readonly View[])[];
  /** The number of different triplets. */
  readonly possible: number;
}

/** A yaw's bin, edges included; of two bins that share an edge the one nearer to frontal. Null: in none. */
export function binOf(yaw: number, bins: readonly (readonly [number, number])[]): number | null {
  const fits = [1, 0, 2].filter((i) => bins[i] !== undefined && yaw >= bins[i][0] && yaw <= bins[i][1]);
  return fits[0] ?? null;
}

/** Groups views by identity and expression, sorted by both; a group may lack a bin, then nothing is possible. */
export function groupViews(views: readonly View[], bins: readonly (readonly [number, number])[]): Group[] {
  const groups = new Map<string, { identity: string; expression: string; bins: [View[], View[], View[]] }>();
  for (const view of views.toSorted((a, b) => (a.key < b.key ? -1 : 1))) {
    const at = binOf(view.yaw, bins);
    if (view.identity === null || at === null) continue;
    const name = JSON.stringify([view.identity, view.expression]);
    const group = groups.get(name) ?? { identity: view.identity, expression: view.expression, bins: [[], [], []] };
    groups.set(name, group);
    group.bins[at]!.push(view);
  }
  return [...groups].sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, group]) => ({ ...group, possible: group.bins.reduce((product, { length }) => product * length, 1) }));
}

/**
 * Draws `count` different triplets: identities take turns, within an identity its expressions, and within a group a
 * seeded shuffle of all its combinations. Fewer if fewer are possible. The result is sorted by identity, expression and
 * keys.
 */
export function chooseTriplets(groups: readonly Group[], { count, seed }: { count: number; seed: number }): Triplet[] {
  const random = uniform(seed);
  const identities = Map.groupBy(groups.filter(({ possible }) => possible > 0), ({ identity }) => identity);
  const turns = [...identities.values()].map((own) => roundRobin(own.map((group) => shuffled(group, random))));
  return [...take(roundRobin(turns), count)].sort((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1));
}

/**
 * Reads hand-picked triplets: columns `left`, `frontal`, `right` with keys of aligned faces, or of photographs with one
 * face.
 *
 * @throws {Error} naming the row that is incomplete, unknown, of several identities or expressions
 */
export function parseTripletsCsv(
  text: string,
  { path, views, parse }: { path: string; views: readonly View[]; parse: (text: string) => { data: unknown[] } },
): Triplet[] {
  const byKey = new Map<string, View>();
  for (const view of views) byKey.set(view.key, view);
  for (const view of views) if (view.key.endsWith("/0")) byKey.set(view.key.slice(0, -2), view);
  const rows = parse(text).data as Record<string, string | undefined>[];
  if (rows.length === 0) throw new Error(`${path}: there are no triplets; expected columns left, frontal, right`);
  return rows.map((row, index) => {
    const where = `${path}, row ${index + 1}`;
    const chosen = ["left", "frontal", "right"].map((column) => {
      const key = row[column]?.trim();
      if (key === undefined || key === "") throw new Error(`${where}: column "${column}" is missing or empty`);
      const view = byKey.get(key.replace(/\.(png|jpe?g)$/i, ""));
      if (view === undefined) throw new Error(`${where}: "${key}" is not a photograph with a posed face`);
      return view;
    }) as [View, View, View];
    const [{ identity, expression }] = chosen;
    if (identity === null || chosen.some((view) => view.identity !== identity || view.expression !== expression)) {
      throw new Error(`${where}: the three are not of one identity and expression`);
    }
    return triplet(identity, expression, chosen);
  });
}

/** The CSV form: identity, expression, left, frontal, right, and their yaws. `parseTripletsCsv` reads it back. */
export function tripletsCsv(
  triplets: readonly Triplet[],
  { unparse }: { unparse: (rows: unknown[], options: { newline: string }) => string },
): string {
  const rows = triplets.map(({ identity, expression, views, yaws }) => ({
    identity,
    expression,
    left: views[0],
    frontal: views[1],
    right: views[2],
    yaw_left: yaws[0].toFixed(2),
    yaw_frontal: yaws[1].toFixed(2),
    yaw_right: yaws[2].toFixed(2),
  }));
  return `${unparse(rows, { newline: "\n" })}\n`;
}

function triplet(identity: string, expression: string, [left, frontal, right]: [View, View, View]): Triplet {
  return { identity, expression, views: [left.key, frontal.key, right.key], yaws: [left.yaw, frontal.yaw, right.yaw] };
}

function sortKey({ identity, expression, views }: Triplet): string {
  return JSON.stringify([identity, expression, ...views]);
}

/**
 * All combinations of a group once each, in a random order: a Fisher–Yates shuffle that only remembers what it moved.
 */
function* shuffled({ identity, expression, bins, possible }: Group, random: () => number): Generator<Triplet> {
  const moved = new Map<number, number>();
  for (let i = 0; i < possible; i++) {
    const j = i + Math.floor(random() * (possible - i));
    const index = moved.get(j) ?? j;
    moved.set(j, moved.get(i) ?? i);
    const [lefts, frontals, rights] = bins as [View[], View[], View[]];
    const left = lefts[index % lefts.length]!;
    const frontal = frontals[Math.floor(index / lefts.length) % frontals.length]!;
    const right = rights[Math.floor(index / lefts.length / frontals.length)]!;
    yield triplet(identity, expression, [left, frontal, right]);
  }
}

function* roundRobin<T>(sources: readonly Generator<T>[]): Generator<T> {
  let open = [...sources];
  while (open.length > 0) {
    const still: Generator<T>[] = [];
    for (const source of open) {
      const { value, done } = source.next();
      if (done) continue;
      yield value;
      still.push(source);
    }
    open = still;
  }
}

function* take<T>(source: Iterable<T>, count: number): Generator<T> {
  let left = count;
  if (left <= 0) return;
  for (const value of source) {
    yield value;
    if (--left === 0) return;
  }
}
