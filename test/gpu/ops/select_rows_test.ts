import type { Tensor2D } from "@tensorflow/tfjs";
import assert from "node:assert/strict";
import { selectRows } from "../../../gpu/ops/select_rows.ts";
import { selectRowsCpu, selectRowsGradientCpu } from "../../../gpu/ops/select_rows_cpu.ts";
import { openTfjs } from "../../../gpu/tfjs.ts";
import { random } from "../arrays.ts";
import { valueAndGradients } from "../value_and_gradients.ts";

for (const channels of [1, 3, 4, 17]) {
  Deno.test(`selectRows() copies exactly and its gradient is the transpose: ${channels} channels`, async () => {
    const tf = await openTfjs();
    const indices = Int32Array.of(4, -1, 0, 6, -1, 3);
    const [x, dy] = [random([7, channels], 1), random([6, channels], 2)];
    const [value, gradient] = await valueAndGradients((a) => selectRows(tf, a as Tensor2D, indices), {
      inputs: [x],
      dy,
    });
    assert.deepEqual(value, Float32Array.from(selectRowsCpu(x, indices).data));
    assert.deepEqual(gradient, Float32Array.from(selectRowsGradientCpu(dy, { rows: 7, indices }).data));
  });
}

Deno.test("selectRows() refuses a row that is not there and one that comes twice", async () => {
  const tf = await openTfjs();
  const x = tf.zeros([3, 4]) as Tensor2D;
  for (const indices of [[3], [-2], [1, 0, 1]]) {
    assert.throws(() => selectRows(tf, x, Int32Array.from(indices)), RangeError);
  }
  x.dispose();
});
