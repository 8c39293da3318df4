import assert from "node:assert/strict";
import { openFeatures512 } from "../../nets/features512.ts";
import { asset } from "../assets.ts";
import { cosine, FACES, near, photograph } from "./inputs.ts";
import { fivePointsOf68, openLandmarks68 } from "./landmarks68.ts";

Deno.test("predict() finds 68 landmarks and embed() tells the people apart that they align", async () => {
  const landmarker = await openLandmarks68(await asset("models/fr_landmark.onnx"));
  const net = await openFeatures512(await asset("models/fr_feature.onnx"));
  const descriptors: Float32Array[] = [];
  for (const { id, face, eyes } of FACES) {
    const image = await photograph(id);
    const landmarks = await landmarker.predict(image, face);
    assert.equal(landmarks.length, 2 * 68);
    const points = fivePointsOf68(landmarks);
    near(points.subarray(0, 4), eyes, 0.08 * face.width);
    descriptors.push(await net.embed(image, points));
  }
  near(descriptors.map((descriptor) => Math.hypot(...descriptor)), descriptors.map(() => 1), 1e-5);
  const similar = (i: number, j: number) => cosine(descriptors[i]!, descriptors[j]!);
  assert.ok(similar(0, 1) > 0.6, `one person ${similar(0, 1)}`);
  for (const [i, j] of [[0, 2], [1, 2], [0, 3], [1, 3], [2, 3]] as const) {
    assert.ok(similar(i, j) < 0.35, `persons ${i} and ${j}: ${similar(i, j)}`);
  }
  await landmarker.dispose();
  await net.dispose();
});
