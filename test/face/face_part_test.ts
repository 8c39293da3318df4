import assert from "node:assert/strict";
import { openTfjs } from "@ftim/gpu/tfjs";
import { facePart, partLandmarks } from "../../face/face_part.ts";
import { createImage } from "../../face/image.ts";
import { normalMaps, uploadMeshes } from "../../face/normal_maps.ts";
import { normalMap } from "../../face/normal_maps_cpu.ts";
import { vertexNormals } from "../../face/normals.ts";
import { applyOperatorCpu, renderOperator } from "../../face/render_cpu.ts";
import type { Topology } from "../../face/topology.ts";
import { unwrapCpu } from "../../face/unwrap_cpu.ts";
import { uvMap } from "../../face/uv_map.ts";
import { disposeUvTables } from "../../face/uv_tables.ts";
import { cutFace, cutHead, gathered } from "./cut_head.ts";
import { gridHead, maxDifference, posedHead, waves } from "./head.ts";

/** The left three quarters of a chart. */
const MASK = { size: 8, values: Array.from({ length: 64 }, (_, i) => i % 8 < 6 ? 1 : 0) };

Deno.test("facePart() gives each place in the chart a vertex and keeps which lie together", () => {
  const { mesh } = cutHead();
  const { topology, vertices } = facePart(mesh, { size: 1, values: [1] });
  assert.equal(topology.vertexCount, 21 * 21 + 21);
  assert.deepEqual([...topology.triangles].map((v) => vertices[v]), [...mesh.triangles]);
  topology.triangles.forEach((v, corner) => {
    for (const k of [0, 1]) assert.equal(topology.uvs[2 * v + k], mesh.uvs[2 * mesh.uvTriangles[corner]! + k]);
  });
  const { welded } = topology.surface!;
  assert.equal(welded.filter((first, v) => first !== v).length, 21, "the middle column is there twice");
  for (const [v, first] of welded.entries()) {
    assert.equal(vertices.indexOf(vertices[v]!), first);
  }
});

Deno.test("facePart() takes the triangles whose middle lies in the mask, and one ring more as their surface", () => {
  const { mesh } = cutHead();
  const { topology, vertices } = facePart(mesh, MASK);
  const wanted: number[] = [];
  for (let t = 0; t < mesh.triangles.length; t += 3) {
    const middle = [0, 1, 2].reduce((sum, k) => sum + mesh.uvs[2 * mesh.uvTriangles[t + k]!]! / 3, 0);
    if (middle < 0.75) wanted.push(...mesh.triangles.subarray(t, t + 3));
  }
  assert.ok(wanted.length > 600 && wanted.length < mesh.triangles.length);
  assert.deepEqual([...topology.triangles].map((v) => vertices[v]), wanted);
  const around = [...topology.surface!.triangles].map((v) => vertices[v]!);
  const face = new Set(wanted);
  const touching = [];
  for (let t = 0; t < mesh.triangles.length; t += 3) {
    const corners = mesh.triangles.subarray(t, t + 3);
    if (corners.some((v) => face.has(v))) touching.push(...corners);
  }
  assert.deepEqual(around, touching);
  assert.throws(() => facePart(mesh, { size: 1, values: [0] }), /No triangle of the head/);
});

Deno.test("normals of a part are those of the whole head, at seams and at the part's border too", async () => {
  const { mesh, model } = cutHead();
  const posed = posedHead(25, model);
  const { topology, vertices } = facePart(mesh, MASK);
  const own = gathered(posed, vertices);
  const whole = gathered(vertexNormals(posed, mesh), vertices);
  const at = (normals: Float32Array) =>
    [...new Set(topology.triangles)].flatMap((v) => [...normals.slice(3 * v, 3 * v + 3)]);
  assert.ok(maxDifference(at(vertexNormals(own, topology)), at(whole)) < 1e-6);
  const { surface: _, ...alone } = topology;
  assert.ok(maxDifference(at(vertexNormals(own, alone)), at(whole)) > 0.1, "without its surface they differ");
  const tf = await openTfjs();
  const [size, meshes] = [48, uploadMeshes(tf, [own], topology)];
  const map = normalMaps(tf, meshes, { topology, size });
  const found = await map.data<"float32">();
  tf.dispose([meshes, map]);
  disposeUvTables(topology);
  const { inside } = uvMap(topology, size);
  const expected = normalMap(own, topology, { size });
  const inChart = (values: Float32Array) => values.filter((_, i) => inside[i / 3 | 0] === 1);
  assert.ok(maxDifference(inChart(found), inChart(expected)) < 1e-5);
});

