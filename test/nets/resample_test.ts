import assert from "node:assert/strict";
import { openTfjs } from "@ftim/gpu/tfjs";
import { resample } from "../../nets/resample.ts";
import { resampleCpu } from "../../nets/resample_cpu.ts";
import { near, noise, stackImages } from "./inputs.ts";

Deno.test("resample() equals resampleCpu() for each image of a batch, and its gradient is the transpose", async () => {
  const tf = await openTfjs();
  const images = [3, 4].map((seed) => noise({ width: 13, height: 9, seed }));
  const box = { left: -2.5, top: 1, width: 11, height: 9 };
  const size = { width: 6, height: 7 };
  const x = stackImages(tf, images);
  const result = await resample(tf, x, { box, ...size }).data();
  near(result, images.flatMap((image) => [...resampleCpu(image, { box, ...size }).data]), 1e-6);

  const y = stackImages(tf, [5, 6].map((seed) => noise({ ...size, seed })));
  const back = tf.grad((input) => tf.sum(tf.mul(resample(tf, input as typeof x, { box, ...size }), y)))(x);
  const [left] = await tf.sum(tf.mul(resample(tf, x, { box, ...size }), y)).data();
  const [right] = await tf.sum(tf.mul(x, back)).data();
  assert.ok(Math.abs(left! - right!) < 1e-4 * Math.abs(left!), `${left} and ${right}`);
  assert.equal(resample(tf, x, { width: 13, height: 9 }), x);
});
