import assert from "node:assert/strict";
import { createImage } from "../../face/image.ts";
import { distort, undistort } from "../../face/undistort_cpu.ts";

const camera = {
  k: [[150, 0, 99.5], [0, 152, 74.5], [0, 0, 1]],
  distortion: [-0.2, 0.05, 0.002, -0.003, 0.01],
  width: 200,
  height: 150,
};

/** A smooth picture as a function of the place. */
function colour(x: number, y: number): number {
  return 0.5 + 0.25 * Math.sin(x / 9) + 0.25 * Math.cos(y / 7);
}

Deno.test("distort leaves the principal point, and everything without coefficients", () => {
  assert.deepEqual(distort(camera, { x: 99.5, y: 74.5 }), { x: 99.5, y: 74.5 });
  const { x, y } = distort({ ...camera, distortion: [0, 0, 0, 0, 0] }, { x: 12, y: 34 });
  assert(Math.abs(x - 12) < 1e-9 && Math.abs(y - 34) < 1e-9);
});

Deno.test("distort agrees with OpenCV's formulas, term by term", () => {
  // x = 3/150·… by hand: u = 0.5, v = −0.25, r² = 0.3125
  const [u, v, r2] = [0.5, -0.25, 0.3125];
  const radial = 1 - 0.2 * r2 + 0.05 * r2 ** 2 + 0.01 * r2 ** 3;
  const expected = {
    x: 150 * (u * radial + 2 * 0.002 * u * v - 0.003 * (r2 + 2 * u * u)) + 99.5,
    y: 152 * (v * radial + 0.002 * (r2 + 2 * v * v) - 2 * 0.003 * u * v) + 74.5,
  };
  const actual = distort(camera, { x: 99.5 + 75, y: 74.5 - 38 });
  assert(Math.abs(actual.x - expected.x) < 1e-9 && Math.abs(actual.y - expected.y) < 1e-9);
});

Deno.test("undistort gives back the picture that a distorting lens took", () => {
  // the lens shows at pixel d(p) what belongs to p; find p for each pixel by fixed-point iteration
  const taken = createImage(camera);
  for (let y = 0; y < camera.height; y++) {
    for (let x = 0; x < camera.width; x++) {
      let at = { x, y };
      for (let i = 0; i < 40; i++) {
        const d = distort(camera, at);
        at = { x: at.x + x - d.x, y: at.y + y - d.y };
      }
      taken.data.fill(colour(at.x, at.y), 3 * (y * camera.width + x), 3 * (y * camera.width + x) + 3);
    }
  }
  const straight = undistort(taken, camera);
  let worst = 0;
  let before = 0;
  for (let y = 20; y < camera.height - 20; y++) {
    for (let x = 20; x < camera.width - 20; x++) {
      const i = 3 * (y * camera.width + x);
      worst = Math.max(worst, Math.abs(straight.data[i]! - colour(x, y)));
      before = Math.max(before, Math.abs(taken.data[i]! - colour(x, y)));
    }
  }
  assert(before > 0.1 && worst < 0.005, `before ${before}, after ${worst}`);
});
