import assert from "node:assert/strict";
import { fitDetail } from "../../face/fit_details_cpu.ts";
import { shade } from "../../face/light_cpu.ts";
import { normalMap } from "../../face/normal_maps_cpu.ts";
import { uvMap } from "../../face/uv_map.ts";
import { poseToCrop, rotationFromAngles } from "../../face/pose.ts";
import { gridHead } from "./head.ts";

const SIZE = 64;
const options = { smoothness: 1e-4, damping: 1e-7, iterations: 300 };

function scene() {
  const { model, topology } = gridHead();
  const rotation = rotationFromAngles({ yaw: 0, pitch: 0, roll: 0 });
  const vertices = poseToCrop({ scale: 80, rotation, translation: Float64Array.of(112, -112, 0) }, model);
  const light = new Float32Array(27);
  for (let c = 0; c < 3; c++) light.set([3], c), light[3 + c] = 0.5, light[6 + c] = 0.3;
  const albedo = new Float32Array(3 * SIZE * SIZE).fill(0.5);
  const smooth = normalMap(vertices, topology, { size: SIZE });
  const visibility = Float32Array.from(uvMap(topology, SIZE).inside);
  return { vertices, topology, size: SIZE, light, albedo, smooth, visibility };
}

Deno.test("fitDetail() leaves a face alone that its smooth surface explains", () => {
  const { smooth, ...given } = scene();
  const texture = shade(smooth, given.light).map((value) => 0.5 * value);
  const { displacement, normals } = fitDetail({ ...given, texture }, options);
  assert.ok(displacement.every((value) => Math.abs(value) < 1e-3));
  normals.forEach((value, i) => assert.ok(Math.abs(value - smooth[i]!) < 1e-3));
});

Deno.test("fitDetail() explains wrinkles by bending normals, and keeps them unit vectors", () => {
  const { smooth, ...given } = scene();
  const texture = shade(smooth, given.light).map((value, i) => 0.5 * value + 0.02 * Math.sin(Math.floor(i / 3) % SIZE));
  const error = (normals: Float32Array) => {
    const lit = shade(normals, given.light);
    return texture.reduce(
      (sum, value, i) => sum + given.visibility[Math.floor(i / 3)]! * (value - 0.5 * lit[i]!) ** 2,
      0,
    );
  };
  const { normals } = fitDetail({ ...given, texture }, options);
  assert.ok(error(normals) < 0.3 * error(smooth), `${error(normals)} of ${error(smooth)}`);
  for (let i = 0; i < normals.length; i += 3) {
    assert.ok(Math.abs(Math.hypot(normals[i]!, normals[i + 1]!, normals[i + 2]!) - 1) < 1e-5);
  }
});

Deno.test("fitDetail() takes no notice of what was not seen", () => {
  const { smooth, ...given } = scene();
  const texture = shade(smooth, given.light).map((value) => 0.5 * value);
  const visibility = given.visibility.map((value, i) => i % SIZE < SIZE / 2 ? value : 0);
  const before = fitDetail({ ...given, visibility, texture }, options);
  const other = texture.map((value, i) => Math.floor(i / 3) % SIZE < SIZE / 2 ? value : 9);
  assert.deepEqual(fitDetail({ ...given, visibility, texture: other }, options), before);
});
