import assert from "node:assert/strict";
import { createImage } from "../../face/image.ts";
import { FACEMESH_LANDMARKS } from "../../nets/facemesh_topology.ts";
import { ALIGNED_SIZE, alignFace, fivePointsOfMesh, similarity } from "../../nets/five_points.ts";
import { near } from "./inputs.ts";

// ArcFace's template, pixel centres at integers.
const TEMPLATE = [38.2946, 51.6963, 73.5318, 51.5014, 56.0252, 71.7366, 41.5493, 92.3655, 70.7299, 92.2041];

Deno.test("similarity() recovers a turn, scale and shift exactly, and is least squares otherwise", () => {
  const [a, b, x, y] = [1.5, -0.7, 12, -3];
  const apply = ([u, v]: [number, number]) => [a * u - b * v + x, b * u + a * v + y];
  const from = [0, 0, 10, 0, 3, 8, -4, 2];
  const to = [0, 2, 4, 6].flatMap((i) => apply([from[i]!, from[i + 1]!]));
  near(Object.values(similarity(from, to)), [a, b, x, y], 1e-12);

  const disturbed = to.map((value, i) => value + Math.sin(7 * i));
  const cost = (s: ReturnType<typeof similarity>) => {
    let sum = 0;
    for (let i = 0; i < from.length; i += 2) {
      const [u, v] = [from[i]!, from[i + 1]!];
      sum += (s.a * u - s.b * v + s.x - disturbed[i]!) ** 2 + (s.b * u + s.a * v + s.y - disturbed[i + 1]!) ** 2;
    }
    return sum;
  };
  const best = similarity(from, disturbed);
  for (const key of ["a", "b", "x", "y"] as const) {
    for (const step of [-1e-3, 1e-3]) assert.ok(cost({ ...best, [key]: best[key] + step }) > cost(best));
  }
  assert.throws(() => similarity([1, 1, 1, 1], [0, 0, 1, 1]), RangeError);
  assert.throws(() => similarity([0, 0, 1, 1], [2, 2, 2, 2]), RangeError);
});

Deno.test("alignFace() brings the five points to ArcFace's places", () => {
  // Points of the template enlarged three times, turned by 30° and shifted; a bright spot of 9 pixels at each.
  const turn = Math.PI / 6;
  const [a, b] = [3 * Math.cos(turn), 3 * Math.sin(turn)];
  const points = new Float32Array(10);
  for (let i = 0; i < 10; i += 2) {
    const [u, v] = [TEMPLATE[i]! + 0.5, TEMPLATE[i + 1]! + 0.5];
    points[i] = a * u - b * v + 210;
    points[i + 1] = b * u + a * v + 20;
  }
  const image = createImage({ width: 480, height: 480 });
  for (let i = 0; i < 480 * 480; i++) {
    for (let k = 0; k < 10; k += 2) {
      const distance = Math.hypot(i % 480 + 0.5 - points[k]!, Math.floor(i / 480) + 0.5 - points[k + 1]!);
      if (distance < 4.5) image.data.fill(1, 3 * i, 3 * i + 3);
    }
  }
  const aligned = alignFace(image, points);
  assert.deepEqual([aligned.width, aligned.height], [ALIGNED_SIZE, ALIGNED_SIZE]);
  for (let k = 0; k < 10; k += 2) {
    let [sum, sx, sy] = [0, 0, 0];
    for (let y = Math.round(TEMPLATE[k + 1]!) - 4; y <= Math.round(TEMPLATE[k + 1]!) + 4; y++) {
      for (let x = Math.round(TEMPLATE[k]!) - 4; x <= Math.round(TEMPLATE[k]!) + 4; x++) {
        const value = aligned.data[3 * (y * ALIGNED_SIZE + x)]!;
        [sum, sx, sy] = [sum + value, sx + value * x, sy + value * y];
      }
    }
    near([sum], [Math.PI * 4.5 ** 2 / 9], 0.5);
    near([sx / sum, sy / sum], [TEMPLATE[k]!, TEMPLATE[k + 1]!], 0.1);
  }
});

Deno.test("fivePointsOfMesh() takes the image's left first and refuses a short list", () => {
  const mesh = Float32Array.from({ length: 3 * 468 }, (_, i) => i);
  near(fivePointsOfMesh(mesh, FACEMESH_LANDMARKS), [249, 250, 937.5, 938.5, 3, 4, 183, 184, 873, 874], 1e-4);
  assert.throws(() => fivePointsOfMesh(new Float32Array(300), FACEMESH_LANDMARKS), /point 133 is absent/);
});
