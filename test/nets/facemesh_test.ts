import assert from "node:assert/strict";
import { openTfjs } from "@ftim/gpu/tfjs";
import { openFaceMesh, VERTEX_COUNT } from "../../nets/facemesh.ts";
import { mirrorImage } from "../../nets/network_input.ts";
import { resampleCpu } from "../../nets/resample_cpu.ts";
import { squareAround } from "../../nets/resample_taps.ts";
import { asset } from "../assets.ts";
import { noise, photograph, stackImages } from "./inputs.ts";

const NOSE_TIP = 1;
const [CHEEK_LEFT, CHEEK_RIGHT] = [234, 454]; // in the image
const [BROW, CHIN] = [10, 152];

const files = { model: await asset("models/facemesh.json"), weights: await asset("models/facemesh.bin") };
const image = await photograph("train/franck/franck_01829.jpg");
const box = squareAround({ left: 268, top: 102, width: 241, height: 382 }, 1.1);

Deno.test("predict() meshes crops of different sizes in their own pixels, nose nearer than cheeks", async () => {
  const net = await openFaceMesh(files);
  const crop = resampleCpu(image, { box, width: 224, height: 224 });
  const double = resampleCpu(image, { box, width: 448, height: 448 });
  const tf = await openTfjs();
  const batch = [crop, mirrorImage(crop), noise({ width: 224, height: 224, seed: 1 })];
  const [small, mirrored, nothing] = await net.predict(stackImages(tf, batch));
  const [large] = await net.predict(stackImages(tf, [double]));
  assert.ok(small && large && mirrored && nothing);
  assert.ok(small.score > 0.99 && large.score > 0.99 && mirrored.score > 0.99);
  assert.ok(nothing.score < 0.3, `score of noise ${nothing.score}`);
  assert.equal(small.vertices.length, 3 * VERTEX_COUNT);

  const at = (i: number, axis: number) => small.vertices[3 * i + axis]!;
  assert.ok(at(CHEEK_LEFT, 0) < at(NOSE_TIP, 0) && at(NOSE_TIP, 0) < at(CHEEK_RIGHT, 0));
  assert.ok(at(BROW, 1) < at(NOSE_TIP, 1) && at(NOSE_TIP, 1) < at(CHIN, 1));
  assert.ok(at(NOSE_TIP, 2) < at(CHEEK_LEFT, 2) - 20 && at(NOSE_TIP, 2) < at(CHEEK_RIGHT, 2) - 20);

  let scaled = 0;
  for (let i = 0; i < small.vertices.length; i++) scaled += Math.abs(large.vertices[i]! - 2 * small.vertices[i]!);
  assert.ok(scaled / small.vertices.length < 1, `mean ${scaled / small.vertices.length} of 448 pixels`);
  for (const [i, opposite] of [[NOSE_TIP, NOSE_TIP], [CHEEK_LEFT, CHEEK_RIGHT], [BROW, BROW], [33, 263]] as const) {
    assert.ok(Math.abs(mirrored.vertices[3 * opposite]! - (224 - at(i, 0))) < 4, `x of ${i}`);
    assert.ok(Math.abs(mirrored.vertices[3 * opposite + 1]! - at(i, 1)) < 4, `y of ${i}`);
  }
  net.dispose();
});

Deno.test("predict() gives the same bits in a batch as alone, and refuses a crop that is not square", async () => {
  const tf = await openTfjs();
  const net = await openFaceMesh(files);
  const crop = resampleCpu(image, { box, width: 200, height: 200 });
  const [alone] = await net.predict(stackImages(tf, [crop]));
  const [first, second] = await net.predict(stackImages(tf, [crop, crop]));
  assert.deepEqual([first, second], [alone, alone]);
  await assert.rejects(net.predict(tf.zeros([1, 10, 12, 3])), /12×10 pixels: it must be square/);
  net.dispose();
});
