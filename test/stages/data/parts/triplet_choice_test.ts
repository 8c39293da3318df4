import assert from "node:assert/strict";
import papa from "papaparse";
import {
  binOf,
  chooseTriplets,
  groupViews,
  parseTripletsCsv,
  tripletsCsv,
  type View,
} from "../../../../stages/data/parts/triplet_choice.ts";

const bins = [[-90, -10], [-10, 10], [10, 90]] as const;
const parse = (text: string) => papa.parse(text, { header: true, skipEmptyLines: true });

/** `photographs[identity]` yaws, all with one expression. */
function viewsOf(photographs: Record<string, readonly number[]>, expression = "1_neutral"): View[] {
  return Object.entries(photographs).flatMap(([identity, yaws]) =>
    yaws.map((yaw, i) => ({ key: `${identity}/${expression}/${i}/0`, identity, expression, yaw }))
  );
}

const many = viewsOf({ a: [-80, -40, -20, 0, 5, -5, 30, 50, 70, 85], b: [-30, 1, 44], c: [-45, -44, 2, 3, 20] });

Deno.test("binOf includes the edges, prefers the frontal bin there, and leaves out what lies beyond", () => {
  const cases: [number, number | null][] = [[-90, 0], [-10.001, 0], [-10, 1], [0, 1], [10, 1], [10.001, 2], [90, 2], [
    90.1,
    null,
  ], [-91, null]];
  for (const [yaw, expected] of cases) assert.equal(binOf(yaw, bins), expected, `yaw ${yaw}`);
  assert.equal(binOf(15, [[-90, -20], [-10, 10], [20, 90]]), null);
});

Deno.test("every triplet is of one identity and expression, one view from each bin, and none occurs twice", () => {
  const views = [...many, ...viewsOf({ a: [-33, 0, 33] }, "2_smile")];
  const byKey = new Map(views.map((view) => [view.key, view]));
  const triplets = chooseTriplets(groupViews(views, bins), { count: 1000, seed: 1 });
  assert.equal(triplets.length, 3 * 3 * 4 + 1 + 2 * 2 * 1 + 1);
  assert.equal(new Set(triplets.map(({ views }) => views.join())).size, triplets.length);
  for (const { identity, expression, views, yaws } of triplets) {
    for (const [i, key] of views.entries()) {
      const view = byKey.get(key)!;
      assert.deepEqual([view.identity, view.expression, view.yaw], [identity, expression, yaws[i]]);
      assert.equal(binOf(view.yaw, bins), i);
    }
  }
});

Deno.test("the draw is spread over identities, repeats for a seed, and differs for another", () => {
  const groups = groupViews(many, bins);
  const draw = (seed: number, count = 7) => chooseTriplets(groups, { count, seed });
  const counts = Object.groupBy(draw(3), ({ identity }) => identity);
  assert.deepEqual([counts.a?.length, counts.b?.length, counts.c?.length], [3, 1, 3]);
  assert.deepEqual(draw(3), draw(3));
  assert.notDeepEqual(draw(3), draw(4));
  // a longer draw continues a shorter one
  const longer = new Set(draw(3, 12).map(({ views }) => views.join()));
  for (const { views } of draw(3)) assert(longer.has(views.join()));
});

Deno.test("the order of the views does not matter", () => {
  const draw = (views: View[]) => chooseTriplets(groupViews(views, bins), { count: 9, seed: 5 });
  assert.deepEqual(draw(many.toReversed()), draw(many));
});

Deno.test("the draw is uniform within a group", () => {
  const groups = groupViews(viewsOf({ a: [-30, -40, 0, 30, 40] }), bins);
  const seen = new Map<string, number>();
  for (let seed = 0; seed < 400; seed++) {
    const [first] = chooseTriplets(groups, { count: 1, seed });
    seen.set(first!.views.join(), (seen.get(first!.views.join()) ?? 0) + 1);
  }
  assert.equal(seen.size, 4);
  for (const count of seen.values()) assert(count > 60 && count < 140, `${[...seen.values()]}`);
});

Deno.test("views without identity and groups without a bin make no triplet", () => {
  const views = [...many.map((view) => ({ ...view, identity: null })), ...viewsOf({ d: [-30, -40, 50] })];
  const groups = groupViews(views, bins);
  assert.deepEqual(groups.map(({ identity, possible }) => [identity, possible]), [["d", 0]]);
  assert.deepEqual(chooseTriplets(groups, { count: 5, seed: 0 }), []);
});

Deno.test("a CSV of triplets reads back as they were, and photographs may be named without a face", () => {
  const triplets = chooseTriplets(groupViews(many, bins), { count: 6, seed: 2 });
  const csv = tripletsCsv(triplets, { unparse: papa.unparse });
  assert.match(csv, /^identity,expression,left,frontal,right,yaw_left,yaw_frontal,yaw_right\n/);
  assert.deepEqual(parseTripletsCsv(csv, { path: "t.csv", views: many, parse }), triplets);
  const short = "left,frontal,right\nb/1_neutral/0.jpg, b/1_neutral/1 ,b/1_neutral/2/0\n";
  const [one] = parseTripletsCsv(short, { path: "t.csv", views: many, parse });
  assert.deepEqual(one?.views, ["b/1_neutral/0/0", "b/1_neutral/1/0", "b/1_neutral/2/0"]);
});

Deno.test("a wrong CSV is refused with its row", () => {
  const refuse = (text: string, message: RegExp) =>
    assert.throws(() => parseTripletsCsv(text, { path: "t.csv", views: many, parse }), message);
  refuse("left,frontal,right\n", /t\.csv: there are no triplets/);
  refuse("left,right\na,b\n", /t\.csv, row 1: column "frontal"|"a" is not/);
  refuse(
    "left,frontal,right\nb/1_neutral/0,b/1_neutral/1,b/1_neutral/2\nb/1_neutral/0,x,y\n",
    /row 2: "x" is not a photograph/,
  );
  refuse("left,frontal,right\nb/1_neutral/0,b/1_neutral/1,c/1_neutral/4\n", /row 1: the three are not of one identity/);
});
