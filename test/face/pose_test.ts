import assert from "node:assert/strict";
import {
  anglesFromRotation,
  applyPose,
  estimatePose,
  invertPose,
  poseToCrop,
  procrustes,
  rotationFromAngles,
} from "../../face/pose.ts";
import { canonicalFrame } from "../../face/frame.ts";
import { vertexNormals } from "../../face/normals.ts";
import { gridHead, maxDifference, randomStream } from "./head.ts";

const random = randomStream(1);
const { topology, model } = gridHead(11);

function randomPose() {
  const angles = { yaw: 360 * random() - 180, pitch: 160 * random() - 80, roll: 360 * random() - 180 };
  const pose = {
    scale: 20 + 80 * random(),
    rotation: rotationFromAngles(angles),
    translation: Float64Array.from([random() * 224, -random() * 224, random() * 50]),
  };
  return { angles, pose };
}

Deno.test("estimatePose recovers scale, rotation, translation and angles of random poses", () => {
  for (let trial = 0; trial < 50; trial++) {
    const { angles, pose } = randomPose();
    const found = estimatePose(model, { posed: poseToCrop(pose, model) });
    assert.ok(Math.abs(found.scale / pose.scale - 1) < 1e-5);
    assert.ok(maxDifference(found.rotation, pose.rotation) < 1e-5);
    assert.ok(maxDifference(found.translation, pose.translation) < 1e-3);
    const back = anglesFromRotation(found.rotation);
    for (const key of ["yaw", "pitch", "roll"] as const) assert.ok(Math.abs(back[key] - angles[key]) < 1e-2, key);
  }
});

Deno.test("the signs: yaw > 0 points the nose to image right, pitch > 0 up, roll > 0 turns counter-clockwise", () => {
  const at = (
    angles: { yaw: number; pitch: number; roll: number },
    point: number[],
  ) => [
    ...poseToCrop(
      { scale: 1, rotation: rotationFromAngles(angles), translation: new Float64Array(3) },
      Float32Array.from(point),
    ),
  ];
  assert.ok(at({ yaw: 30, pitch: 0, roll: 0 }, [0, 0, 1])[0]! > 0.4);
  assert.ok(at({ yaw: 0, pitch: 30, roll: 0 }, [0, 0, 1])[1]! < -0.4);
  const right = at({ yaw: 0, pitch: 0, roll: 30 }, [1, 0, 0]);
  assert.ok(right[0]! > 0.8 && right[1]! < -0.4, "a point on the right goes up");
  assert.ok(
    at({ yaw: 0, pitch: 0, roll: 0 }, [0, 0, 1])[2]! < 0,
    "the nose is nearest, and near is small z in crop space",
  );
});

Deno.test("procrustes honours weights, never reflects and refuses points that coincide", () => {
  const { pose } = randomPose();
  const target = applyPose(pose, model);
  target[0] = target[0]! + 500;
  const weights = new Float32Array(model.length / 3).fill(1);
  weights[0] = 0;
  assert.ok(maxDifference(procrustes(model, { target, weights }).rotation, pose.rotation) < 1e-5);
  const reflected = model.map((value, k) => k % 3 === 0 ? -value : value);
  const r = procrustes(model, { target: reflected }).rotation;
  const determinant = r[0]! * (r[4]! * r[8]! - r[5]! * r[7]!) - r[1]! * (r[3]! * r[8]! - r[5]! * r[6]!) +
    r[2]! * (r[3]! * r[7]! - r[4]! * r[6]!);
  assert.ok(Math.abs(determinant - 1) < 1e-9);
  assert.throws(() => procrustes(new Float32Array(9), { target: new Float32Array(9) }), RangeError);
  assert.throws(() => procrustes(model, { target: model.subarray(3) }), RangeError);
});

Deno.test("invertPose undoes applyPose", () => {
  const { pose } = randomPose();
  assert.ok(maxDifference(invertPose(pose, applyPose(pose, model)), model) < 1e-4);
});

Deno.test("canonicalFrame finds the pose of a symmetric mesh from the mesh alone", () => {
  // The head was made upright, looking along +z.
  const own = canonicalFrame(model, topology);
  const { yaw, pitch, roll } = anglesFromRotation(own.rotation);
  assert.ok(Math.abs(yaw) < 1e-3 && Math.abs(pitch) < 5 && Math.abs(roll) < 1e-3, `${yaw} ${pitch} ${roll}`);
  const upright = invertPose(own, model);
  for (let trial = 0; trial < 10; trial++) {
    const { pose } = randomPose();
    const posed = applyPose(pose, upright);
    const frame = canonicalFrame(posed, topology);
    assert.ok(maxDifference(frame.rotation, pose.rotation) < 1e-4);
    assert.ok(Math.abs(frame.scale / pose.scale - 1) < 1e-5);
  }
});

Deno.test("vertexNormals of a sphere point away from its centre, toward the viewer in front", () => {
  const sphere = model.slice();
  for (let i = 0; i < sphere.length; i += 3) {
    const length = Math.hypot(sphere[i]!, sphere[i + 1]!, sphere[i + 2]!);
    for (let k = 0; k < 3; k++) sphere[i + k] = sphere[i + k]! / length;
  }
  const crop = poseToCrop({
    scale: 100,
    rotation: rotationFromAngles({ yaw: 0, pitch: 0, roll: 0 }),
    translation: new Float64Array(3),
  }, sphere);
  const normals = vertexNormals(crop, topology);
  let inner = 0;
  for (let i = 0; i < sphere.length; i += 3) {
    const dot = normals[i]! * sphere[i]! + normals[i + 1]! * sphere[i + 1]! + normals[i + 2]! * sphere[i + 2]!;
    inner += dot / (sphere.length / 3);
  }
  assert.ok(inner > 0.98, `mean cosine ${inner}`);
});
