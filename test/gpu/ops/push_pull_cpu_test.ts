import assert from "node:assert/strict";
import { enlargeCpu, pushPullCpu } from "../../../gpu/ops/push_pull_cpu.ts";
import { maxDifference, randomStream } from "../../face/head.ts";

const random = randomStream(6);

Deno.test("pushPullCpu keeps what is known, stays within its range, and continues a constant, on any size", () => {
  for (const side of [1, 5, 16, 33]) {
    const values = Float32Array.from({ length: 2 * side * side }, () => 0.25 + 0.5 * random());
    const weights = Float32Array.from({ length: side * side }, (_, i) => i % 7 === 0 ? 1 : 0);
    const filled = pushPullCpu(values, { weights, size: side });
    filled.forEach((value, k) => {
      if (weights[k >> 1] === 1) assert.equal(value, values[k]);
      assert.ok(value >= 0.25 && value <= 0.75);
    });
    assert.ok(maxDifference(pushPullCpu(values.fill(0.5), { weights, size: side }), values) < 1e-6);
    assert.deepEqual(pushPullCpu(values, { weights: weights.fill(0), size: side }), new Float32Array(values.length));
  }
});

Deno.test("enlargeCpu keeps a ramp a ramp", () => {
  const ramp = Float32Array.from({ length: 16 }, (_, i) => i % 4);
  const large = enlargeCpu(ramp, { from: 4, to: 16 });
  for (let x = 2; x < 14; x++) assert.ok(Math.abs(large[x]! - ((x + 0.5) / 4 - 0.5)) < 1e-6);
});
