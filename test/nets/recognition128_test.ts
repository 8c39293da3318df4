import assert from "node:assert/strict";
import { openTfjs } from "@ftim/gpu/tfjs";
import { openRecognition128 } from "../../nets/recognition128.ts";
import { resampleCpu } from "../../nets/resample_cpu.ts";
import { asset } from "../assets.ts";
import golden from "../golden/recognition128.json" with { type: "json" };
import { checkGradient, FACES, near, noise, photograph, stackImages } from "./inputs.ts";

const files = {
  manifest: await asset("models/face_recognition_model-weights_manifest.json"),
  weights: await asset("models/face_recognition_model.bin"),
};

Deno.test("embed() equals face-api.js, made by test/golden/make_recognition128.mjs", async () => {
  const tf = await openTfjs();
  const net = await openRecognition128(files);
  const data = Float32Array.from({ length: 2 * 150 * 150 * 3 }, (_, i) => pattern(i % 67500, Math.floor(i / 67500)));
  near(await net.embed(tf.tensor4d(data, [2, 150, 150, 3])).data(), golden.flat(), 1e-5);
  net.dispose();
});

Deno.test("embed() puts photographs of one person within 0.6 and others farther", async () => {
  const tf = await openTfjs();
  const net = await openRecognition128(files);
  const descriptors: Float32Array[] = [];
  for (const { id, box } of FACES) {
    const crop = resampleCpu(await photograph(id), { box, width: 150, height: 150 });
    descriptors.push(await net.embed(stackImages(tf, [crop])).data() as Float32Array);
  }
  const distance = (i: number, j: number) => Math.hypot(...descriptors[i]!.map((v, k) => v - descriptors[j]![k]!));
  assert.ok(distance(0, 1) < 0.5, `one person ${distance(0, 1)}`);
  for (const [i, j] of [[0, 2], [1, 2], [0, 3], [1, 3], [2, 3]] as const) {
    assert.ok(distance(i, j) > 0.6, `persons ${i} and ${j}: ${distance(i, j)}`);
  }
  net.dispose();
});

Deno.test("embed() and features() have the right gradient in the image, boxes included, and leak nothing", async () => {
  const tf = await openTfjs();
  const net = await openRecognition128(files);
  const box = { left: 10, top: 5, width: 160, height: 170 };
  const x = stackImages(tf, [noise({ width: 180, height: 180, seed: 1 })]);
  const loss = (input: typeof x) =>
    tf.tidy(() => {
      const { stride4, stride8, descriptor } = net.features(input, { box });
      return tf.addN([tf.mean(tf.square(stride4)), tf.mean(tf.square(stride8)), tf.sum(tf.square(descriptor))]);
    });
  const gradient = tf.grad((input) => loss(input as typeof x))(x);
  await checkGradient(tf, { loss, x, gradient });

  const before = tf.memory().numTensors;
  tf.dispose([net.embed(x, { box }), tf.grad((input) => loss(input as typeof x))(x)]);
  assert.equal(tf.memory().numTensors, before);
  const shapes = Object.values(net.features(x)).map((tensor) => tensor.shape);
  assert.deepEqual(shapes, [[1, 35, 35, 32], [1, 17, 17, 64], [1, 128]]);
  net.dispose();
});

Deno.test("openRecognition128() refuses weights that do not fit", async () => {
  const weights = files.weights.subarray(1);
  await assert.rejects(openRecognition128({ ...files, weights }), { name: "RangeError", message: /manifest asks for/ });
  const manifest = new TextEncoder().encode(
    JSON.stringify([{ paths: ["w.bin"], weights: [{ name: "fc", shape: [1], dtype: "float32" }] }]),
  );
  await assert.rejects(openRecognition128({ manifest, weights: new Uint8Array(4) }), /weight ".*" is absent/);
});

// As in test/golden/make_recognition128.mjs.
function pattern(i: number, phase: number): number {
  const [channel, x, y] = [i % 3, Math.floor(i / 3) % 150, Math.floor(i / 450)];
  return 0.5 + 0.25 * Math.sin(x / (9 + channel) + phase) + 0.25 * Math.cos(y / (7 + 2 * channel) - 2 * phase);
}
