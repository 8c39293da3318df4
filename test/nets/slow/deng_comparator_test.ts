import assert from "node:assert/strict";
import { openGpu } from "@ftim/gpu/device";
import { openTfjs } from "@ftim/gpu/tfjs";
import { uploadBfm } from "../../../face/deng_face.ts";
import { readBfmFront } from "../../../nets/bfm_front_file.ts";
import { openDeng } from "../../../nets/comparators/deng.ts";
import { openDengEncoder } from "../../../nets/deng_encoder.ts";
import { bytesSource } from "../../../nets/files/source.ts";
import { drawnBfmFront, drawnDengEncoder, drawnStandardLandmarks } from "../deng_weights.ts";
import { matlabFile, type Matrix } from "../files/matlab_writer.ts";
import { oldTorchArchive } from "../files/torch_writer.ts";
import { noise } from "../inputs.ts";

const tf = await openTfjs();
const drawn = drawnBfmFront();
const source = (matrices: Record<string, Matrix>) => bytesSource(matlabFile(matrices), "BFM_model_front.mat");
const files = {
  encoder: bytesSource(oldTorchArchive(drawnDengEncoder()), "epoch_20.pth"),
  model: source(drawn),
  standard: bytesSource(matlabFile(drawnStandardLandmarks()), "similarity_Lm3D_all.mat"),
};

Deno.test("the face model is read: components in rows, indices from 0, the mean taken off", async () => {
  const model = await readBfmFront(files.model);
  const [size, row] = [model.mean.length, 4567];
  assert.equal(model.components[3 * size + row], drawn.idBase!.data[80 * row + 3]);
  assert.equal(model.components[(80 + 5) * size + row], drawn.exBase!.data[64 * row + 5]);
  assert.equal(model.albedoComponents[79 * size + row], drawn.texBase!.data[80 * row + 79]);
  assert.equal(model.albedo[row], drawn.meantex!.data[row]);
  assert.deepEqual([...model.triangles.subarray(0, 3)], [0, 189, 1]);
  const none = model.triangles.length / 3;
  assert.deepEqual([...model.around.subarray(0, 8)], [0, none, none, none, none, none, none, none]);
  for (const axis of [0, 1, 2]) {
    const sum = model.mean.reduce((sum, value, i) => i % 3 === axis ? sum + value : sum, 0);
    assert.ok(Math.abs(sum) < 1e-2, `axis ${axis}: ${sum}`);
  }
  const { idBase, ...without } = drawn;
  await assert.rejects(readBfmFront(source(without)), /must hold the front of the Basel.*"idBase" is absent/);
  const bad = drawn.tri!.data.slice();
  bad[5] = 40_000;
  await assert.rejects(readBfmFront(source({ ...drawn, tri: { ...drawn.tri!, data: bad } })), /"tri" names 40000/);
  assert.ok(idBase);
});

Deno.test("the comparator is its parts, one after the other, alone and in a batch, and leaks nothing", async () => {
  const before = tf.memory().numTensors;
  const comparator = await openDeng(files);
  const faces = [1, 2].map((seed) => {
    const image = noise({ width: 300, height: 280, seed });
    const points = [[0, 0], [60, 2], [30, 35], [8, 70], [55, 71]].map(([x, y]) => ({
      x: 90 + 20 * seed + x!,
      y: 80 + y!,
    }));
    return { image, face: { box: { left: 80, top: 60, width: 100, height: 130 }, points, by: "the test" } };
  });
  const { crops, parts } = comparator.crop(tf, faces);
  assert.deepEqual(crops.shape, [2, 224, 224, 3]);
  assert.ok(parts.every(({ width, height }) => width > 100 && Math.abs(width - height) < 3), JSON.stringify(parts));
  const made = await comparator.reconstruct(crops);
  const [vertices, colours] = [await made.vertices.data<"float32">(), await made.colours!.data<"float32">()];
  const [encoder, bfm] = [await openDengEncoder(files.encoder), uploadBfm(tf, await readBfmFront(files.model))];
  const second = tf.slice(crops, [1], [1]);
  const alone = tf.tidy(() => bfm.faces(encoder.encode(second)));
  assert.deepEqual(await alone.vertices.data(), vertices.slice(vertices.length / 2));
  assert.deepEqual(await alone.colours.data(), colours.slice(colours.length / 2));
  // within the crop, more or less, so that the end-to-end test draws something
  const middle = vertices.subarray(3 * 17_800, 3 * 17_801);
  assert.ok(middle[0]! > 0 && middle[0]! < 224 && middle[1]! > 0 && middle[1]! < 224, `${middle}`);
  tf.dispose([crops, second, ...Object.values(made), ...Object.values(alone)]);
  encoder.dispose();
  bfm.dispose();
  comparator.dispose();
  assert.equal(tf.memory().numTensors, before);
  await (await openGpu()).assertHealthy("Deng's comparator");
});
