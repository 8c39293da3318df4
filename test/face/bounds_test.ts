import assert from "node:assert/strict";
import { boundsOf } from "../../face/bounds.ts";

Deno.test("boundsOf() is where points lie in x and y, of triples and of pairs", () => {
  assert.deepEqual(boundsOf([10, 20, 99, 30, -60, -99, 20, 40, 0]), { left: 10, top: -60, right: 30, bottom: 40 });
  assert.deepEqual(boundsOf([10, 20, -5, 7], 2), { left: -5, top: 7, right: 10, bottom: 20 });
  assert.deepEqual(boundsOf([4, 5, 6]), { left: 4, top: 5, right: 4, bottom: 5 });
});

Deno.test("boundsOf() keeps what is no number, and is empty without a point", () => {
  assert.ok(Number.isNaN(boundsOf([1, 2, 3, NaN, 4, 5]).left));
  assert.deepEqual(boundsOf([]), { left: Infinity, top: Infinity, right: -Infinity, bottom: -Infinity });
});
