import assert from "node:assert/strict";
import { isDistorted, scaleCamera } from "../../../../stages/data/parts/lens.ts";

const camera = {
  k: [[150, 0, 99.5], [0, 152, 74.5], [0, 0, 1]],
  rt: [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0]],
  distortion: [-0.2, 0.05, 0.002, -0.003, 0.01],
  width: 200,
  height: 150,
  valid: true,
};

Deno.test("isDistorted tells whether a coefficient is not 0", () => {
  assert.equal(isDistorted(camera), true);
  assert.equal(isDistorted({ distortion: [0, 0, 0, 0, 0] }), false);
});

Deno.test("scaleCamera keeps what lies at a pixel's corner", () => {
  const half = scaleCamera(camera, 0.5);
  assert.deepEqual([half.width, half.height], [100, 75]);
  // the ray through the picture's right edge: (199.5 − cx) / fx before, (99.5 − cx') / fx' after
  const ray = (k: readonly (readonly number[])[], edge: number) => (edge - k[0]![2]!) / k[0]![0]!;
  assert(Math.abs(ray(camera.k, 199.5) - ray(half.k, 99.5)) < 1e-12);
});
