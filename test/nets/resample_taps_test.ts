import assert from "node:assert/strict";
import { interpolationMatrix, squareAround } from "../../nets/resample_taps.ts";

Deno.test("interpolationMatrix() has rows that sum to 1, and refuses what is not positive", () => {
  const { rows, cols, offsets, weights } = interpolationMatrix({ size: 9, start: -4, length: 21 }, { count: 6 });
  assert.deepEqual([rows, cols], [6, 9]);
  for (let i = 0; i < 6; i++) {
    assert.ok(Math.abs(weights.subarray(offsets[i], offsets[i + 1]).reduce((a, b) => a + b) - 1) < 1e-6);
  }
  assert.throws(() => interpolationMatrix({ size: 9, start: 0, length: 0 }, { count: 6 }), RangeError);
  assert.throws(() => interpolationMatrix({ size: 9, start: 0, length: 9 }, { count: 0 }), RangeError);
  assert.throws(() => interpolationMatrix({ size: 9, start: 0, length: NaN }, { count: 2 }), RangeError);
});

Deno.test("squareAround() keeps the centre", () => {
  const square = squareAround({ left: 10, top: 20, width: 4, height: 8 }, 1.5);
  assert.deepEqual(square, { left: 6, top: 18, width: 12, height: 12 });
});
