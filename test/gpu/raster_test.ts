import assert from "node:assert/strict";
import { openGpu } from "../../gpu/device.ts";
import { type Meshes, rasterise, readRaster } from "../../gpu/raster.ts";
import { rasteriseCpu } from "../../gpu/raster_cpu.ts";
import type { Raster, RasterOptions } from "../../gpu/raster_options.ts";
import { openTfjs } from "../../gpu/tfjs.ts";
import { gridHead, maxDifference, posedHead, randomStream } from "../face/head.ts";

async function onDevice(meshes: Meshes, options: RasterOptions): Promise<Raster[]> {
  const tf = await openTfjs();
  const before = tf.memory().numTensors;
  const raster = rasterise(tf, meshes, options);
  const rasters = await readRaster(raster);
  tf.dispose([raster.triangle, raster.weights, raster.depth]);
  assert.equal(tf.memory().numTensors, before, "tensors leak");
  await (await openGpu()).assertHealthy("raster test");
  return rasters;
}

/** How far a pixel's centre lies from the nearest edge of a triangle. */
function edgeDistance({ vertices, triangles }: { vertices: Float32Array; triangles: Uint32Array }, options: {
  triangle: number;
  x: number;
  y: number;
}): number {
  const corners = [0, 1, 2].map((k) => 3 * triangles[3 * options.triangle + k]!);
  return Math.min(...corners.map((a, k) => {
    const b = corners[(k + 1) % 3]!;
    const [dx, dy] = [vertices[b]! - vertices[a]!, vertices[b + 1]! - vertices[a + 1]!];
    const [px, py] = [options.x - vertices[a]!, options.y - vertices[a + 1]!];
    return Math.abs(dx * py - dy * px) / Math.hypot(dx, dy);
  }));
}

/**
 * Compares with the reference. Pixels may differ whose centre lies within 1e-3 pixels of an edge of what one of the two
 * shows there, or where two surfaces are within 1e-4 at one depth.
 *
 * @returns how many do, and how many are covered
 */
function compare(got: Raster, mesh: { vertices: Float32Array; triangles: Uint32Array }, options: RasterOptions) {
  const expected = rasteriseCpu(mesh, options);
  let [differ, covered] = [0, 0];
  expected.triangle.forEach((triangle, at) => {
    const found = got.triangle[at]!;
    if (triangle >= 0) covered++;
    if (found !== triangle) {
      differ++;
      const [x, y] = [at % options.width + 0.5, Math.floor(at / options.width) + 0.5];
      const shown = [found, triangle].filter((id) => id >= 0);
      const distance = Math.min(...shown.map((id) => edgeDistance(mesh, { triangle: id, x, y })));
      const depths = Math.abs(got.depth[at]! - expected.depth[at]!);
      assert.ok(distance < 1e-3 || depths < 1e-4, `pixel ${at}: ${found} for ${triangle}`);
    } else if (triangle < 0) {
      assert.equal(got.depth[at], Infinity);
    } else {
      assert.ok(Math.abs(got.weights[2 * at]! - expected.weights[2 * at]!) < 1e-3);
      assert.ok(Math.abs(got.weights[2 * at + 1]! - expected.weights[2 * at + 1]!) < 1e-3);
      assert.ok(Math.abs(got.depth[at]! - expected.depth[at]!) < 1e-2);
    }
  });
  return { differ, covered };
}

for (const cullBack of [true, false]) {
  Deno.test(`rasterise() finds what rasteriseCpu() finds${cullBack ? ", without the back" : ""}`, async () => {
    const { topology: { triangles }, model } = gridHead(41);
    const options = { width: 201, height: 187, cullBack };
    const posed = [-80, -35, 0, 50, 180].map((yaw) => posedHead(yaw, model));
    // Partly outside on two sides, wholly outside, and in one point.
    posed.push(posed[2]!.map((value, i) => i % 3 === 2 ? value : value - 90));
    posed.push(posed[2]!.map((value, i) => i % 3 === 0 ? value + 400 : value));
    posed.push(new Float32Array(posed[0]!.length).fill(50.5));
    const found = await onDevice({ vertices: posed, triangles }, options);
    const counts = posed.map((vertices, i) => compare(found[i]!, { vertices, triangles }, options));
    for (const { differ, covered } of counts) assert.ok(differ <= 1e-3 * covered, JSON.stringify(counts));
    assert.deepEqual(counts.slice(-2).map(({ covered }) => covered), [0, 0]);
    assert.ok(counts[0]!.covered > 5000 && counts[5]!.covered > 2000, JSON.stringify(counts));
  });
}

