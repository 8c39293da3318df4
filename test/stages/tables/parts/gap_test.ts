import assert from "node:assert/strict";
import { gapCells, gapGrid } from "../../../../stages/tables/parts/gap.ts";
import { column, gridMarkdown } from "../../../../stages/tables/parts/grid.ts";
import type { Measures } from "../../../../stages/tables/parts/measures.ts";

interface Score {
  face: string;
  value: number | null;
}
const measured: Measures<Score> & { resamples: number; seed: number } = {
  same: ({ face }) => face,
  by: ({ face }) => face,
  measures: [[column("psnr", "PSNR", "higher", 2), ({ value }) => value]],
  resamples: 2000,
  seed: 1,
};
const scores = (...values: (number | null)[]): Score[] => values.map((value, i) => ({ face: `${i}`, value }));
const guess = scores(20, 22, 24, 20);
const oracle = scores(24, 30, 26, 26);

Deno.test("the share of the gap is the summed gain over the summed gap of the same things", () => {
  const ends = { ...measured, guess, oracle };
  const [share] = gapCells(scores(21, 25, 23, null), ends);
  assert.ok(Math.abs(share!.mean - 100 * (1 + 3 - 1) / (4 + 8 + 2)) < 1e-9, `${share!.mean}`);
  assert.ok(share!.low < share!.mean && share!.mean < share!.high);
  assert.deepEqual(gapCells(guess, ends), [{ mean: 0, low: 0, high: 0 }]);
  assert.deepEqual(gapCells(oracle, ends), [{ mean: 100, low: 100, high: 100 }]);
  // Equal pictures have a PSNR of Infinity, and no gap to share.
  assert.deepEqual(gapCells(scores(Infinity, 30), ends), [{ mean: 100, low: 100, high: 100 }]);
});

Deno.test("where lower is better the gap is negative, and its share is the same", () => {
  const negative = (rows: Score[]) => rows.map(({ face, value }) => ({ face, value: value === null ? null : -value }));
  const ends = { ...measured, guess: negative(guess), oracle: negative(oracle) };
  const [share] = gapCells(negative(scores(21, 25, 23, 20)), ends);
  assert.ok(Math.abs(share!.mean - 100 * 3 / 20) < 1e-9);
});

Deno.test("there is no share of a gap that cannot be told from 0", () => {
  const ends = { ...measured, guess, oracle: scores(21, 21, 25, 19) };
  assert.deepEqual(gapCells(scores(30, 30, 30, 30), ends), [null]);
  assert.deepEqual(gapCells([], { ...measured, guess, oracle }), [null]);
});

Deno.test("the table of shares ends with the gap itself, and marks no best", () => {
  const rows = [{ label: "Ours", scores: scores(22, 24, 26, 22) }];
  const markdown = gridMarkdown(gapGrid(rows, { title: "The gap", ...measured, guess, oracle }));
  const lines = markdown.split("\n");
  assert.equal(lines[2], "| | PSNR: gain | share of the gap, % |");
  assert.match(lines[4]!, /^\| Ours \| 2\.00 \[2\.00, 2\.00\] \| 40\.0 \[/);
  assert.match(lines[5]!, /^\| true texture \(oracle\) \| 5\.00 \[.*\] \| 100\.0 \[100\.0, 100\.0\] \|$/);
  assert.ok(!markdown.includes("**"));
});
