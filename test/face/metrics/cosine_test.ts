import assert from "node:assert/strict";
import { cosine } from "../../../face/metrics/cosine.ts";

Deno.test("cosine() is the normalised dot product", () => {
  assert.equal(cosine([1, 0], [0, 5]), 0);
  assert.ok(Math.abs(cosine([1, 2, 3], [-2, -4, -6]) + 1) < 1e-15);
  assert.ok(Math.abs(cosine([1, 1], [1, 0]) - Math.SQRT1_2) < 1e-15);
  assert.throws(() => cosine([1], [1, 2]), /1 and 2 values/);
  assert.throws(() => cosine([0, 0], [1, 2]), /zero or not finite/);
  assert.throws(() => cosine([NaN, 0], [1, 2]), /zero or not finite/);
});
