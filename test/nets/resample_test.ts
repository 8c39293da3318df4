import assert from "node:assert/strict";
import { createImage } from "../../face/image.ts";
import { openTfjs } from "@ftim/gpu/tfjs";
import {
  type Border,
  type Box,
  interpolationMatrix,
  resample,
  resizeTensor,
  squareAround,
  stackImages,
} from "../../nets/resample.ts";
import { near, noise } from "./inputs.ts";

/**
 * The definition, without separation: every output pixel is a triangle-weighted mean over all pixels of the plane
 * around it.
 */
function resampleByDefinition(image: ReturnType<typeof noise>, box: Box, size: [number, number], border: Border) {
  const [width, height] = size;
  const result = createImage({ width, height });
  const [sx, sy] = [box.width / width, box.height / height];
  const weigh = (d: number, scale: number) => Math.max(0, 1 - Math.abs(d) / Math.max(1, scale));
  for (let i = 0; i < width * height; i++) {
    const cx = box.left + (i % width + 0.5) * sx - 0.5;
    const cy = box.top + (Math.floor(i / width) + 0.5) * sy - 0.5;
    const sum = [0, 0, 0];
    let total = 0;
    for (let y = -40; y < 60; y++) {
      for (let x = -40; x < 60; x++) {
        const weight = weigh(x - cx, sx) * weigh(y - cy, sy);
        total += weight;
        const inside = x >= 0 && y >= 0 && x < image.width && y < image.height;
        if (weight === 0 || (!inside && border === "zero")) continue;
        const px = Math.min(Math.max(x, 0), image.width - 1);
        const py = Math.min(Math.max(y, 0), image.height - 1);
        for (let c = 0; c < 3; c++) sum[c]! += weight * image.data[3 * (py * image.width + px) + c]!;
      }
    }
    for (let c = 0; c < 3; c++) result.data[3 * i + c] = sum[c]! / total;
  }
  return result;
}

const boxes: [name: string, box: Box, size: [number, number]][] = [
  ["shrinks", { left: 0, top: 0, width: 13, height: 9 }, [5, 4]],
  ["enlarges", { left: 2, top: 1, width: 5, height: 4 }, [11, 7]],
  ["takes fractions", { left: 1.3, top: 2.7, width: 6.1, height: 3.3 }, [4, 6]],
  ["reaches beyond every edge", { left: -6.5, top: -3, width: 29, height: 20 }, [9, 8]],
  ["lies outside", { left: 20, top: 3, width: 8, height: 8 }, [3, 3]],
];
for (const [name, box, [width, height]] of boxes) {
  for (const border of ["edge", "zero"] as const) {
    Deno.test(`resample() ${name} as defined, border ${border}`, () => {
      const image = noise({ width: 13, height: 9, seed: 1 });
      const expected = resampleByDefinition(image, box, [width, height], border);
      near(resample(image, { box, width, height, border }).data, expected.data, 1e-6);
    });
  }
}

Deno.test("resample() leaves an image of the right size as it is and keeps a ramp a ramp", () => {
  const image = noise({ width: 7, height: 5, seed: 2 });
  assert.deepEqual(resample(image, { width: 7, height: 5 }).data, image.data);
  const ramp = createImage(
    { width: 8, height: 1 },
    Float32Array.from({ length: 24 }, (_, i) => Math.floor(i / 3) + 0.5),
  );
  const part = resample(ramp, { box: { left: 1.25, top: 0, width: 4, height: 1 }, width: 8, height: 1 });
  near(part.data.filter((_, i) => i % 3 === 0), Float32Array.from({ length: 8 }, (_, i) => 1.5 + i / 2), 1e-6);
});

Deno.test("interpolationMatrix() has rows that sum to 1, and refuses what is not positive", () => {
  const { rows, cols, offsets, weights } = interpolationMatrix({ size: 9, start: -4, length: 21 }, { count: 6 });
  assert.deepEqual([rows, cols], [6, 9]);
  for (let i = 0; i < 6; i++) {
    assert.ok(Math.abs(weights.subarray(offsets[i], offsets[i + 1]).reduce((a, b) => a + b) - 1) < 1e-6);
  }
  assert.throws(() => interpolationMatrix({ size: 9, start: 0, length: 0 }, { count: 6 }), RangeError);
  assert.throws(() => interpolationMatrix({ size: 9, start: 0, length: 9 }, { count: 0 }), RangeError);
  assert.throws(() => interpolationMatrix({ size: 9, start: 0, length: NaN }, { count: 2 }), RangeError);
});

Deno.test("squareAround() keeps the centre", () => {
  const square = squareAround({ left: 10, top: 20, width: 4, height: 8 }, 1.5);
  assert.deepEqual(square, { left: 6, top: 18, width: 12, height: 12 });
});

Deno.test("resizeTensor() equals resample() for each image of a batch, and its gradient is the transpose", async () => {
  const tf = await openTfjs();
  const images = [3, 4].map((seed) => noise({ width: 13, height: 9, seed }));
  const box = { left: -2.5, top: 1, width: 11, height: 9 };
  const size = { width: 6, height: 7 };
  const x = stackImages(tf, images);
  const result = await resizeTensor(tf, x, { box, ...size }).data();
  near(result, images.flatMap((image) => [...resample(image, { box, ...size }).data]), 1e-6);

  const y = stackImages(tf, [5, 6].map((seed) => noise({ ...size, seed })));
  const back = tf.grad((input) => tf.sum(tf.mul(resizeTensor(tf, input as typeof x, { box, ...size }), y)))(x);
  const [left] = await tf.sum(tf.mul(resizeTensor(tf, x, { box, ...size }), y)).data();
  const [right] = await tf.sum(tf.mul(x, back)).data();
  assert.ok(Math.abs(left! - right!) < 1e-4 * Math.abs(left!), `${left} and ${right}`);
  assert.equal(resizeTensor(tf, x, { width: 13, height: 9 }), x);
});
