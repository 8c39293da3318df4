import assert from "node:assert/strict";
import { flipMap } from "../../face/flip_map_cpu.ts";
import { randomStream } from "./head.ts";

const random = randomStream(6);

Deno.test("flipMap is an involution that moves each texel to the other side", () => {
  for (const channels of [1, 3]) {
    const values = Float32Array.from({ length: 7 * 7 * channels }, random);
    assert.deepEqual(flipMap(flipMap(values, 7), 7), values);
    assert.equal(flipMap(values, 7)[0], values[6 * channels]);
  }
  assert.throws(() => flipMap(new Float32Array(10), 7), RangeError);
});
