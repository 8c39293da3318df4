/**
 * No module imports itself by way of others, types and dynamic imports included: whoever reads a file can read what it
 * rests on first.
 */
import { allImports, assertNone, type Import } from "./tree.ts";

Deno.test("no file imports itself by way of others", async () => {
  const imports = await allImports();
  assertNone(
    circles(imports).map((circle) =>
      `${circle.map(({ from, line }) => `${from}:${line}`).join(" → ")} → ${circle[0]!.from}\n` +
      "  Move what both ends need into a file of its own, or pass it as an argument."
    ),
    "Imports go in a circle",
  );
});

/** One shortest circle for each group of files that reach each other. */
function circles(imports: readonly Import[]): Import[][] {
  const bySource = Map.groupBy(imports, ({ from }) => from);
  const found: Import[][] = [];
  const covered = new Set<string>();
  for (const start of [...bySource.keys()].sort()) {
    if (covered.has(start)) continue;
    const circle = shortestWay(start, start, bySource);
    if (circle === null) continue;
    found.push(circle);
    for (const { from } of circle) covered.add(from);
  }
  return found;
}

/** The imports that lead from one file to another, or null. */
function shortestWay(
  start: string,
  end: string,
  bySource: ReadonlyMap<string, readonly Import[]>,
): Import[] | null {
  const reachedBy = new Map<string, Import>();
  let front = [start];
  while (front.length > 0) {
    const next: string[] = [];
    for (const one of front.flatMap((file) => bySource.get(file) ?? [])) {
      if (reachedBy.has(one.to)) continue;
      reachedBy.set(one.to, one);
      next.push(one.to);
    }
    if (reachedBy.has(end)) break;
    front = next;
  }
  const way: Import[] = [];
  for (
    let one = reachedBy.get(end);
    one !== undefined;
    one = one.from === start ? undefined : reachedBy.get(one.from)
  ) {
    way.unshift(one);
  }
  return way.length === 0 ? null : way;
}
