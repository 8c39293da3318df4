import assert from "node:assert/strict";
import { openTfjs } from "@ftim/gpu/tfjs";
import { greyOutside } from "../../nets/grey_outside.ts";
import { near, noise, stackImages } from "./inputs.ts";

Deno.test("a picture is grey outside its mask, and itself inside", async () => {
  const tf = await openTfjs();
  const images = [1, 2].map((seed) => noise({ width: 5, height: 3, seed }));
  const masks = Float32Array.from({ length: 30 }, (_, i) => [0, 1, 0.25][i % 3]!);
  const grey = greyOutside(tf, stackImages(tf, images), tf.tensor(masks, [2, 3, 5]));
  const values = images.flatMap(({ data }) => [...data]);
  near(await grey.data(), values.map((value, i) => 0.5 + (value - 0.5) * masks[Math.floor(i / 3)]!), 1e-7);
  assert.throws(() => greyOutside(tf, stackImages(tf, images), tf.zeros([2, 5, 3])), /\[2,5,3\].*\[2,3,5,3\]/);
});
