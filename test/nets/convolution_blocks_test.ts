import type { Tensor4D } from "@tensorflow/tfjs";
import assert from "node:assert/strict";
import { convolve } from "@ftim/gpu/ops/convolve";
import { openTfjs } from "@ftim/gpu/tfjs";
import { intoBlocks, overBlocks } from "../../nets/convolution_blocks.ts";
import { random, relativeError, type Values } from "../gpu/arrays.ts";

const tf = await openTfjs();
const tensor = ({ data, shape }: Values) => tf.tensor4d(data, shape as [number, number, number, number]);

for (
  const { size: [height, width], channels, ...given } of [
    { side: 7, stride: 2, border: 3, size: [20, 22], channels: 3 },
    { side: 7, stride: 2, border: 3, size: [9, 8], channels: 3 },
    { side: 11, stride: 4, border: 2, size: [67, 64], channels: 3 },
    { side: 5, stride: 3, border: 0, size: [17, 19], channels: 2 },
    { side: 2, stride: 2, border: 1, size: [5, 6], channels: 1 },
  ] as const
) {
  const { side, stride, border } = given;
  const name = JSON.stringify({ ...given, height, width, channels });
  Deno.test(`on blocks a convolution is what it is on pixels: ${name}`, async () => {
    const before = tf.memory().numTensors;
    const [onBlocks, onPixels] = tf.tidy(() => {
      const x = tensor(random([2, height, width, channels], 1));
      const filter = () => tensor(random([side, side, channels, 4], 2));
      const blocks = intoBlocks(tf, x, given);
      assert.equal(blocks.shape[3], stride * stride * channels);
      const around: [number, number] = [border, border];
      return [
        convolve(tf, blocks, { filter: overBlocks(tf, filter(), given), pad: "valid" }),
        convolve(tf, x, { filter: filter(), stride, pad: [[0, 0], around, around, [0, 0]] }),
      ] as [Tensor4D, Tensor4D];
    });
    assert.deepEqual(onBlocks.shape, onPixels.shape);
    assert.ok(relativeError(await onBlocks.data<"float32">(), await onPixels.data<"float32">()) < 2e-6);
    tf.dispose([onBlocks, onPixels]);
    assert.equal(tf.memory().numTensors, before);
  });
}
