import assert from "node:assert/strict";
import { boxMeanCpu } from "../../../gpu/ops/box_mean_cpu.ts";
import { maxDifference, randomStream } from "../../face/head.ts";

const random = randomStream(6);

Deno.test("boxMeanCpu is the plain mean over the window, the border repeated", () => {
  const side = 9;
  const values = Float32Array.from({ length: side * side }, random);
  const clamp = (i: number) => Math.min(Math.max(i, 0), side - 1);
  for (const radius of [0, 1, 3, 12]) {
    const expected = values.map((_, at) => {
      let sum = 0;
      for (let dy = -radius; dy <= radius; dy++) {
        for (let dx = -radius; dx <= radius; dx++) {
          sum += values[clamp(Math.floor(at / side) + dy) * side + clamp(at % side + dx)]!;
        }
      }
      return sum / (2 * radius + 1) ** 2;
    });
    assert.ok(maxDifference(boxMeanCpu(values, { size: side, radius }), expected) < 1e-6);
  }
});
