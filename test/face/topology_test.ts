import assert from "node:assert/strict";
import { midlineEnds, mirrorPermutation, mirrorVertices } from "../../face/topology.ts";
import { boundaryLoops, openMouth } from "../../face/mouth.ts";
import { orientTriangles, signedArea } from "../../face/winding.ts";
import { uvMap } from "../../face/uv_map.ts";
import { parseFacemesh } from "../../nets/facemesh_topology.ts";
import { asset } from "../assets.ts";
import { gridHead } from "./head.ts";

const source = `
export const UV468: [number, number][] = [
  [0.1, 0.2], // left
  [0.9002, 0.2],
  [0.5, 0.9], [5.0e-1, 0.1],
];
export const TRI468: number[] = [0, 2, 3,
  1, 2, 3,];
`;

Deno.test("parseFacemesh reads the arrays, makes the chart symmetric and turns every triangle one way", () => {
  const topology = parseFacemesh(source, { mouth: 0 });
  assert.equal(topology.vertexCount, 4);
  assert.deepEqual([...topology.mirror], [1, 0, 2, 3]);
  assert.equal(topology.uvs[0]! + topology.uvs[2]!, 1);
  assert.deepEqual([...topology.triangles], [0, 2, 3, 1, 3, 2]);
  for (const t of [0, 3]) assert.ok(signedArea(topology.uvs, topology.triangles.subarray(t, t + 3)) < 0);
  assert.deepEqual(midlineEnds(topology), { top: 3, bottom: 2 });
});

Deno.test("parseFacemesh says which array is absent or broken", () => {
  assert.throws(() => parseFacemesh("export const UV468 = [[0, 1]];"), /no array TRI468/);
  assert.throws(() => parseFacemesh("export const UV468 = [[0, x]];"), /UV468 .* no number/);
  assert.throws(() => parseFacemesh("export const UV468 = [[0, 1]"), /UV468 .* does not end/);
  assert.throws(() => parseFacemesh(source.replace("1, 2, 3,]", "1, 2, 4,]"), { mouth: 0 }), /vertex 4/);
});

Deno.test("mirrorPermutation is an involution and refuses a chart without symmetry", () => {
  const { topology } = gridHead(9);
  topology.mirror.forEach((twin, i) => assert.equal(topology.mirror[twin], i));
  assert.throws(() => mirrorPermutation(Float32Array.of(0.1, 0.2, 0.7, 0.2)), /no mirror twin/);
  const { model } = gridHead(9);
  const marked = model.map((value, i) => value + 0.01 * i);
  const mirrored = mirrorVertices(marked, topology);
  topology.mirror.forEach((twin, i) => {
    const [x, y, z] = marked.subarray(3 * twin, 3 * twin + 3);
    assert.deepEqual([...mirrored.subarray(3 * i, 3 * i + 3)], [-x!, y, z]);
  });
});

Deno.test("openMouth gives a slit room, covers it, folds nothing and keeps the outline and the symmetry", () => {
  // A grid whose middle row is doubled between columns 2 and 6 into an upper and a lower lip with a slit between them.
  const n = 9;
  const uvs: number[] = [];
  for (let j = 0; j < n; j++) for (let i = 0; i < n; i++) uvs.push(i / (n - 1), j / (n - 1));
  const lower = new Map<number, number>();
  for (let i = 3; i <= 5; i++) {
    lower.set(4 * n + i, uvs.length / 2);
    uvs.push(i / (n - 1), 0.502);
    uvs[2 * (4 * n + i) + 1] = 0.498;
  }
  const triangles: number[] = [];
  for (let j = 0; j + 1 < n; j++) {
    for (let i = 0; i + 1 < n; i++) {
      const corner = (x: number, y: number) => {
        const index = y * n + x;
        return j >= 4 ? lower.get(index) ?? index : index;
      };
      const [a, b, c, d] = [corner(i, j), corner(i + 1, j), corner(i, j + 1), corner(i + 1, j + 1)];
      triangles.push(a, c, d, a, d, b);
    }
  }
  const chart = { triangles: Uint32Array.from(triangles), uvs: Float32Array.from(uvs) };
  assert.deepEqual(boundaryLoops(chart.triangles).map((loop) => loop.length), [32, 8]);
  const opened = openMouth(chart, { height: 0.1 });
  assert.deepEqual(boundaryLoops(opened.triangles).map((loop) => loop.length), [32]);
  assert.equal(opened.triangles.length, chart.triangles.length + 3 * 6);
  for (let t = 0; t < opened.triangles.length; t += 3) {
    assert.ok(signedArea(opened.uvs, opened.triangles.subarray(t, t + 3)) < 0, `triangle ${t / 3}`);
  }
  const centre = 4 * n + 4;
  assert.ok(Math.abs(opened.uvs[2 * lower.get(centre)! + 1]! - opened.uvs[2 * centre + 1]! - 0.1) < 1e-6);
  mirrorPermutation(opened.uvs);
  assert.throws(() => openMouth(chart, { height: 3 }), /folds triangle/);
  assert.throws(() => openMouth({ triangles: Uint32Array.of(0, 2, 1), uvs: chart.uvs }, { height: 0.1 }), /no hole/);
});

Deno.test("orientTriangles turns only those that run clockwise", () => {
  const uvs = Float32Array.of(0, 0, 1, 0, 0, 1);
  assert.deepEqual([...orientTriangles(Uint32Array.of(0, 1, 2, 0, 2, 1), uvs)], [0, 2, 1, 0, 2, 1]);
});

Deno.test("the packaged mesh: 468 vertices, eyes covered, mouth opened, one way round and symmetric", async () => {
  const source = new TextDecoder().decode(await asset("models/facemeshcoords.ts"));
  const packaged = parseFacemesh(source, { mouth: 0 });
  assert.equal(packaged.vertexCount, 468);
  assert.equal(packaged.triangles.length, 3 * 880);
  assert.deepEqual(boundaryLoops(packaged.triangles).map((loop) => loop.length), [36, 20], "outline and inner lips");
  const topology = parseFacemesh(source);
  assert.deepEqual(boundaryLoops(topology.triangles).map((loop) => loop.length), [36]);
  assert.deepEqual(midlineEnds(topology), { top: 10, bottom: 152 });
  assert.equal(topology.mirror[33], 263, "the outer corners of the eyes");
  assert.equal(topology.mirror.filter((twin, i) => twin === i).length, 28);
  for (let t = 0; t < topology.triangles.length; t += 3) {
    assert.ok(signedArea(topology.uvs, topology.triangles.subarray(t, t + 3)) < 0);
  }
  const { inside, size } = uvMap(topology);
  inside.forEach((value, i) =>
    assert.equal(value, inside[i - i % size + size - 1 - i % size], `texel ${i} and its twin`)
  );
  const centre = Math.round(topology.uvs[2 * 13 + 1]! * size);
  const below = Math.round(topology.uvs[2 * 14 + 1]! * size);
  assert.ok(below - centre >= 14, "room for teeth");
});
