/**
 * GLB files as Blender imports and renders them. It is too large to install for a test: golden/blender.json is what it
 * said of the files with these hashes.
 */
import assert from "node:assert/strict";
import { sha256 } from "@ftim/pipeline";
import { z } from "zod";
import golden from "../golden/blender.json" with { type: "json" };
import { maxDifference } from "./head.ts";
import { METRES, model, NOSE, QUARTERS, SIZE, topology, viewedFiles } from "./viewed_face.ts";

const numbers = z.array(z.number());
const found = z.strictObject({
  sha256: z.string(),
  objects: z.array(z.tuple([z.string(), z.string()])),
  vertices: z.number(),
  triangles: z.number(),
  outward: z.number(),
  finite: z.boolean(),
  low: numbers,
  high: numbers,
  foremost: z.number(),
  links: z.array(z.array(z.string())),
  image: numbers,
  colours: z.string(),
  dark: z.array(numbers),
  lit: z.array(numbers),
});
const { "face.glb": lit, "face_albedo.glb": albedo } = z.strictObject({ "face.glb": found, "face_albedo.glb": found })
  .parse(golden.files);

Deno.test("Blender was shown the files that are written today", async () => {
  for (const [name, bytes] of Object.entries(await viewedFiles())) {
    const { sha256: seen } = name === "face.glb" ? lit : albedo;
    assert.equal(sha256(bytes), seen, `${name}: run test/golden/blender.py again, as it says at its top`);
  }
});

Deno.test("Blender imports one mesh, upright, with its front to −y, not inside out", () => {
  const axis = (k: number) => [...model.filter((_, i) => i % 3 === k)].map((value) => METRES * value);
  // Blender has z up: y of the file, and −z of the file is its y.
  const [x, y, z] = [axis(0), axis(2).map((value) => -value), axis(1)];
  for (const file of [lit, albedo]) {
    assert.deepEqual(file.objects, [["face", "MESH"]]);
    assert.deepEqual([file.vertices, file.triangles], [topology.vertexCount, topology.triangles.length / 3]);
    assert.deepEqual([file.outward, file.finite, file.foremost], [file.triangles, true, NOSE]);
    assert.ok(maxDifference(file.low, [x, y, z].map((values) => Math.min(...values))) < 1e-6);
    assert.ok(maxDifference(file.high, [x, y, z].map((values) => Math.max(...values))) < 1e-6);
    assert.deepEqual([file.image, file.colours], [[SIZE, SIZE], "sRGB"]);
  }
});

Deno.test("Blender shows a lit texture as it is, with and without a lamp, and an albedo only under one", () => {
  const colours = QUARTERS.map(({ colour }) => colour);
  assert.ok(lit.links.some((link) => `${link}` === "TEX_IMAGE,EMISSION,Color"));
  assert.ok(albedo.links.some((link) => `${link}` === "TEX_IMAGE,BSDF_PRINCIPLED,Base Color"));
  for (const [i, { name, colour }] of QUARTERS.entries()) {
    assert.deepEqual([lit.dark[i], lit.lit[i], albedo.dark[i]], [colour, colour, [0, 0, 0]], name);
    const differences = colours.map((other) => maxDifference(albedo.lit[i]!, other));
    assert.equal(differences.indexOf(Math.min(...differences)), i, name);
  }
});
