import type { Tensor } from "@tensorflow/tfjs";
import assert from "node:assert/strict";
import { openGpu } from "../../../gpu/device.ts";
import { concatCpu } from "../../../gpu/kernels/concat_cpu.ts";
import { openTfjs } from "../../../gpu/tfjs.ts";
import { random } from "../arrays.ts";

async function read(tensors: Tensor[]): Promise<Float32Array[]> {
  const values = await Promise.all(tensors.map((tensor) => tensor.data<"float32">()));
  for (const tensor of tensors) tensor.dispose();
  await (await openGpu()).assertHealthy("concat test");
  return values;
}

for (
  const [shapes, axis] of [
    [[[2, 30, 30, 3], [2, 30, 30, 1], [2, 30, 30, 4]], 3], // eight in a row
    [[[2, 30, 30, 3], [2, 30, 30, 2]], 3], // five
    [[[2, 30, 30, 8], [2, 30, 30, 4]], 3], // blocks
    [[[1, 40, 40, 3], [2, 40, 40, 3], [1, 40, 40, 3]], 0],
    [[[1, 31, 33, 3], [2, 31, 33, 3]], 0], // no whole fours
    [[[2, 20, 40, 3], [2, 0, 40, 3], [2, 21, 40, 3]], 1], // one is empty
    [Array.from({ length: 11 }, () => [40, 40, 4]), 2], // more than one program binds
  ] as [number[][], number][]
) {
  Deno.test(`concat() along axis ${axis} puts [${shapes.join("] [")}] side by side`, async () => {
    const tf = await openTfjs();
    const parts = shapes.map((shape, i) => random(shape, i + 1));
    const tensors = parts.map(({ data, shape }) => tf.tensor(data, shape));
    const whole = tf.concat(tensors, axis);
    const expected = concatCpu(parts, { axis });
    assert.deepEqual(whole.shape, expected.shape);
    assert.deepEqual((await read([whole]))[0], Float32Array.from(expected.data));
    tf.dispose(tensors);
  });
}
