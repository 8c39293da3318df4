import assert from "node:assert/strict";
import { openTfjs } from "@ftim/gpu/tfjs";
import { readPixelBytes } from "../../face/pixel_bytes.ts";

Deno.test("readPixelBytes() gives clamped, rounded levels of pictures of any size, and disposes", async () => {
  const tf = await openTfjs();
  const levels = Float32Array.from({ length: 256 }, (_, level) => level / 255);
  const odd = [-0.5, 0.2, 0.4999 / 255, 0.5001 / 255, 1.7];
  const before = tf.memory().numTensors;
  const pictures = [tf.tensor1d(levels), tf.tensor2d([odd]), tf.zeros([2, 7, 3]), tf.zeros([0, 4, 4, 3])];
  const found = await readPixelBytes(tf, pictures, "test");
  assert.deepEqual(found[0], Uint8Array.from(levels.keys()));
  assert.deepEqual([...found[1]!], [0, 51, 0, 1, 255]);
  assert.deepEqual(found.slice(2).map(({ length }) => length), [42, 0]);
  assert.equal(tf.memory().numTensors, before);
});
