import assert from "node:assert/strict";
import { decaCrop, toPhotograph } from "../../../../face/crop.ts";
import { shade } from "../../../../face/light_cpu.ts";
import { applyPose, poseToCrop, rotationFromAngles } from "../../../../face/pose.ts";
import { faceRecord } from "../../../../stages/methods/parts/face_record.ts";
import { gridHead, maxDifference, randomStream } from "../../../face/head.ts";

const { model, topology } = gridHead(7);
const angles = { yaw: 25, pitch: -10, roll: 5 };
const pose = { scale: 60, rotation: rotationFromAngles(angles), translation: Float64Array.of(110, -115, 3) };
const box = { left: 400, top: 300, width: 180, height: 220 };
const transform = decaCrop(box, { photograph: { width: 1200, height: 900 } });
const next = randomStream(3);
const light = Float32Array.from({ length: 27 }, () => next() - 0.5);
const record = faceRecord({
  face: 0,
  box,
  angles,
  seen: 0.5,
  seenHalves: { left: 0.25, right: 0.75 },
  cutOff: [],
  colourless: false,
  transform,
  pose,
  metres: 0.055,
  vertices: poseToCrop(pose, model),
  light,
  triangles: topology.triangles.length / 3,
  numbering: { name: "made", vertices: Uint32Array.of(3, 1, 4) },
  size: 256,
  files: { texture: "texture.png" },
});

Deno.test("the camera brings the mesh of the files, in metres, onto the landmarks in the photograph", () => {
  const { matrix } = record.camera;
  record.landmarks.points.forEach((point, i) => {
    const at = [...Array.from(model.subarray(3 * i, 3 * i + 3), (value) => 0.055 * value), 1];
    point.forEach((value, k) => {
      const projected = matrix[k]!.reduce((sum, factor, j) => sum + factor * at[j]!, 0);
      assert.ok(Math.abs(projected - value) < 0.01, `vertex ${i}, axis ${k}: ${projected} and ${value}`);
    });
  });
  const crop = poseToCrop(pose, model);
  const { x, y } = toPhotograph(transform, { x: crop[72]!, y: crop[73]! });
  const [left, top] = record.landmarks.points[24]!;
  assert.ok(Math.abs(left! - x) < 0.01 && Math.abs(top! - y) < 0.01);
});

Deno.test("the rotation turns the mesh's directions as the pose does", () => {
  const direction = Float32Array.of(0, 0, 1);
  const still = { scale: 1, rotation: pose.rotation, translation: new Float64Array(3) };
  const turned = record.camera.rotation.map((row) => row[2]!);
  assert.ok(maxDifference(Float32Array.from(turned), applyPose(still, direction)) < 1e-6);
});

Deno.test("the light is written so that its convention gives the shading", () => {
  const { bands, factors, coefficients } = record.light;
  const [x, y, z] = [0.36, 0.48, 0.8];
  const values: Record<string, number> = {
    "1": 1,
    x,
    y,
    z,
    "x*y": x * y,
    "x*z": x * z,
    "y*z": y * z,
    "x*x-y*y": x * x - y * y,
    "3*z*z-1": 3 * z * z - 1,
  };
  const expected = shade(Float32Array.of(x, y, z), light);
  for (let c = 0; c < 3; c++) {
    const sum = bands.reduce((sum, band, k) => sum + coefficients[k]![c]! * factors[k]! * values[band]!, 0);
    assert.ok(Math.abs(sum - expected[c]!) < 1e-5);
  }
});

Deno.test("the record says what it is of, in plain JSON, and that the albedo's tone is not the person's", () => {
  const back = JSON.parse(JSON.stringify(record));
  assert.deepEqual(back, record);
  assert.equal(back.schema, 1);
  assert.deepEqual(back.photograph, { width: 1200, height: 900 });
  assert.deepEqual(back.crop, { scale: transform.scale, x: transform.x, y: transform.y, size: 224 });
  assert.deepEqual([back.landmarks.numbering, back.landmarks.vertices], ["made", [3, 1, 4]]);
  assert.deepEqual([back.mesh.vertices, back.landmarks.points.length], [49, 49]);
  assert.match(back.albedo.note, /not the person's skin tone/);
  assert.match(back.mesh.part, /^face mask/);
});
