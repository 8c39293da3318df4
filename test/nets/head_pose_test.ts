import assert from "node:assert/strict";
import { expectedAngle, openHeadPose } from "../../nets/head_pose.ts";
import { mirrorImage } from "../../nets/network_input.ts";
import { asset } from "../assets.ts";
import { FACES, near, noise, photograph } from "./inputs.ts";

Deno.test("expectedAngle() is the mean of bins of 3 degrees from -99", () => {
  const logits = (entries: Record<number, number>) => Float32Array.from({ length: 66 }, (_, i) => entries[i] ?? -1e4);
  assert.equal(expectedAngle(logits({ 0: 0 })), -99);
  assert.equal(expectedAngle(logits({ 33: 5 })), 0);
  assert.equal(expectedAngle(logits({ 65: 800 })), 96);
  near([expectedAngle(logits({ 30: Math.log(3), 40: 0 }))], [30 * 3 * 0.75 + 40 * 3 * 0.25 - 99], 1e-4);
  near([expectedAngle(new Float32Array(66))], [-1.5], 1e-4);
});

Deno.test("mirrorImage() exchanges left and right and undoes itself", () => {
  const image = noise({ width: 5, height: 3, seed: 1 });
  const mirrored = mirrorImage(image);
  assert.deepEqual(mirrored.data.subarray(3 * 5, 3 * 6), image.data.subarray(3 * 9, 3 * 10));
  assert.deepEqual(mirrorImage(mirrored).data, image.data);
});

// The detector's boxes, and the angles that one sees: nose to the image's left or right, head tilted.
const faces = [
  { id: "test/sample2.jpg", box: [359, 112, 176, 299], yaw: [-95, -60], pitch: [-30, 0], roll: [10, 40] },
  { id: "test/sample5.jpg", box: [601, 418, 175, 254], yaw: [25, 50], pitch: [-15, 5], roll: [-10, 10] },
  { id: "test/sample1.jpg", box: [828, 425, 202, 228], yaw: [-25, -5], pitch: [-35, -12], roll: [15, 40] },
  { id: "train/obama/obama4_crop.jpg", box: [29, -11, 232, 284], yaw: [-6, 6], pitch: [-18, 0], roll: [-6, 6] },
] as const;

Deno.test("estimate() tells how a head is turned and tilted, in each picture and in its mirror image", async () => {
  const pose = await openHeadPose(await asset("models/fr_pose.onnx"));
  for (const { id, box: [left, top, width, height], ...expected } of faces) {
    const image = await photograph(id);
    const other = { left: image.width - left - width, top, width, height };
    // Each picture is read once and alone: that the mirror image turns yaw and roll is what the network sees.
    const direct = await pose.estimate(image, { left, top, width, height }, { mirror: false });
    const mirrored = await pose.estimate(mirrorImage(image), other, { mirror: false });
    const turned = { yaw: -mirrored.yaw, pitch: mirrored.pitch, roll: -mirrored.roll };
    for (const angles of [direct, turned]) {
      for (const name of ["yaw", "pitch", "roll"] as const) {
        const [low, high] = expected[name];
        assert.ok(angles[name] > low && angles[name] < high, `${id} ${name} ${angles[name]}`);
      }
    }
    const { yaw, pitch, roll } = await pose.estimate(image, { left, top, width, height });
    const mean = (name: "yaw" | "pitch" | "roll") => (direct[name] + turned[name]) / 2;
    near([yaw, pitch, roll], [mean("yaw"), mean("pitch"), mean("roll")], 0.3);
    assert.ok(Math.abs(direct.yaw - turned.yaw) > 0.05, `${id}: the second reading changes nothing`);
  }
  await pose.dispose();
});

/**
 * Yaw and pitch in degrees of the 468-point mesh, of {@linkcode FACES} in their order: of the plane of cheeks, brow and
 * chin.
 */
const MESH = [[-1.4, 5.2], [4.9, 4.1], [0.5, -12.4], [-1.7, -18.8]] as const;

Deno.test("estimate() agrees with the mesh, another network, on where faces point and how their eyes lie", async () => {
  const pose = await openHeadPose(await asset("models/fr_pose.onnx"));
  for (const [i, { id, face, eyes: [ax, ay, bx, by] }] of FACES.entries()) {
    const { yaw, pitch, roll } = await pose.estimate(await photograph(id), face);
    const [meshYaw, meshPitch] = MESH[i]!;
    const tilt = Math.atan2(ay! - by!, bx! - ax!) * 180 / Math.PI;
    assert.ok(Math.abs(yaw - meshYaw) < 3.5, `${id}: yaw ${yaw}, of the mesh ${meshYaw}`);
    assert.ok(Math.abs(pitch - meshPitch) < 8, `${id}: pitch ${pitch}, of the mesh ${meshPitch}`);
    assert.ok(Math.abs(roll - tilt) < 2.5, `${id}: roll ${roll}, of the eyes ${tilt}`);
  }
  await pose.dispose();
});