Deno.test("rasterise() treats borders, equal depths and degenerate triangles as rasteriseCpu() does", async () => {
  // Two squares on pixel centres, one behind the other; one twice; and triangles without area.
  const vertices = Float32Array.of(
    ...[1.5, 1.5, 3, 5.5, 1.5, 3, 5.5, 4.5, 3, 1.5, 4.5, 3],
    ...[0.5, 0.5, 7, 8.5, 0.5, 7, 8.5, 6.5, 7, 0.5, 6.5, 7],
  );
  const triangles = Uint32Array.of(4, 5, 6, 0, 0, 1, 0, 1, 2, 0, 2, 3, 0, 1, 2, 4, 6, 7, 1, 1, 1, 0, 2, 2);
  for (const options of [{ width: 10, height: 9 }, { width: 1, height: 1 }, { width: 3, height: 2 }]) {
    const [found] = await onDevice({ vertices: [vertices], triangles }, options);
    const expected = rasteriseCpu({ vertices, triangles }, options);
    assert.deepEqual(found!.triangle, expected.triangle);
    assert.deepEqual(found!.depth, expected.depth);
    assert.ok(maxDifference(found!.weights, expected.weights) < 1e-6);
  }
});

Deno.test("rasterise() loses no pixel between triangles, wherever their corners lie", async () => {
  const [columns, rows] = [9, 8];
  const options = { width: 45, height: 39 };
  const triangles: number[] = [];
  for (let y = 0; y + 1 < rows; y++) {
    for (let x = 0; x + 1 < columns; x++) {
      const [a, b, c, d] = [y * columns + x, y * columns + x + 1, (y + 1) * columns + x, (y + 1) * columns + x + 1];
      triangles.push(...((x + y) % 2 === 0 ? [a, b, d, d, c, a] : [b, d, c, c, a, b]));
    }
  }
  // Corners anywhere, on pixel centres, on thirds, and a hair's breadth beside pixel centres.
  const random = randomStream(7);
  const ways = [
    (value: number) => value + 2.4 * random() - 1.2,
    (value: number) => Math.floor(value) + 0.5,
    (value: number) => Math.round(3 * value) / 3,
    (value: number) => Math.floor(value) + 0.5 + 2e-6 * (random() - 0.5),
  ];
  const meshes = Array.from({ length: 24 }, (_, mesh) => {
    const vertices = new Float32Array(3 * columns * rows);
    for (let y = 0; y < rows; y++) {
      for (let x = 0; x < columns; x++) {
        const place = ways[mesh % ways.length]!;
        vertices.set([place(6 * x - 1.7), place(6 * y - 1.6), random()], 3 * (y * columns + x));
      }
    }
    return vertices;
  });
  const found = await onDevice({ vertices: meshes, triangles: Uint32Array.from(triangles) }, options);
  for (const [mesh, { triangle }] of found.entries()) {
    assert.equal(triangle.indexOf(-1), -1, `mesh ${mesh} has a hole at ${triangle.indexOf(-1)}`);
  }
});

Deno.test("rasterise() gives the same bits in every run and in every batch", async () => {
  const { topology: { triangles }, model } = gridHead(9);
  const options = { width: 33, height: 29, cullBack: true };
  const vertices = Array.from({ length: 65 }, (_, i) => posedHead(2 * i - 64, model).map((value) => 0.14 * value));
  const together = await onDevice({ vertices, triangles }, options);
  assert.deepEqual(await onDevice({ vertices, triangles }, options), together);
  assert.deepEqual(await onDevice({ vertices: vertices.slice(60), triangles }, options), together.slice(60));
  assert.deepEqual(await onDevice({ vertices: vertices.slice(7, 8), triangles }, options), together.slice(7, 8));
  assert.ok(together.every(({ triangle }) => triangle.some((id) => id >= 0)));
});

Deno.test("rasterise() refuses what is no mesh, and names it", async () => {
  const tf = await openTfjs();
  const size = { width: 4, height: 4 };
  const triangles = Uint32Array.of(0, 1, 2);
  const fine = new Float32Array(9);
  const refused = (vertices: Float32Array[], message: RegExp) =>
    assert.throws(() => rasterise(tf, { vertices, triangles }, size), message);
  refused([], /0 meshes/);
  refused([fine, fine.with(4, NaN)], /mesh 1: vertex 1 has the coordinate NaN/);
  refused([fine.with(0, Infinity)], /mesh 0/);
  refused([fine, new Float32Array(12)], /mesh 1: it has 4 vertices, the first has 3/);
  assert.throws(() => rasterise(tf, { vertices: [fine], triangles: Uint32Array.of(0, 1, 3) }, size), /vertex 3/);
});
