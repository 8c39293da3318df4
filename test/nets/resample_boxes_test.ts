import assert from "node:assert/strict";
import type { Tensor4D } from "@tensorflow/tfjs";
import { openTfjs } from "@ftim/gpu/tfjs";
import { resample } from "../../nets/resample.ts";
import { disposeBoxTaps, resampleBoxes, uploadBoxTaps } from "../../nets/resample_boxes.ts";
import { maxDifference, randomStream } from "../face/head.ts";

const tf = await openTfjs();
const next = randomStream(8);
const [from, to] = [{ width: 19, height: 23 }, { width: 11, height: 8 }];
const noise = (batch: number, { width, height }: typeof from): Tensor4D =>
  tf.tensor4d(Float32Array.from({ length: batch * height * width * 3 }, next), [batch, height, width, 3]);
// Within the image, over its border, enlarged, and far outside.
const boxes = [[2.5, 3, 12.25], [-4, 9.5, 17], [6, 6, 4.5], [40, -30, 8]].map(([left, top, side]) => ({
  left: left!,
  top: top!,
  width: side!,
  height: side!,
}));
const read = async (x: Tensor4D) => {
  const data = await x.data<"float32">();
  x.dispose();
  return data;
};

Deno.test("resampleBoxes() gives what resample() gives for each image, with the same bits alone", async () => {
  const x = noise(boxes.length, from);
  const taps = uploadBoxTaps(tf, boxes, { from, to });
  const together = await read(resampleBoxes(tf, x, taps));
  const length = to.width * to.height * 3;
  for (const [i, box] of boxes.entries()) {
    const one = tf.slice(x, [i, 0, 0, 0], [1, -1, -1, -1]) as Tensor4D;
    const own = together.slice(i * length, (i + 1) * length);
    assert.ok(maxDifference(own, await read(resample(tf, one, { box, ...to }))) < 1e-6);
    const alone = uploadBoxTaps(tf, [box], { from, to });
    assert.deepEqual(await read(resampleBoxes(tf, one, alone)), own);
    disposeBoxTaps(alone);
    one.dispose();
  }
  disposeBoxTaps(taps);
  x.dispose();
});

Deno.test("the gradient of resampleBoxes() is its transpose, and its taps are freed", async () => {
  const before = tf.memory().numTensors;
  const taps = uploadBoxTaps(tf, boxes, { from, to });
  const [x, y] = [noise(boxes.length, from), noise(boxes.length, to)];
  const [forward, back] = tf.tidy(() => [
    tf.sum(tf.mul(resampleBoxes(tf, x, taps), y)),
    tf.sum(tf.mul(x, tf.grad((x) => tf.sum(tf.mul(resampleBoxes(tf, x as Tensor4D, taps), y)))(x))),
  ]);
  const [a, b] = [(await forward!.data())[0]!, (await back!.data())[0]!];
  assert.ok(Math.abs(a - b) < 1e-5 * Math.abs(a), `${a} ${b}`);
  tf.dispose([x, y, forward!, back!]);
  disposeBoxTaps(taps);
  assert.equal(tf.memory().numTensors, before);
});

Deno.test("resampleBoxes() refuses boxes that are none and images of another number or size", () => {
  const bad = { left: NaN, top: 0, width: 4, height: 4 };
  assert.throws(() => uploadBoxTaps(tf, [], { from, to }), RangeError);
  assert.throws(() => uploadBoxTaps(tf, [boxes[0]!, bad], { from, to }), /out of image 1/);
  assert.throws(() => uploadBoxTaps(tf, [{ ...bad, left: 0, width: 0 }], { from, to }), /0×4 pixels .* image 0/);
  const taps = uploadBoxTaps(tf, boxes, { from, to });
  assert.throws(() => resampleBoxes(tf, noise(1, from), taps), /Cannot cut 4 boxes out of images \[1,23,19,3\]/);
  assert.throws(() => resampleBoxes(tf, noise(4, to), taps), RangeError);
  disposeBoxTaps(taps);
});
