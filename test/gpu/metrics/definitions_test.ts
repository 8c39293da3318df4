import assert from "node:assert/strict";
import { l1 } from "../../../gpu/metrics/l1_cpu.ts";
import { psnr } from "../../../gpu/metrics/psnr_cpu.ts";
import { ssim, ssimMap } from "../../../gpu/metrics/ssim_cpu.ts";
import golden from "../../golden/metrics.json" with { type: "json" };
import { goldenPair } from "../../golden/images.ts";

const METRICS = { l1, psnr, ssim };

for (const expected of golden) {
  Deno.test(`L1, PSNR and SSIM of ${expected.width}×${expected.height} equal scikit-image`, () => {
    const { a, b, mask } = goldenPair(expected);
    for (const [name, metric] of Object.entries(METRICS) as ["l1" | "psnr" | "ssim", typeof l1][]) {
      assert.ok(
        Math.abs(metric(a, b) - expected.full[name]) < 1e-5,
        `${name}: ${metric(a, b)}, ${expected.full[name]}`,
      );
      const masked = metric(a, b, { mask });
      assert.ok(Math.abs(masked - expected.masked[name]) < 1e-5, `masked ${name}: ${masked}, ${expected.masked[name]}`);
    }
  });
}

Deno.test("equal images have L1 0, PSNR Infinity, SSIM 1", () => {
  const { a, mask } = goldenPair({ width: 30, height: 20, amplitude: 9 });
  assert.equal(l1(a, a, { mask }), 0);
  assert.equal(psnr(a, a, { mask }), Infinity);
  assert.ok(Math.abs(ssim(a, a, { mask }) - 1) < 1e-12);
});

Deno.test("each metric is symmetric", () => {
  const { a, b, mask } = goldenPair({ width: 30, height: 20, amplitude: 9 });
  for (const metric of Object.values(METRICS)) {
    assert.ok(Math.abs(metric(a, b, { mask }) - metric(b, a, { mask })) < 1e-12);
  }
});

Deno.test("masked metrics ignore what lies outside the mask; SSIM, what lies beyond the reach of a window", () => {
  const { a, b, mask } = goldenPair({ width: 60, height: 50, amplitude: 9 });
  const changed = { ...b, data: b.data.slice() }, farChanged = { ...b, data: b.data.slice() };
  const inMask = (x: number, y: number) => (mask[y * 60 + x] ?? 0) > 0;
  let far = 0;
  for (let y = 0; y < 50; y++) {
    for (let x = 0; x < 60; x++) {
      if (inMask(x, y)) continue;
      changed.data.fill(1 - (y % 2), 3 * (y * 60 + x), 3 * (y * 60 + x) + 3);
      let near = false;
      for (let v = Math.max(0, y - 10); v <= Math.min(49, y + 10); v++) {
        for (let u = Math.max(0, x - 10); u <= Math.min(59, x + 10); u++) near ||= inMask(u, v);
      }
      if (near) continue;
      far++;
      farChanged.data.fill(1 - (y % 2), 3 * (y * 60 + x), 3 * (y * 60 + x) + 3);
    }
  }
  assert.ok(far > 0);
  assert.equal(l1(a, changed, { mask }), l1(a, b, { mask }));
  assert.equal(psnr(a, changed, { mask }), psnr(a, b, { mask }));
  assert.equal(ssim(a, farChanged, { mask }), ssim(a, b, { mask }));
  assert.notEqual(ssim(a, changed, { mask }), ssim(a, b, { mask }));
  assert.notEqual(ssim(a, farChanged), ssim(a, b));
});

Deno.test("a mask of ones gives the full-frame value", () => {
  const { a, b } = goldenPair({ width: 30, height: 20, amplitude: 9 });
  const mask = new Float32Array(600).fill(1);
  for (const metric of Object.values(METRICS)) assert.equal(metric(a, b, { mask }), metric(a, b));
});

Deno.test("ssimMap() has one value for each window inside the image", () => {
  const { a, b } = goldenPair({ width: 13, height: 11, amplitude: 9 });
  const map = ssimMap(a, b);
  assert.deepEqual([map.width, map.height, map.data.length], [3, 1, 3]);
});

Deno.test("metrics refuse pairs that cannot be compared", () => {
  const { a, b, mask } = goldenPair({ width: 30, height: 20, amplitude: 9 });
  const other = goldenPair({ width: 20, height: 30, amplitude: 9 }).a;
  const small = goldenPair({ width: 10, height: 30, amplitude: 9 }).a;
  for (const metric of Object.values(METRICS)) {
    assert.throws(() => metric(a, other), /30×20 image with a 20×30/);
    assert.throws(() => metric(a, b, { mask: mask.subarray(1) }), /mask of 599 values for 600 pixels/);
    assert.throws(() => metric(a, b, { mask: new Float32Array(600) }), /without a pixel/);
    assert.throws(() => metric(a, { ...b, data: b.data.subarray(3) }), /1797 values/);
  }
  assert.throws(() => ssim(small, small), /window is 11×11/);
});
