import assert from "node:assert/strict";
import { filterMarkdown } from "../../../stages/tables/parts/filter_markdown.ts";
import { type FilterResults, scoreFilter } from "../../../stages/tables/parts/filter_scores.ts";

const bins = [[-90, -10], [-10, 10], [10, 90]] as const;
const frame = (key: string, yaw: number | null, identity = "1") => ({
  key,
  hasFace: yaw !== null,
  yaw,
  identity,
  expression: "2_smile",
});
const results: FilterResults = {
  truth: [
    frame("1/l", -40),
    frame("1/f", 3),
    frame("1/r", 30),
    frame("1/back", null),
    frame("1/far", 120),
    frame("2/r", 12, "2"),
    frame("1/wall", null),
  ],
  kept: new Set(["1/l", "1/f", "1/r", "1/back", "2/r"]),
  yaws: new Map([["1/l", -36], ["1/f", 4], ["1/r", 33], ["1/back", 60], ["2/r", 8]]),
  triplets: [
    { identity: "1", expression: "2_smile", views: ["1/l/0", "1/f/0", "1/r/0"] },
    { identity: "1", expression: "2_smile", views: ["1/l/0", "1/f/0", "1/back/0"] },
    { identity: "1", expression: "2_smile", views: ["1/l/0", "1/f/0", "2/r/0"] },
    { identity: "2", expression: "2_smile", views: ["1/l/0", "2/r/0", "1/r/0"] },
  ],
  bins,
};

Deno.test("scoreFilter() counts nothing of frames whose truth is not known, and the page says how many", () => {
  const dark = (key: string) => ({ ...frame(key, null), hasFace: null });
  const alone = scoreFilter({
    ...results,
    truth: [...results.truth, dark("3/a"), dark("3/b")],
    kept: new Set([...results.kept, "3/a"]),
    yaws: new Map([...results.yaws, ["3/a", 20]]),
    triplets: [...results.triplets, { identity: "3", expression: "2_smile", views: ["3/a/0", "1/f/0", "1/r/0"] }],
  });
  const { unknown, ...scores } = alone;
  assert.deepEqual(scores, scoreFilter(results));
  assert.equal(unknown, 2);
  assert.match(filterMarkdown(alone, bins), /Of 2 more frames the truth is not known\. They are not counted\./);
  const nothing = scoreFilter({ ...results, truth: results.truth.map(({ key }) => dark(key)) });
  assert.deepEqual([nothing.triplets.rightBins, nothing.faces.precision, nothing.yaw.mean], [null, null, null]);
});

Deno.test("scoreFilter() counts kept and dropped faces", () => {
  const { faces, frames } = scoreFilter(results);
  assert.equal(frames, 7);
  assert.deepEqual(faces, {
    withFace: 5,
    kept: 5,
    precision: 4 / 5,
    recall: 4 / 5,
    keptWithoutFace: ["1/back"],
    droppedWithFace: ["1/far"],
  });
});

Deno.test("scoreFilter() measures yaw on kept frames with a face only", () => {
  const { yaw } = scoreFilter(results);
  assert.deepEqual({ ...yaw, p95: yaw.p95?.toFixed(6) }, {
    count: 4,
    bias: (4 + 1 + 3 - 4) / 4,
    mean: 3,
    median: 3.5,
    p95: "4.000000",
  });
});

Deno.test("scoreFilter() puts each frame with a face into its cell of the confusion", () => {
  assert.deepEqual(scoreFilter(results).confusion, [
    [1, 0, 0, 0, 0],
    [0, 1, 0, 0, 0],
    [0, 1, 1, 0, 0],
    [0, 0, 0, 0, 1],
  ]);
});

Deno.test("scoreFilter() judges triplets by true bins and true people", () => {
  const { triplets } = scoreFilter(results);
  assert.deepEqual([triplets.count, triplets.rightBins, triplets.rightPeople], [4, 2 / 4, 2 / 4]);
  assert.deepEqual(triplets.wrong.map((views) => views[2]), ["1/back/0", "2/r/0", "1/r/0"]);
});

Deno.test("scoreFilter() says null where nothing was there to count, and refuses an unknown frame", () => {
  const none = scoreFilter({ truth: [], kept: new Set(), yaws: new Map(), triplets: [], bins });
  assert.deepEqual([none.faces.precision, none.faces.recall, none.yaw.mean, none.triplets.rightBins], [
    null,
    null,
    null,
    null,
  ]);
  assert.throws(() => scoreFilter({ ...results, kept: new Set(["9/x"]) }), /"9\/x": the truth does not name it/);
});

Deno.test("filterMarkdown() says it in words, and shortens long lists", () => {
  const text = filterMarkdown(scoreFilter(results), bins);
  assert.match(text, /precision 80\.0 %, recall 80\.0 %/);
  assert.match(text, /Kept without a face \(1\): `1\/back`/);
  assert.match(text, /\| right \[10°, 90°\] \| 0 \| 1 \| 1 \| 0 \| 0 \|/);
  const many = Array.from({ length: 30 }, (_, i) => frame(`x/${i}`, 0));
  const long = filterMarkdown(scoreFilter({ ...results, truth: many, kept: new Set(), triplets: [] }), bins);
  assert.match(long, /Dropped with a face \(30\):.*and 10 more/);
  assert.match(long, /precision —, recall 0\.0 %/);
});
