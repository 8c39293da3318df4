import assert from "node:assert/strict";
import { openTfjs } from "@ftim/gpu/tfjs";
import { resample } from "../../nets/resample.ts";
import { resampleBoxes } from "../../nets/resample_boxes.ts";
import { noise, stackImages } from "./inputs.ts";

Deno.test("each image is resampled from its own box, with the bits that it has by itself", async () => {
  const tf = await openTfjs();
  const boxes = [
    { left: -2.5, top: 1, width: 11, height: 9 },
    { left: 3.25, top: 2.5, width: 4.5, height: 4.5 },
    { left: -20, top: 4, width: 60, height: 3 },
    { left: 0, top: 0, width: 13, height: 9 },
  ];
  // rows of 39 values, which are no whole number of four, and of 36
  for (const width of [13, 12]) {
    const images = boxes.map((_, seed) => noise({ width, height: 9, seed }));
    const size = { width: 7, height: 5 };
    const before = tf.memory().numTensors;
    const together = resampleBoxes(tf, stackImages(tf, images), { boxes, ...size });
    const alone = boxes.map((box, i) => resample(tf, stackImages(tf, [images[i]!]), { box, ...size }));
    assert.deepEqual(together.shape, [4, 5, 7, 3]);
    const expected = (await Promise.all(alone.map((one) => one.data()))).flatMap((values) => [...values]);
    assert.deepEqual([...await together.data()], expected);
    tf.dispose([together, ...alone]);
    assert.equal(tf.memory().numTensors, before + 5, "only the stacks are left");
  }
});

Deno.test("no images, one too few boxes, and a box that is none", async () => {
  const tf = await openTfjs();
  const box = { left: 0, top: 0, width: 4, height: 4 };
  const size = { width: 2, height: 2 };
  const images = stackImages(tf, [1, 2].map((seed) => noise({ width: 4, height: 4, seed })));
  assert.deepEqual(resampleBoxes(tf, tf.zeros([0, 4, 4, 3]), { boxes: [], ...size }).shape, [0, 2, 2, 3]);
  assert.throws(() => resampleBoxes(tf, images, { boxes: [box], ...size }), /2 images with 1 boxes/);
  for (const bad of [{ ...box, width: 0 }, { ...box, left: NaN }]) {
    assert.throws(() => resampleBoxes(tf, images, { boxes: [box, bad], ...size }), /out of image 1/);
  }
});
