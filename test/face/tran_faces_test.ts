import assert from "node:assert/strict";
import type { Tensor, Tensor2D, Tensor4D } from "@tensorflow/tfjs";
import { openGpu } from "@ftim/gpu/device";
import { openTfjs } from "@ftim/gpu/tfjs";
import { uploadTran } from "../../face/tran_faces.ts";
import { signedArea } from "../../face/winding.ts";
import { readTranDefinition } from "../../nets/tran_definition.ts";
import { relativeError } from "../gpu/arrays.ts";
import { drawnUniform, numbers } from "../golden/drawn.ts";
import { folderOf, spread, TRAN_VERTICES, tranFiles } from "../golden/tran_drawn.ts";
import golden from "../golden/tran_faces.json" with { type: "json" };

const tf = await openTfjs();
const MAP = { height: 192, width: 224 };
const TEXELS = 192 * 224 * 3;
const model = await readTranDefinition(folderOf(tranFiles()));

function maps() {
  const light = spread("light", 54, 1).map((value, i) => value + (i % 9 === 0 ? 3 : 0));
  return {
    camera: tf.tensor2d(spread("camera", 16, 3), [2, 8]),
    light: tf.tensor3d(light, [2, 3, 9]),
    shape: tf.tensor4d(spread("map", 2 * TEXELS, 0.2), [2, 192, 224, 3]),
    albedo: tf.tensor4d(Float32Array.from(drawnUniform("albedo", 2 * TEXELS)), [2, 192, 224, 3]),
  };
}

const read = (tensor: Tensor) => tensor.data<"float32">();

Deno.test("faces of Tran are where and as light as the published rendering has them", async () => {
  const before = tf.memory().numTensors;
  const mesh = await uploadTran(tf, model, MAP);
  const given = maps();
  const faces = mesh.faces(given, { size: 224 });
  for (const name of ["vertices", "texture", "colours"] as const) {
    const values = await read(faces[name]);
    for (const face of [0, 1]) {
      const own = values.slice(face * values.length / 2, (face + 1) * values.length / 2);
      const sampled = own.filter((_, i) => i % golden.every[name] === 0);
      assert.ok(relativeError(sampled, numbers(golden[name][face]!)) < 1e-4, `${name} of face ${face}`);
    }
  }
  // alone: the same bits
  const second = Object.fromEntries(
    Object.entries(given).map(([name, tensor]) => [name, tf.slice(tensor, 1, 1)]),
  ) as typeof given;
  const alone = mesh.faces(second, { size: 224 });
  for (const name of ["vertices", "texture", "colours"] as const) {
    const both = await read(faces[name]);
    assert.deepEqual(await read(alone[name]), both.slice(both.length / 2), name);
  }
  for (const part of [given, faces, second, alone]) tf.dispose(Object.values<Tensor>(part));
  mesh.dispose();
  assert.equal(tf.memory().numTensors, before);
  await (await openGpu()).assertHealthy("Tran's faces");
});

Deno.test("triangles run counter-clockwise seen from outside, whichever way the file winds them", async () => {
  const turned = {
    ...model,
    triangles: Uint32Array.from(model.triangles),
    weights: Float32Array.from(model.weights),
  };
  for (const triples of [turned.triangles, turned.weights]) {
    for (let t = 0; t < triples.length; t += 3) triples.subarray(t + 1, t + 3).reverse();
  }
  const [mesh, other] = [await uploadTran(tf, model, MAP), await uploadTran(tf, turned, MAP)];
  assert.deepEqual(mesh.triangles, other.triangles);
  const given = maps();
  const [faces, others] = [mesh.faces(given, { size: 224 }), other.faces(given, { size: 224 })];
  // what lights a face is its outer side, so the texture does not depend on the winding
  assert.ok(relativeError(await read(others.texture), await read(faces.texture)) < 1e-6);
  const vertices = await read(faces.vertices);
  const places = Float32Array.from({ length: 2 * TRAN_VERTICES }, (_, i) => vertices[3 * (i >> 1) + i % 2]!);
  let facing = 0;
  for (let t = 0; t < mesh.triangles.length; t += 3) {
    if (signedArea(places, mesh.triangles.subarray(t, t + 3)) < 0) facing++;
  }
  // a bent sheet that looks at the viewer shows most of its outer side
  assert.ok(facing > 0.8 * mesh.triangles.length / 3, `${facing} of ${mesh.triangles.length / 3}`);
  for (const part of [given, faces, others]) tf.dispose(Object.values<Tensor>(part));
  mesh.dispose();
  other.dispose();
});

Deno.test("the chart's places are texel centres of the texture", async () => {
  const mesh = await uploadTran(tf, model, MAP);
  assert.ok(Math.abs(mesh.uvs[0]! - 5.5 / 224) < 1e-6);
  assert.ok(Math.abs(mesh.uvs[1]! - 6.5 / 192) < 1e-6);
  assert.ok(mesh.uvs.every((value) => value > 0 && value < 1));
  const given = maps();
  const small = tf.zeros([2, 96, 112, 3]) as Tensor4D;
  assert.throws(
    () => mesh.faces({ ...given, albedo: small }, { size: 224 }),
    /must be \[2,192,224,3\], not \[2,96,112,3\]/,
  );
  tf.dispose([small, ...Object.values<Tensor>(given)]);
  mesh.dispose();
});

Deno.test("a weak-perspective camera moves a face by what is added to its shifts", async () => {
  const mesh = await uploadTran(tf, model, MAP);
  const given = maps();
  const shifted = tf.tidy(() => tf.add(given.camera, [0, 0, 0, 0, 0, 0, 0.5, -0.25]) as Tensor2D);
  const [faces, moved] = [mesh.faces(given, { size: 224 }), mesh.faces({ ...given, camera: shifted }, { size: 224 })];
  const [from, to] = [await read(faces.vertices), await read(moved.vertices)];
  // the deviations of both shifts are 8 pixels; up in the picture is down in its rows
  for (const [axis, by] of [[0, 4], [1, 2], [2, 0]] as const) {
    assert.ok(from.every((value, i) => i % 3 !== axis || Math.abs(to[i]! - value - by) < 1e-3), `axis ${axis}`);
  }
  for (const part of [given, faces, moved]) tf.dispose(Object.values<Tensor>(part));
  shifted.dispose();
  mesh.dispose();
});
