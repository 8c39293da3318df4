import assert from "node:assert/strict";
import type { Tensor, Tensor4D } from "@tensorflow/tfjs";
import { openGpu } from "@ftim/gpu/device";
import { openTfjs } from "@ftim/gpu/tfjs";
import { uploadChen } from "../../../face/chen_faces.ts";
import { openChenDetail } from "../../../nets/chen_detail.ts";
import { type ChenCode, openChenEncoder } from "../../../nets/chen_encoder.ts";
import { readChenModel } from "../../../nets/chen_face_model.ts";
import { openChenRegressor } from "../../../nets/chen_regressor.ts";
import { bytesSource } from "../../../nets/files/source.ts";
import { encodeSafetensors } from "../../../nets/safetensors.ts";
import { relativeError } from "../../gpu/arrays.ts";
import { drawnCheckpoint, drawnFaces, drawnUniform, numbers } from "../../golden/drawn.ts";
import golden from "../../golden/chen.json" with { type: "json" };
import { drawnChenModel } from "../../golden/chen_drawn.ts";
import { checkpoint } from "../files/checkpoint_writer.ts";

const tf = await openTfjs();
const read = (tensor: Tensor) => tensor.data<"float32">();

/** The heads give some 10³, at which no face can be posed; multiplied by this they give some 0.1. A power of two. */
const SMALL = 2 ** -13;

function coarseCheckpoint() {
  const weights = drawnCheckpoint(golden.coarse.tensors);
  for (const [name, { data }] of Object.entries(weights)) {
    if (name.startsWith("CoarseModel/decoder/")) data.forEach((value, i) => data[i] = SMALL * value);
  }
  return checkpoint(weights, "coarse-131000");
}

/** A code as numbers of the size that the drawn heads give. */
function joined(code: ChenCode): Tensor {
  return tf.tidy(() => {
    const first = tf.tensor1d([0.3, 0.3, 0, 0, 0, 0, 0, 0, 0]);
    const parts = Object.values({ ...code, light: tf.sub(code.light, first) });
    const all = tf.concat(parts.map((part) => tf.reshape(part, [part.shape[0]!, -1])), 1);
    return tf.div(all, SMALL);
  });
}

Deno.test("Chen's coarse network gives what the published layers give, and the regressor faces of it", async () => {
  const before = tf.memory().numTensors;
  const model = bytesSource(encodeSafetensors(drawnChenModel()), "BFM2009_Model.mat");
  const regressor = await openChenRegressor({ coarse: coarseCheckpoint(), model });
  const faces = tf.tensor4d(drawnFaces(2, 300), [2, 300, 300, 3]);
  const { code, ...made } = regressor.reconstruct(faces);
  assert.deepEqual(Object.values(code).map(({ shape }) => shape), [[2, 80], [2, 29], [2, 80], [2, 6], [2, 3, 9]]);
  const all = joined(code);
  const codes = await read(all);
  const [first, second] = golden.coarse.codes.map((text) =>
    numbers(text).map((value, i) => value - (i >= 195 && (i - 195) % 9 < 2 ? 0.3 : 0))
  ) as [Float64Array, Float64Array];
  const { length } = first;
  assert.ok(relativeError(codes.slice(0, length), first) < 1e-4, "the first face");
  assert.ok(relativeError(codes.slice(length), second) < 1e-4, "the second face");
  // drawn networks make nearly the same of all pictures
  const difference = codes.slice(0, length).map((value, i) => value - codes[length + i]!);
  assert.ok(relativeError(difference, first.map((value, i) => value - second[i]!)) < 2e-3, "what they differ by");
  const one = tf.slice(faces, [1, 0, 0, 0], [1, -1, -1, -1]);
  const single = regressor.reconstruct(one);
  const alone = joined(single.code);
  assert.deepEqual(await read(alone), codes.slice(length));
  const mesh = uploadChen(tf, await readChenModel(model));
  const again = mesh.faces(code);
  const colours = await read(made.colours);
  assert.deepEqual(await read(again.vertices), await read(made.vertices));
  assert.deepEqual(await read(again.colours), colours);
  assert.ok(colours.every(Number.isFinite));
  const photograph = { width: 640, height: 480 };
  const crop = regressor.place({ left: 200, top: 100, width: 110, height: 110 }, photograph);
  // the landmarks' box is of 100 pixels about (255, 168.2), and the crop of 160 about (255, 158.2)
  assert.deepEqual([crop.size, crop.scale, crop.x], [300, 300 / 160, -175 * 300 / 160]);
  const large = tf.zeros([1, 224, 224, 3]) as Tensor4D;
  assert.throws(() => regressor.reconstruct(large), /takes crops of 300×300, not 224×224/);
  const { code: singleCode, ...singleMade } = single;
  for (const part of [made, again, code, singleCode, singleMade]) tf.dispose(Object.values<Tensor>(part));
  tf.dispose([faces, one, all, alone, large]);
  assert.equal(regressor.detail, undefined);
  regressor.dispose();
  mesh.dispose();
  assert.equal(tf.memory().numTensors, before);
  await (await openGpu()).assertHealthy("Chen's coarse network");
});

Deno.test("Chen's detail network gives what the published layers give", async () => {
  const before = tf.memory().numTensors;
  const network = await openChenDetail(checkpoint(drawnCheckpoint(golden.fine.tensors), "fine-10000"));
  const picture = drawnFaces(1, 512);
  const noise = drawnUniform("render", picture.length);
  const render = picture.map((value, i) => Math.min(1, Math.max(0, value + 0.1 * (noise[i]! - 0.5))));
  const [photograph, coarse] = [picture, render].map((values) => tf.tensor4d(values, [1, 512, 512, 3])) as [
    Tensor4D,
    Tensor4D,
  ];
  const map = network.displacements(photograph, coarse);
  assert.deepEqual(map.shape, [1, 512, 512, 1]);
  const found = (await read(map)).filter((_, i) => i % golden.fine.every === 0);
  assert.ok(relativeError(found, numbers(golden.fine.displacement)) < 1e-4);
  const small = tf.zeros([1, 256, 256, 3]) as Tensor4D;
  assert.throws(() => network.displacements(photograph, small), /takes maps \[1,512,512,3\], not \[1,256,256,3\]/);
  tf.dispose([photograph, coarse, small, map]);
  network.dispose();
  assert.equal(tf.memory().numTensors, before);
  await (await openGpu()).assertHealthy("Chen's detail network");
});

Deno.test("Chen's networks say which file is wrong", async () => {
  const fine = drawnCheckpoint(golden.fine.tensors);
  const { "FineModel/conv2d_transpose_3/bias": _, ...without } = fine;
  await assert.rejects(openChenDetail(checkpoint(without, "x")), /has no tensor "FineModel\/conv2d_transpose_3\/bias"/);
  await assert.rejects(
    openChenEncoder(checkpoint(fine, "x")),
    /must hold the coarse network of Chen et al\., and .* is absent\. It holds the detail network of Chen et al\./,
  );
});
