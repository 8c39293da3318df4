import type { Tensor, Tensor2D } from "@tensorflow/tfjs";
import assert from "node:assert/strict";
import { selectRows } from "../../gpu/ops/select_rows.ts";
import { openTfjs } from "../../gpu/tfjs.ts";
import { random } from "./reference.ts";

for (const channels of [1, 3, 4, 17]) {
  Deno.test(`selectRows() copies exactly and its gradient is the transpose: ${channels} channels`, async () => {
    const tf = await openTfjs();
    const indices = Int32Array.of(4, -1, 0, 6, -1, 3);
    const [x, dy] = [random([7, channels], 1), random([6, channels], 2)].map(({ data }) => data);
    const f = (a: Tensor): Tensor => selectRows(tf, a as Tensor2D, indices);
    const [given, upstream] = [tf.tensor2d(x!, [7, channels]), tf.tensor2d(dy!, [6, channels])];
    const before = tf.memory().numTensors;
    const tensors = [f(given), tf.grad(f)(given, upstream)];
    assert.equal(tf.memory().numTensors, before + 2, "tensors leak");
    const [value, gradient] = await Promise.all(tensors.map((t) => t.data<"float32">()));
    const expected = new Float32Array(7 * channels);
    for (const [place, row] of indices.entries()) {
      for (let c = 0; c < channels; c++) {
        assert.equal(value![place * channels + c], row < 0 ? 0 : x![row * channels + c]);
        if (row >= 0) expected[row * channels + c] = dy![place * channels + c]!;
      }
    }
    assert.deepEqual(gradient, expected);
    tf.dispose([tensors, given, upstream]);
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
