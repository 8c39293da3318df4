import assert from "node:assert/strict";
import { expectedAngle, openHeadPose } from "../../nets/head_pose.ts";
import { mirrorImage } from "../../nets/network_input.ts";
import { asset } from "../assets.ts";
import { near, noise, photograph } from "./inputs.ts";

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
  { id: "test/sample2.jpg", box: [359, 112, 176, 299], yaw: [-95, -60], pitch: [-30, 0], roll: [0, 40] },
  { id: "test/sample5.jpg", box: [601, 418, 175, 254], yaw: [25, 50], pitch: [-15, 5], roll: [-10, 10] },
  { id: "test/sample1.jpg", box: [828, 425, 202, 228], yaw: [-25, -5], pitch: [-35, -12], roll: [15, 40] },
  { id: "train/obama/obama4_crop.jpg", box: [29, -11, 232, 284], yaw: [-6, 6], pitch: [-18, 0], roll: [-6, 6] },
] as const;

Deno.test("estimate() tells left, right, up, down and tilt; a mirrored picture turns yaw and roll", async () => {
  const pose = await openHeadPose(await asset("models/fr_pose.onnx"));
  for (const { id, box: [left, top, width, height], ...expected } of faces) {
    const image = await photograph(id);
    const angles = await pose.estimate(image, { left, top, width, height });
    for (const name of ["yaw", "pitch", "roll"] as const) {
      const [low, high] = expected[name];
      assert.ok(angles[name] > low && angles[name] < high, `${id} ${name} ${angles[name]}`);
    }
    if (id === "test/sample5.jpg") continue;
    const other = await pose.estimate(mirrorImage(image), { left: image.width - left - width, top, width, height });
    near([other.yaw, other.pitch, other.roll], [-angles.yaw, angles.pitch, -angles.roll], 0.5);
  }
  const { id, box: [left, top, width, height] } = faces[3];
  const direct = await pose.estimate(await photograph(id), { left, top, width, height }, { mirror: false });
  assert.ok(Math.abs(direct.yaw) < 12 && Math.abs(direct.roll) < 10);
  await pose.dispose();
});
