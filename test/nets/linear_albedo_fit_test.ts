import assert from "node:assert/strict";
import type { Scalar, Tensor2D, Tensor4D, Variable } from "@tensorflow/tfjs";
import { openTfjs } from "@ftim/gpu/tfjs";
import { adam, valueAndGradients } from "../../nets/adam.ts";
import { fitLinearAlbedos } from "../../nets/linear_albedo_fit.ts";
import { cosines } from "../../nets/losses.ts";
import { resample } from "../../nets/resample.ts";
import { maxDifference, randomStream } from "../face/head.ts";
import { dispose, type LinearFace, upload } from "./linear_faces_lab.ts";

const next = randomStream(5);
const truth = [0.9, -0.6, 0.3, 0.2, -0.4];

/** A face whose photograph, of `side`² pixels, is exactly what the coefficients `truth` give. */
function face(side = 24): LinearFace {
  const noise = (scale: number) => Float32Array.from({ length: 3 * side * side }, () => scale * (next() - 0.5));
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
    code: new Float32Array(truth.length),
  };
}

const tf = await openTfjs();
const options = {
  network: {
    side: 24,
    describe: (x: Tensor4D) => tf.reshape(tf.avgPool(x, 4, 4, "same"), [x.shape[0], -1]) as Tensor2D,
  },
  photometric: 1.92,
  perceptual: 0.2,
  prior: 0,
  steps: 60,
  learningRate: 0.1,
};

async function fit(faces: readonly LinearFace[], how: typeof options, most?: number): Promise<Float32Array[]> {
  const uploaded = upload(tf, faces, most);
  const codes = await fitLinearAlbedos(tf, uploaded, how);
  dispose(uploaded);
  return codes;
}

/** The same of one face by tfjs's own operations and gradients. */
async function reference({ base, parts, photograph, weight, face, code }: LinearFace, how: typeof options) {
  const { network, photometric, perceptual, prior, steps, learningRate } = how;
  const side = Math.sqrt(weight.length);
  const shape = [1, side, side, 3] as [number, number, number, number];
  const [seen, start] = [tf.tensor4d(photograph, shape), tf.tensor4d(base, shape)];
  const rows = tf.tensor2d(parts.flatMap((part) => [...part]), [parts.length, base.length]);
  const own = tf.tensor4d(weight, [1, side, side, 1]);
  const variable = tf.variable(tf.tensor2d(code, [1, parts.length])) as Variable;
  const look = (x: Tensor4D) =>
    network.describe(resample(tf, x, { box: face, width: network.side, height: network.side }));
  const optimiser = adam(tf, { code: variable });
  for (let step = 0; step < steps; step++) {
    const { gradients } = valueAndGradients(tf, { code: variable }, () => {
      const picture = tf.add(start, tf.reshape(tf.matMul(variable as unknown as Tensor2D, rows), shape)) as Tensor4D;
      const error = tf.sqrt(tf.add(tf.sum(tf.square(tf.sub(picture, seen)), 3, true), 1e-8));
      const skin = tf.div(tf.sum(tf.mul(error, own)), weight.reduce((a, b) => a + b, 0) + 1e-6);
      return tf.addN([
        tf.mul(photometric, skin),
        tf.mul(prior, tf.mean(tf.square(variable))),
        tf.mul(-perceptual, tf.sum(cosines(tf, look(picture), look(seen)))),
      ]) as Scalar;
    });
    optimiser.step(gradients, learningRate);
  }
  return await variable.data<"float32">();
}

Deno.test("fitLinearAlbedos steps as tfjs does, with boxes beyond the picture and pixels off the face", async () => {
  const faces = [face(), face(), face()].map((scene, i) => ({
    ...scene,
    photograph: scene.photograph.map((value) => value + 0.1 * (next() - 0.5)),
    weight: scene.weight.map((_, pixel) => pixel % 5 === i ? 0 : next()),
    face: { left: 3 * i - 2.5, top: 1.25, width: 15.5, height: 15.5 },
    code: Float32Array.from(truth, () => next() - 0.5),
  }));
  const how = { ...options, network: { ...options.network, side: 12 }, prior: 0.05, steps: 12 };
  const together = await fit(faces, how);
  for (const [i, scene] of faces.entries()) {
    const difference = maxDifference(together[i]!, await reference(scene, how));
    // Adam divides by the size of the gradient, and so multiplies what rounding does to a small one.
    assert.ok(difference < 2e-3, `face ${i}: ${difference}`);
  }
});

Deno.test("faces are fitted together with the same bits as alone, however their parts are divided", async () => {
  // Sums over so many pixels are added up by several invocations.
  const faces = [face(72), face(72), face(72)].map((scene) => ({ ...scene, weight: scene.weight.map(() => next()) }));
  const together = await fit(faces, options);
  assert.deepEqual(await fit(faces, options, 2), together);
  for (const [i, scene] of faces.entries()) assert.deepEqual((await fit([scene], options))[0], together[i]);
});

Deno.test("fitLinearAlbedos finds the coefficients of a face that the model can express, and repeats", async () => {
  const scene = face();
  const [code] = await fit([scene], options);
  code!.forEach((value, k) => assert.ok(Math.abs(value - truth[k]!) < 0.03, `${[...code!]}`));
  const before = tf.memory().numTensors;
  assert.deepEqual((await fit([scene], options))[0], code);
  assert.equal(tf.memory().numTensors, before);
});

Deno.test("a pixel without weight does not count; the perceptual term alone fits the pictures, too", async () => {
  const scene = face();
  const spoilt = { ...scene, photograph: scene.photograph.slice(), weight: scene.weight.slice() };
  for (let pixel = 0; pixel < 200; pixel++) {
    spoilt.photograph.fill(0, 3 * pixel, 3 * pixel + 3);
    spoilt.weight[pixel] = 0;
  }
  const [code] = await fit([spoilt], { ...options, perceptual: 0 });
  code!.forEach((value, k) => assert.ok(Math.abs(value - truth[k]!) < 0.03, `${[...code!]}`));
  const [seen] = await fit([scene], { ...options, photometric: 0, perceptual: 1, steps: 80 });
  const distance = (a: ArrayLike<number>) => Math.hypot(...truth.map((value, k) => value - a[k]!));
  assert.ok(distance(seen!) < 0.6 * distance([0, 0, 0, 0, 0]), `${[...seen!]}`);
});
