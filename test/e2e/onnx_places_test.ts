/** An ONNX network finds the same on the device as by the CPU provider, on 20 photographs. */
import assert from "node:assert/strict";
import { openDetector } from "../../nets/detector.ts";
import { openFeatures512 } from "../../nets/features512.ts";
import { openHeadPose } from "../../nets/head_pose.ts";
import { asset, assetIds } from "../assets.ts";
import { cosine, near, photograph } from "../nets/inputs.ts";
import { fivePointsOf68, openLandmarks68 } from "../nets/landmarks68.ts";

/** A number of pixels by which a box or a landmark may differ. */
const PIXELS = 0.5;

async function openAll(place: "webgpu" | "cpu") {
  Deno.env.set("FTIM_ONNX", place);
  try {
    return {
      detector: await openDetector(await asset("models/fr_detect.onnx")),
      landmarks: await openLandmarks68(await asset("models/fr_landmark.onnx")),
      pose: await openHeadPose(await asset("models/fr_pose.onnx")),
      features: await openFeatures512(await asset("models/fr_feature.onnx")),
    };
  } finally {
    Deno.env.delete("FTIM_ONNX");
  }
}

Deno.test("boxes, landmarks, angles and descriptors of 20 photographs are the same in both places", async () => {
  const places = [await openAll("webgpu"), await openAll("cpu")];
  const [device, cpu] = places as [typeof places[0], typeof places[0]];
  const all = [...assetIds("test/sample"), ...assetIds("train/")];
  const ids = all.filter((id) => id.endsWith(".jpg")).slice(0, 20);
  assert.equal(ids.length, 20);
  let faces = 0;
  for (const id of ids) {
    const image = await photograph(id);
    const [found, expected] = [await device.detector.detect(image), await cpu.detector.detect(image)];
    assert.equal(found.length, expected.length, id);
    for (const [i, box] of expected.entries()) {
      const numbers = ({ left, top, width, height }: typeof box) => [left, top, width, height];
      near(numbers(found[i]!), numbers(box), PIXELS);
      const points = await cpu.landmarks.predict(image, box);
      near(await device.landmarks.predict(image, box), points, PIXELS);
      const [a, b] = [await device.pose.estimate(image, box), await cpu.pose.estimate(image, box)];
      near([a.yaw, a.pitch, a.roll], [b.yaw, b.pitch, b.roll], 0.1);
      const five = fivePointsOf68(points);
      const alike = cosine(await device.features.embed(image, five), await cpu.features.embed(image, five));
      assert.ok(alike > 0.9999, `${id}: ${alike}`);
      faces++;
    }
  }
  assert.ok(faces >= 20, `${faces} faces`);
  for (const networks of places) for (const network of Object.values(networks)) await network.dispose();
});

Deno.test("a place that is none is refused by name", async () => {
  Deno.env.set("FTIM_ONNX", "cuda");
  try {
    await assert.rejects(async () => await openDetector(await asset("models/fr_detect.onnx")), /FTIM_ONNX is "cuda"/);
  } finally {
    Deno.env.delete("FTIM_ONNX");
  }
});
