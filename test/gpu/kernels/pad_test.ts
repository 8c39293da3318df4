import type { Tensor } from "@tensorflow/tfjs";
import assert from "node:assert/strict";
import { openGpu } from "../../../gpu/device.ts";
import { padCpu } from "../../../gpu/kernels/pad_cpu.ts";
import { openTfjs } from "../../../gpu/tfjs.ts";
import { random } from "../arrays.ts";

async function read(tensors: Tensor[]): Promise<Float32Array[]> {
  const values = await Promise.all(tensors.map((tensor) => tensor.data<"float32">()));
  for (const tensor of tensors) tensor.dispose();
  await (await openGpu()).assertHealthy("pad test");
  return values;
}

for (
  const [shape, paddings] of [
    [[1, 40, 40, 3], [[1, 1], [0, 0], [0, 0], [0, 0]]],
    [[2, 40, 40, 3], [[0, 0], [0, 3], [0, 0], [0, 0]]],
    [[2, 31, 33, 4], [[0, 0], [0, 0], [2, 1], [0, 0]]],
    [[2, 31, 33, 8], [[0, 0], [0, 0], [0, 0], [4, 8]]],
    [[2, 31, 33, 8], [[0, 0], [0, 0], [0, 0], [4, 1]]], // no whole fours
    [[2, 31, 33, 3], [[0, 0], [0, 0], [2, 1], [0, 0]]], // no whole fours
    [[2, 40, 40, 4], [[0, 0], [1, 2], [3, 0], [0, 0]]], // two axes
  ] as [number[], [number, number][]][]
) {
  Deno.test(`pad() of [${shape}] by [${paddings.join("] [")}] is the tensor within one value`, async () => {
    const tf = await openTfjs();
    const x = random(shape, 1);
    const tensor = tf.tensor(x.data, shape);
    const padded = tf.pad(tensor, paddings, 0.25);
    const expected = padCpu(x, { paddings, constantValue: 0.25 });
    assert.deepEqual(padded.shape, expected.shape);
    assert.deepEqual((await read([padded]))[0], Float32Array.from(expected.data));
    tensor.dispose();
  });
}
