import assert from "node:assert/strict";
import { openTfjs } from "@ftim/gpu/tfjs";
import { colourSums } from "../../face/mean_colours.ts";
import { maxDifference, randomStream } from "./head.ts";

const tf = await openTfjs();
const random = randomStream(23);

for (const [count, height, width] of [[3, 64, 64], [1, 5, 7], [65, 9, 3]] as const) {
  Deno.test(`colourSums() adds up what is not black: ${count} maps of ${width}×${height}`, async () => {
    const values = Float32Array.from({ length: 3 * count * height * width }, random);
    for (let i = 0; i < values.length; i += 9) values.fill(0, i, i + 3);
    const sums = async (maps: Float32Array) => {
      const summed = tf.tidy(() =>
        colourSums(tf, tf.tensor4d(maps, [maps.length / 3 / height / width, height, width, 3]))
      );
      return await summed.data<"float32">().finally(() => summed.dispose());
    };
    const found = await sums(values);
    const length = 3 * height * width;
    for (let i = 0; i < count; i++) {
      const expected = [0, 0, 0, 0];
      for (let k = i * length; k < (i + 1) * length; k += 3) {
        const colour = [...values.subarray(k, k + 3)];
        if (colour.some((value) => value > 0)) expected[3]!++;
        for (let c = 0; c < 3; c++) expected[c]! += colour[c]!;
      }
      assert.ok(maxDifference(found.subarray(4 * i, 4 * i + 4), expected) < 1e-6 * length);
    }
    assert.deepEqual(await sums(values.slice(-length)), found.slice(-4), "the same bits alone");
  });
}
