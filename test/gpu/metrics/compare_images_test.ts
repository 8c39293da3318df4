import assert from "node:assert/strict";
import { openGpu } from "../../../gpu/device.ts";
import { compareImages } from "../../../gpu/metrics/compare_images.ts";
import { compareImagesCpu } from "../../../gpu/metrics/compare_images_cpu.ts";
import { ssim, ssimMap } from "../../../gpu/metrics/ssim_cpu.ts";
import { uniform } from "../../../nets/random.ts";
import { goldenPair } from "../../golden/images.ts";

for (const [width, height, count] of [[11, 11, 1], [37, 53, 3], [64, 48, 17], [224, 224, 2]] as const) {
  Deno.test(`compareImages() equals the CPU to 1e-5 on ${count} pairs of ${width}×${height}`, async () => {
    const golden = Array.from({ length: count }, (_, i) => goldenPair({ width, height, amplitude: 5 + 9 * i % 50 }));
    const pairs = golden.map(({ a, b, mask }) => ({ a: a.data, b: b.data, mask }));
    const scores = await compareImages(await openGpu(), { pairs, width, height });
    assert.equal(scores.length, count);
    for (const [i, expected] of compareImagesCpu({ pairs, width, height }).entries()) {
      for (const part of ["full", "masked"] as const) {
        for (const name of ["l1", "psnr", "ssim"] as const) {
          const [got, want] = [scores[i]![part][name], expected[part][name]];
          assert.ok(Math.abs(got - want) < 1e-5, `${part} ${name} of ${i}: ${got}, ${want}`);
        }
      }
      const [got, want] = [scores[i]!.centredSsim, expected.centredSsim];
      assert.ok(Math.abs(got - want) < 1e-5 || (Number.isNaN(got) && Number.isNaN(want)), `${i}: ${got}, ${want}`);
    }
  });
}

Deno.test("compareImages() gives the mean of SSIM's map over a mask, and NaN where it has no value", async () => {
  const [width, height] = [29, 41];
  const { a, b } = goldenPair({ width, height, amplitude: 20 });
  const map = ssimMap(a, b);
  const mask = new Float32Array(width * height);
  const chosen = [[5, 5], [23, 35], [14, 20], [15, 20], [2, 20]] as const;
  for (const [x, y] of chosen) mask[y * width + x] = 1;
  const pair = { a: a.data, b: b.data, mask };
  const border = new Float32Array(width * height).fill(1, 0, 5 * width);
  const [inside, none] = await compareImages(await openGpu(), {
    pairs: [pair, { ...pair, mask: border }],
    width,
    height,
  });
  // The last pixel is too near the border to have a value.
  const values = chosen.slice(0, 4).map(([x, y]) => map.data[(y - 5) * map.width + x - 5]!);
  assert.ok(Math.abs(inside!.centredSsim - values.reduce((sum, value) => sum + value / 4, 0)) < 1e-5);
  assert.ok(Number.isNaN(none!.centredSsim) && none!.masked.l1 > 0);
});

Deno.test("compareImages() repeats bit for bit and does not depend on the other pairs", async () => {
  const gpu = await openGpu();
  const size = { width: 40, height: 31 };
  const pairs = Array.from({ length: 18 }, (_, i) => goldenPair({ ...size, amplitude: i + 1 }))
    .map(({ a, b, mask }) => ({ a: a.data, b: b.data, mask }));
  const all = await compareImages(gpu, { pairs, ...size });
  assert.deepEqual(await compareImages(gpu, { pairs, ...size }), all);
  assert.deepEqual(await compareImages(gpu, { pairs: pairs.slice(17), ...size }), all.slice(17));
});

Deno.test("compareImages() of equal images is L1 0, PSNR Infinity, SSIM 1", async () => {
  const { a, mask } = goldenPair({ width: 30, height: 20, amplitude: 9 });
  const [scores] = await compareImages(await openGpu(), {
    pairs: [{ a: a.data, b: a.data, mask }],
    width: 30,
    height: 20,
  });
  for (const part of [scores!.full, scores!.masked]) {
    assert.equal(part.l1, 0);
    assert.equal(part.psnr, Infinity);
    assert.ok(Math.abs(part.ssim - 1) < 1e-6);
  }
});

Deno.test("compareImages() of flat bright images keeps its digits", async () => {
  const width = 32, height = 32, mask = new Float32Array(1024).fill(1);
  const a = { width, height, data: new Float32Array(3072).fill(0.98) };
  const b = { width, height, data: a.data.map((v, i) => v + (i % 7 === 0 ? 1 / 255 : 0)) };
  const [scores] = await compareImages(await openGpu(), { pairs: [{ a: a.data, b: b.data, mask }], width, height });
  assert.ok(Math.abs(scores!.full.ssim - ssim(a, b)) < 1e-5);
});

Deno.test("compareImages() of an image half bright and half dark keeps its digits in both", async () => {
  const width = 24, height = 150, mask = new Float32Array(width * height).fill(1);
  const random = uniform(3);
  const noisy = () =>
    Float32Array.from(
      { length: 3 * width * height },
      (_, i) => (i < 1.5 * width * height ? 0.97 : 0.02) + random() / 99,
    );
  const [a, b] = [{ width, height, data: noisy() }, { width, height, data: noisy() }];
  for (const pair of [[a, b], [b, a]] as const) {
    const [x, y] = pair;
    const [scores] = await compareImages(await openGpu(), { pairs: [{ a: x.data, b: y.data, mask }], width, height });
    assert.ok(Math.abs(scores!.full.ssim - ssim(x, y)) < 1e-5, `${scores!.full.ssim} ${ssim(x, y)}`);
  }
});

Deno.test("compareImages() refuses what does not fit, and takes nothing", async () => {
  const gpu = await openGpu();
  const { a, b, mask } = goldenPair({ width: 30, height: 20, amplitude: 9 });
  const pairs = [{ a: a.data, b: b.data, mask }];
  await assert.rejects(compareImages(gpu, { pairs, width: 20, height: 20 }), /pair 0.*do not fit 20×20/);
  await assert.rejects(compareImages(gpu, { pairs, width: 10, height: 60 }), /window is 11×11/);
  assert.deepEqual(await compareImages(gpu, { pairs: [], width: 20, height: 20 }), []);
});
