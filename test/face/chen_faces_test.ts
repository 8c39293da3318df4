import assert from "node:assert/strict";
import type { Tensor } from "@tensorflow/tfjs";
import { openGpu } from "@ftim/gpu/device";
import { openTfjs } from "@ftim/gpu/tfjs";
import { uploadChenDetail } from "../../face/chen_detail_faces.ts";
import { uploadChen } from "../../face/chen_faces.ts";
import { bytesSource } from "../../nets/files/source.ts";
import { readChenModel } from "../../nets/chen_face_model.ts";
import { encodeSafetensors } from "../../nets/safetensors.ts";
import { relativeError } from "../gpu/arrays.ts";
import { drawnChenChart, drawnChenModel } from "../golden/chen_drawn.ts";
import { drawnFaces, numbers } from "../golden/drawn.ts";
import { spread } from "../golden/tran_drawn.ts";
import golden from "../golden/chen_faces.json" with { type: "json" };

const tf = await openTfjs();
const model = await readChenModel(bytesSource(encodeSafetensors(drawnChenModel()), "BFM2009_Model.mat"));

function parameters() {
  const light = spread("light", 54, 0.6).map((value, i) => value + (i % 9 === 0 ? 2.6 : 0));
  return {
    shape: tf.tensor2d(spread("shape", 160, 4), [2, 80]),
    expression: tf.tensor2d(spread("expression", 58, 4), [2, 29]),
    albedo: tf.tensor2d(spread("albedo", 160, 4), [2, 80]),
    pose: tf.tensor2d([0.1, -0.4, 0.05, 6, -9, 0.1, -0.2, 0.8, -0.1, -12, 4, -0.15], [2, 6]),
    light: tf.tensor3d(light, [2, 3, 9]),
  };
}

const read = (tensor: Tensor) => tensor.data<"float32">();

Deno.test("faces of Chen are where and as light as the published functions have them, alone too", async () => {
  const before = tf.memory().numTensors;
  const mesh = uploadChen(tf, model);
  const given = parameters();
  const faces = mesh.faces(given);
  const second = Object.fromEntries(
    Object.entries(given).map(([name, tensor]) => [name, tf.slice(tensor, 1, 1)]),
  ) as typeof given;
  const alone = mesh.faces(second);
  for (const name of ["vertices", "albedo", "colours"] as const) {
    const values = await read(faces[name]);
    const own = (face: number) => values.slice(face * values.length / 2, (face + 1) * values.length / 2);
    for (const face of [0, 1]) {
      const sampled = own(face).filter((_, i) => i % golden.every[name] === 0);
      assert.ok(relativeError(sampled, numbers(golden[name][face]!)) < 1e-4, `${name} of face ${face}`);
    }
    assert.deepEqual(await read(alone[name]), own(1), name);
  }
  for (const part of [given, faces, second, alone]) tf.dispose(Object.values<Tensor>(part));
  mesh.dispose();
  assert.equal(tf.memory().numTensors, before);
  await (await openGpu()).assertHealthy("Chen's faces");
});

Deno.test("detailed faces of Chen are where and as light as the published functions have them", async () => {
  const before = tf.memory().numTensors;
  const mesh = uploadChen(tf, model);
  const detail = uploadChenDetail(tf, model, drawnChenChart());
  const given = parameters();
  const faces = mesh.faces(given);
  const pictures = tf.tensor4d(drawnFaces(2, 300), [2, 300, 300, 3]);
  const displacements = tf.tensor4d(spread("displacement", 2 * 512 * 512, 2), [2, 512, 512, 1]);
  const unwrapped = detail.unwrap(pictures, faces.vertices);
  const fine = detail.faces(displacements, { coarse: faces, pose: given.pose, light: given.light });
  const found = { unwrapped, fineVertices: fine.vertices, fineColours: fine.colours };
  for (const name of ["unwrapped", "fineVertices", "fineColours"] as const) {
    const values = await read(found[name]);
    for (const face of [0, 1]) {
      const own = values.slice(face * values.length / 2, (face + 1) * values.length / 2);
      const sampled = own.filter((_, i) => i % golden.every[name] === 0);
      assert.ok(relativeError(sampled, numbers(golden[name][face]!)) < 1e-4, `${name} of face ${face}`);
    }
  }
  assert.deepEqual(fine.vertices.shape, [2, 80 * 100, 3]);
  assert.equal(detail.triangles.length, 2 * 3 * 79 * 99);
  assert.throws(() => detail.unwrap(displacements, faces.vertices), /Cannot unwrap pictures \[2,512,512,1\]/);
  tf.dispose([pictures, displacements, unwrapped]);
  for (const part of [given, faces, fine]) tf.dispose(Object.values<Tensor>(part));
  mesh.dispose();
  detail.dispose();
  assert.equal(tf.memory().numTensors, before);
  await (await openGpu()).assertHealthy("Chen's detailed faces");
});

Deno.test("a code of another length than the model's is refused", () => {
  const mesh = uploadChen(tf, model);
  const given = parameters();
  assert.throws(
    () => mesh.faces({ ...given, expression: given.shape }),
    /has 109 components of shape and expression and 80 of albedo, not 80 \+ 80 and 80/,
  );
  tf.dispose(Object.values<Tensor>(given));
  mesh.dispose();
});
