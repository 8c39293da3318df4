import assert from "node:assert/strict";
import type * as tfjs from "@tensorflow/tfjs";
import { openTfjs } from "@ftim/gpu/tfjs";
import { fitLinearAlbedos, type LinearFace } from "../../nets/linear_albedo_fit.ts";
import { randomStream } from "../face/head.ts";

const side = 24;
const next = randomStream(5);
const noise = (scale: number) => Float32Array.from({ length: 3 * side * side }, () => scale * (next() - 0.5));
const truth = [0.9, -0.6, 0.3];

/** A face whose photograph is exactly what the coefficients `truth` give. */
function face(): LinearFace {
  const base = noise(0.4).map((value) => value + 0.5);
  const parts = truth.map(() => noise(0.2));
  const photograph = base.map((value, i) => truth.reduce((sum, code, k) => sum + code * parts[k]![i]!, value));
  const weight = new Float32Array(side * side).fill(1);
  return {
    base,
    parts,
    photograph,
    weight,
    face: { left: 0, top: 0, width: side, height: side },
    code: new Float32Array(3),
  };
}

const tf = await openTfjs();
const options = {
  network: {
    side,
    describe: (x: tfjs.Tensor4D) => tf.reshape(tf.avgPool(x, 4, 4, "same"), [x.shape[0], -1]) as tfjs.Tensor2D,
  },
  photometric: 1.92,
  perceptual: 0.2,
  prior: 0,
  steps: 60,
  learningRate: 0.1,
};

/** One face alone. */
async function fitLinearAlbedo(scene: LinearFace, how: typeof options): Promise<Float32Array> {
  return (await fitLinearAlbedos(tf, [scene], how))[0]!;
}

Deno.test("faces are fitted together with the same bits as alone", async () => {
  const faces = [face(), face(), face()];
  const together = await fitLinearAlbedos(tf, faces, options);
  for (const [i, scene] of faces.entries()) assert.deepEqual(await fitLinearAlbedo(scene, options), together[i]);
});

Deno.test("fitLinearAlbedos finds the coefficients of a face that the model can express, and repeats", async () => {
  const scene = face();
  const code = await fitLinearAlbedo(scene, options);
  code.forEach((value, k) => assert.ok(Math.abs(value - truth[k]!) < 0.03, `${[...code]}`));
  const before = tf.memory().numTensors;
  assert.deepEqual(await fitLinearAlbedo(scene, options), code);
  assert.equal(tf.memory().numTensors, before);
});

Deno.test("a pixel without weight does not count; the perceptual term alone fits the pictures, too", async () => {
  const scene = face();
  const spoilt = { ...scene, photograph: scene.photograph.slice(), weight: scene.weight.slice() };
  for (let pixel = 0; pixel < 200; pixel++) {
    spoilt.photograph.fill(0, 3 * pixel, 3 * pixel + 3);
    spoilt.weight[pixel] = 0;
  }
  const code = await fitLinearAlbedo(spoilt, { ...options, perceptual: 0 });
  code.forEach((value, k) => assert.ok(Math.abs(value - truth[k]!) < 0.03, `${[...code]}`));
  const seen = await fitLinearAlbedo(scene, { ...options, photometric: 0, perceptual: 1, steps: 80 });
  const distance = (a: ArrayLike<number>) => Math.hypot(...truth.map((value, k) => value - a[k]!));
  assert.ok(distance(seen) < 0.5 * distance([0, 0, 0]), `${[...seen]}`);
});
