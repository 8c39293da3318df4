import assert from "node:assert/strict";
import { openTfjs } from "@ftim/gpu/tfjs";
import { openFaceRes } from "../../nets/faceres.ts";
import { resampleCpu } from "../../nets/resample_cpu.ts";
import { asset } from "../assets.ts";
import { checkGradient, cosine, FACES, photograph, stackImages } from "./inputs.ts";

const files = { model: await asset("models/faceres.json"), weights: await asset("models/faceres.bin") };

Deno.test("embed() tells people apart by the cosine of their descriptors", async () => {
  const tf = await openTfjs();
  const net = await openFaceRes(files);
  const crops = [];
  for (const { id, box } of FACES) crops.push(resampleCpu(await photograph(id), { box, width: 224, height: 224 }));
  const embedded = net.embed(stackImages(tf, crops));
  assert.deepEqual(embedded.shape, [FACES.length, 1024]);
  const values = await embedded.data();
  const similar = (i: number, j: number) =>
    cosine(values.subarray(1024 * i, 1024 * i + 1024), values.subarray(1024 * j, 1024 * j + 1024));
  assert.ok(similar(0, 1) > 0.75, `one person ${similar(0, 1)}`);
  for (const [i, j] of [[0, 2], [1, 2], [0, 3], [1, 3], [2, 3]] as const) {
    assert.ok(similar(i, j) < 0.6, `persons ${i} and ${j}: ${similar(i, j)}`);
  }
  net.dispose();
});

Deno.test("embed() has the right gradient in an image of another size, and leaks nothing", async () => {
  const tf = await openTfjs();
  const net = await openFaceRes(files);
  const { id, box } = FACES[0]!;
  const x = stackImages(tf, [resampleCpu(await photograph(id), { box, width: 160, height: 160 })]);
  const loss = (input: typeof x) => tf.tidy(() => tf.sum(tf.square(net.embed(input))));
  const gradient = tf.grad((input) => loss(input as typeof x))(x);
  await checkGradient(tf, { loss, x, gradient });

  const before = tf.memory().numTensors;
  tf.dispose([net.embed(x), tf.grad((input) => loss(input as typeof x))(x)]);
  assert.equal(tf.memory().numTensors, before);
  net.dispose();
});