Deno.test("a photograph that is unwrapped across a seam and rendered again shows no line", () => {
  const shape = { nose: 0.1 };
  const { topology, model } = cutFace(21, shape);
  const size = 128;
  const vertices = posedHead(15, model);
  // A photograph that is smooth and nowhere alike, drawn on a head without a seam.
  const plain = gridHead(21, shape);
  const render = (of: Topology, { mesh, texture }: { mesh: Float32Array; texture: Float32Array }) =>
    applyOperatorCpu(renderOperator(mesh, { topology: of, size: Math.sqrt(texture.length / 3) }), texture);
  const image = createImage(
    { width: 224, height: 224 },
    render(plain.topology, { mesh: posedHead(15, plain.model), texture: waves(256) }),
  );
  const { texture, visibility } = unwrapCpu([{ image, vertices }], { topology, size, outline: 0 })[0]!;
  const map = uvMap(topology, size);
  // Along the seam the texels beside the gap were seen as well as those farther in.
  const row = size / 2 * size;
  const columns = Array.from({ length: size }, (_, x) => x).filter((x) => map.inside[row + x] === 1);
  const gap = columns.findIndex((x, i) => columns[i + 1]! > x + 1);
  const [left, right] = [columns[gap]!, columns[gap + 1]!];
  for (const x of [left, left - 1, right, right + 1]) {
    assert.ok(visibility[row + x]! > 0.9, `texel ${x}: ${visibility[row + x]}`);
  }
  // What they show goes on from one side to the other: the step is one texel's.
  const colour = (x: number) => texture.subarray(3 * (row + x), 3 * (row + x) + 3);
  assert.ok(maxDifference(colour(left), colour(right)) < 2 * maxDifference(colour(left - 2), colour(left)) + 0.02);
  const drawn = render(topology, { mesh: vertices, texture });
  // The seam runs down the middle of the face, which is the middle of this square, far from the outline.
  let worst = 0;
  for (let y = 75; y < 150; y++) {
    for (let x = 90; x < 160; x++) {
      const at = 3 * (224 * y + x);
      worst = Math.max(worst, maxDifference(drawn.subarray(at, at + 3), image.data.subarray(at, at + 3)));
    }
  }
  assert.ok(worst < 0.02, `${worst}`);
});

Deno.test("partLandmarks() finds the vertex by the heaviest corner, and names what lies outside", () => {
  const { mesh } = cutHead();
  const part = facePart(mesh, MASK);
  const triangles = Uint32Array.from({ length: 68 }, (_, i) => 10 * i);
  const weights = Float32Array.from({ length: 3 * 68 }, (_, k) => k % 3 === 2 ? 0.5 : 0.25);
  const inside = facePart(mesh, { size: 1, values: [1] });
  const { eyes, noseTip, mouthCorners, nose } = partLandmarks(inside, {
    points: { triangles, weights },
    triangles: mesh.triangles,
  });
  const wanted = [36, 39, 42, 45, 30, 48, 54, 30, 33, 31, 35, 27].map((point) => mesh.triangles[30 * point + 2]);
  assert.deepEqual([...eyes, noseTip, ...mouthCorners, ...nose].map((v) => inside.vertices[v]), wanted);
  const far = triangles.map((t, i) => i === 54 ? mesh.triangles.length / 3 - 1 : 0 * t);
  assert.throws(
    () => partLandmarks(part, { points: { triangles: far, weights }, triangles: mesh.triangles }),
    /Landmark 54 of the head lies outside/,
  );
});
