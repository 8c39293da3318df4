import assert from "node:assert/strict";
import { bootstrapMean, quantile, resample } from "../../../../stages/tables/parts/bootstrap.ts";
import { missedFaces, tableNotes } from "../../../../stages/tables/parts/notes.ts";
import { summarise } from "../../../../stages/tables/parts/summary.ts";
import { madeUpMeasurements, MODELS } from "./made_up.ts";

Deno.test("bootstrapMean() holds the mean, repeats with its seed and moves with another", () => {
  const values = Array.from({ length: 22 }, (_, i) => Math.sin(i) + 20);
  const interval = bootstrapMean(values, resample(22, { resamples: 2000, seed: 3 }));
  assert.deepEqual(bootstrapMean(values, resample(22, { resamples: 2000, seed: 3 })), interval);
  assert.notDeepEqual(bootstrapMean(values, resample(22, { resamples: 2000, seed: 4 })), interval);
  assert.ok(interval.low < interval.mean && interval.mean < interval.high);
});

Deno.test("bootstrapMean() is as wide as the normal approximation for many values", () => {
  const values = Array.from({ length: 400 }, (_, i) => (i * 7919 % 400) / 400);
  const { low, high } = bootstrapMean(values, resample(400, { resamples: 4000, seed: 1 }));
  const half = 1.96 * Math.sqrt(1 / 12 / 400);
  assert.ok(Math.abs((high - low) / 2 - half) < 0.06 * half);
});

Deno.test("bootstrapMean() of one value is that value; of Infinity, Infinity; of none, an error", () => {
  assert.deepEqual(bootstrapMean([5], resample(1, { resamples: 9, seed: 1 })), { mean: 5, low: 5, high: 5 });
  assert.equal(bootstrapMean([1, Infinity], resample(2, { resamples: 99, seed: 1 })).mean, Infinity);
  assert.throws(() => bootstrapMean([], resample(0, { resamples: 9, seed: 1 })), /no value/);
  assert.throws(() => bootstrapMean([1, 2], resample(3, { resamples: 9, seed: 1 })), /2 values with draws for 3/);
});

Deno.test("quantile() is numpy's default", () => {
  assert.equal(quantile([1, 2, 3, 10], 0.5), 2.5);
  assert.ok(Math.abs(quantile([1, 2, 3, 10], 0.9) - 7.9) < 1e-12);
  assert.equal(quantile([1, 2, 3, 10], 1), 10);
});

Deno.test("summarise() takes means over faces in any order, and marks the best of each column by its direction", () => {
  const faces = madeUpMeasurements(6);
  const summary = summarise(faces, { resamples: 200, seed: 1 });
  assert.deepEqual(summarise(faces.toReversed(), { resamples: 200, seed: 1 }), summary);
  const expected = faces.reduce((sum, face) => sum + face.methods.tran.full.psnr! / 6, 0);
  assert.ok(Math.abs(summary.cells.full.tran.psnr!.mean - expected) < 1e-12);
  const { masked } = summary.cells;
  assert.deepEqual(Object.values(masked).map((row) => row.l1?.best), [false, false, false, false, false, true]);
  assert.deepEqual(Object.values(masked).map((row) => row.psnr?.best), [false, false, false, false, false, true]);
});

Deno.test("summarise() keeps an image equal to the input as infinite PSNR, and refuses no faces", () => {
  const faces = madeUpMeasurements(2);
  faces[0]!.methods.ours.masked.psnr = null;
  const { mean, best } = summarise(faces, { resamples: 50, seed: 1 }).cells.masked.ours.psnr!;
  assert.deepEqual({ mean, best }, { mean: Infinity, best: true });
  assert.throws(() => summarise([], { resamples: 50, seed: 1 }), /no face was measured/);
});

Deno.test("missedFaces() names what was not detected and what was skipped, each once and with its first reason", () => {
  const missed = missedFaces({
    expected: { "test/one": 3, "test/two": 1, "test/three": 2 },
    found: new Map([["test/one", 1], ["test/three", 2]]),
    skipped: [
      new Map([["test/two", "no face"]]),
      new Map([["test/three/0", "test/three/0: cut off"]]),
      new Map([["test/three/0", "cut off: again"]]),
    ],
    aligned: ["test/one/0", "test/three/0", "test/three/1"],
    measured: ["test/three/1"],
  });
  assert.deepEqual(missed, [
    "2 of the 3 faces in test/one (not detected)",
    "1 of the 1 faces in test/two (not detected)",
    "test/three/0 (cut off)",
    "test/one/0 (not rendered by every method)",
  ]);
  assert.throws(
    () => missedFaces({ expected: { x: 1 }, found: new Map([["y", 1]]), skipped: [], aligned: [], measured: [] }),
    /"x".*known are y/,
  );
});

Deno.test("tableNotes() says what the comparators' rows are, for how many faces, and which are missing", () => {
  const notes = tableNotes({ models: MODELS, faces: 21, missed: ["a (not detected)"] }).join(
    "\n",
  );
  assert.match(notes, /over 21 faces/);
  assert.match(notes, /texture model re-made on the same geometry.*albedo decoder \(Tran's model\): a decoder\)/);
  assert.match(notes, /Not measured: a \(not detected\)\./);
  const facts = ["The 3DMM regressor is DECA."];
  const told = tableNotes({ models: MODELS, faces: 21, missed: ["a (not detected)"], facts });
  assert.deepEqual(told.filter((note) => !notes.split("\n").includes(note)), facts);
  assert.match(
    tableNotes({ models: MODELS, faces: 2, missed: [] }).join("\n"),
    /over 2 faces[^]*No face .* is missing/,
  );
});
