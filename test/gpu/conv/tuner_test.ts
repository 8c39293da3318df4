import type { Rank } from "@tensorflow/tfjs";
import assert from "node:assert/strict";
import { chooseFamily, seenShapes } from "../../../gpu/conv/families.ts";
import { readFamilies, tuneConvolutions, type TunedFamilies } from "../../../gpu/conv/tuner.ts";
import { openGpu } from "../../../gpu/device.ts";
import { convolve } from "../../../gpu/ops/convolve.ts";
import { openTfjs } from "../../../gpu/tfjs.ts";

Deno.test("tuneConvolutions() measures a shape once an adapter, records the choice, and changes no bit", async () => {
  const [gpu, tf] = [await openGpu(), await openTfjs()];
  const x = tf.randomUniform<Rank.R4>([1, 12, 13, 8]);
  const filter = tf.randomUniform<Rank.R4>([3, 3, 8, 8]);
  const before = await tf.tidy(() => convolve(tf, x, { filter })).data();
  const known: TunedFamilies = {};
  try {
    assert.ok(await tuneConvolutions(tf, { gpu, known }) > 0);
    assert.ok(Object.keys(known).every((key) => key.includes(gpu.info.description)));
    assert.ok(Object.keys(known).some((key) => key.includes("forward 1×12×13 8→8 3×3")));
    const stored = JSON.parse(JSON.stringify({ ...known, "another adapter": "register", broken: "spiral" }));
    assert.deepEqual(readFamilies(stored), { ...known, "another adapter": "register" });
    assert.equal(await tuneConvolutions(tf, { gpu, known: readFamilies(stored) }), 0);
    assert.deepEqual(await tf.tidy(() => convolve(tf, x, { filter })).data(), before);
  } finally {
    for (const key of seenShapes(gpu.device).keys()) chooseFamily(gpu.device, key, undefined);
    tf.dispose([x, filter]);
  }
});
