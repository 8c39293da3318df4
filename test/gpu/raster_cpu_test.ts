import assert from "node:assert/strict";
import { rasteriseCpu } from "../../gpu/raster_cpu.ts";
import { poseToCrop, rotationFromAngles } from "../../face/pose.ts";
import { gridHead } from "../face/head.ts";

const square = {
  vertices: Float32Array.of(1, 1, 5, 1, 4, 5, 4, 4, 5, 4, 1, 5, 0, 0, 7, 0, 8, 7, 8, 0, 7),
  triangles: Uint32Array.of(0, 1, 2, 0, 2, 3, 4, 6, 5),
};

Deno.test("rasteriseCpu covers the pixels whose centres lie inside, nearest first", () => {
  const raster = rasteriseCpu(square, { width: 6, height: 5 });
  const expected = [
    [2, 2, 2, 2, 2, 2],
    [2, 0, 0, 0, 2, 2],
    [2, 0, 0, 1, 2, 2],
    [2, 0, 0, 0, 2, -1],
    [2, 2, 2, 2, -1, -1],
  ];
  const rows = Array.from({ length: 5 }, (_, y) => [...raster.triangle.subarray(6 * y, 6 * y + 6)]);
  // Inside the square either of its triangles will do on the diagonal; outside it the far triangle shows.
  rows.forEach((row, y) =>
    row.forEach((id, x) => {
      const want = expected[y]![x]!;
      assert.equal(id === 1 ? 0 : id, want === 1 ? 0 : want === 2 && x + y >= 8 ? id : want, `pixel ${x}, ${y}`);
    })
  );
  assert.equal(raster.depth[7], 5);
  assert.equal(raster.depth[0], 7);
  const culled = rasteriseCpu(square, { width: 6, height: 5, cullBack: true });
  assert.equal(culled.triangle[0], -1, "the far triangle runs clockwise");
  assert.ok(culled.triangle[7]! >= 0);
});

Deno.test("barycentric weights give back the pixel centre", () => {
  const { mesh, size } = posedHead(40);
  const raster = rasteriseCpu(mesh, size);
  const position = (at: number, axis: number) => {
    const corner = (k: number) => mesh.vertices[3 * mesh.triangles[3 * raster.triangle[at]! + k]! + axis]!;
    const [a, b] = [raster.weights[2 * at]!, raster.weights[2 * at + 1]!];
    return a * corner(0) + b * corner(1) + (1 - a - b) * corner(2);
  };
  raster.triangle.forEach((id, at) => {
    if (id < 0) return;
    assert.ok(Math.abs(position(at, 0) - (at % size.width + 0.5)) < 1e-3);
    assert.ok(Math.abs(position(at, 1) - (Math.floor(at / size.width) + 0.5)) < 1e-3);
    assert.ok(Math.abs(position(at, 2) - raster.depth[at]!) < 1e-3);
  });
});

function posedHead(yaw: number) {
  const { topology, model } = gridHead(15);
  const pose = {
    scale: 45,
    rotation: rotationFromAngles({ yaw, pitch: 8, roll: -5 }),
    translation: Float64Array.of(60, -55, 0),
  };
  return {
    mesh: { vertices: poseToCrop(pose, model), triangles: topology.triangles },
    size: { width: 121, height: 113 },
  };
}
