import assert from "node:assert/strict";
import type { Tensor3D } from "@tensorflow/tfjs";
import { openGpu } from "@ftim/gpu/device";
import { openTfjs } from "@ftim/gpu/tfjs";
import { vertexNormals } from "../../face/normals.ts";
import { type RingOptions, uploadRings } from "../../face/ring_normals.ts";
import { gridHead, maxDifference, posedHead } from "./head.ts";

const tf = await openTfjs();
const { topology, model } = gridHead(15);
const { vertexCount, triangles } = topology;
/** In crop pixels; in the second the middle vertex is where a neighbour is: triangles without area meet there. */
const meshes = [0, 60, -100].map((yaw) => posedHead(yaw, model));
const middle = (vertexCount - 1) / 2;
meshes[1]!.copyWithin(3 * middle, 3 * (middle + 1), 3 * (middle + 2));

/** With y up and z to the viewer. */
const turned = (mesh: Float32Array) => mesh.map((value, i) => i % 3 === 0 ? value : -value);

async function normalsOf(some: readonly Float32Array[], options: RingOptions): Promise<Float32Array> {
  const rings = uploadRings(tf, topology, options);
  const normals = tf.tidy(() =>
    rings.normals(tf.tensor3d(some.flatMap((mesh) => [...turned(mesh)]), [some.length, vertexCount, 3]))
  );
  const values = await normals.data<"float32">();
  normals.dispose();
  rings.dispose();
  return values;
}

const ofFace = (values: Float32Array, face: number) =>
  values.subarray(3 * vertexCount * face, 3 * vertexCount * (face + 1));

/** The mean of the triangles' unit normals, as a unit vector. */
function meanNormals(mesh: Float32Array, taken = (_triangle: number) => true): Float32Array {
  const sums = new Float64Array(mesh.length);
  for (let t = 0; t < triangles.length; t += 3) {
    if (!taken(t / 3)) continue;
    const corners = [...triangles.subarray(t, t + 3)];
    const [a, b, c] = corners.map((vertex) => [...turned(mesh).subarray(3 * vertex, 3 * vertex + 3)]) as [
      number[],
      number[],
      number[],
    ];
    const [u, v] = [b, c].map((end) => end.map((value, k) => value - a[k]!)) as [number[], number[]];
    const flat = [0, 1, 2].map((k) => u[(k + 1) % 3]! * v[(k + 2) % 3]! - u[(k + 2) % 3]! * v[(k + 1) % 3]!);
    const length = Math.max(1e-6, Math.hypot(...flat));
    for (const vertex of corners) flat.forEach((value, k) => sums[3 * vertex + k]! += value / length);
  }
  return Float32Array.from(sums, (value, i) => {
    const first = i - i % 3;
    return value / Math.max(1e-6, Math.hypot(...sums.subarray(first, first + 3)));
  });
}

Deno.test("triangles that count by their areas give vertexNormals()", async () => {
  const found = await normalsOf(meshes, { weights: "area" });
  for (const [face, mesh] of meshes.entries()) {
    const off = maxDifference(ofFace(found, face), vertexNormals(mesh, { triangles }));
    assert.ok(off < 1e-5, `face ${face}: ${off}`);
  }
});

Deno.test("triangles that count alike give the mean of their normals, of those said to be around", async () => {
  const found = await normalsOf(meshes, { weights: "equal" });
  for (const [face, mesh] of meshes.entries()) {
    const off = maxDifference(ofFace(found, face), meanNormals(mesh));
    assert.ok(off < 1e-5, `face ${face}: ${off}`);
  }
  const around = Array.from(
    { length: vertexCount },
    (_, vertex) =>
      [...Array(triangles.length / 3).keys()].filter((t) =>
        t % 2 === 0 && triangles.subarray(3 * t, 3 * t + 3).includes(vertex)
      ),
  );
  const half = await normalsOf(meshes.slice(0, 1), { weights: "equal", around });
  const off = maxDifference(half, meanNormals(meshes[0]!, (t) => t % 2 === 0));
  assert.ok(off < 1e-5, `every second triangle: ${off}`);
});

Deno.test("normals have the same bits in another run and alone; a vertex without area around it has none", async () => {
  for (const weights of ["area", "equal"] as const) {
    const found = await normalsOf(meshes, { weights });
    assert.deepEqual(await normalsOf(meshes, { weights }), found);
    assert.deepEqual(await normalsOf(meshes.slice(1, 2), { weights }), ofFace(found, 1).slice());
    const flat = new Float32Array(3 * vertexCount).fill(7);
    assert.ok((await normalsOf([flat], { weights })).every((value) => value === 0));
  }
});

Deno.test("meshes of another topology are refused", async () => {
  const rings = uploadRings(tf, topology, { weights: "area" });
  const other = tf.zeros([1, 5, 3]) as Tensor3D;
  assert.throws(() => rings.normals(other), /Meshes of 5 vertices; the triangles are of 225/);
  other.dispose();
  rings.dispose();
  await (await openGpu()).assertHealthy("ring normals test");
});
