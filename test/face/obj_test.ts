import assert from "node:assert/strict";
import { encodeMtl, encodeObj } from "../../face/obj.ts";
import { gridHead } from "./head.ts";

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
/** The fields of the lines that begin with a word. */
const fields = (file: string, word: string) =>
  file.split("\n").filter((line) => line.startsWith(`${word} `)).map((line) => line.split(" ").slice(1));

Deno.test("encodeObj writes positions in metres, the chart from the bottom and normals outward", () => {
  const { topology, model } = gridHead(7);
  const options = { topology, metres: 0.1, name: "face", materials: "face.mtl", material: "lit" };
  const file = text(encodeObj(model, options));
  assert.deepEqual(
    [fields(file, "mtllib"), fields(file, "o"), fields(file, "usemtl")],
    [["face.mtl"], ["face"], [
      "lit",
    ]].map((row) => [row]),
  );
  const [v, vt, vn] = ["v", "vt", "vn"].map((word) => fields(file, word).map((row) => row.map(Number)));
  assert.deepEqual([v!.length, vt!.length, vn!.length], [49, 49, 49]);
  v!.flat().forEach((value, i) => assert.ok(Math.abs(value - 0.1 * model[i]!) < 1e-6));
  vt!.forEach(([u, w], i) => {
    assert.ok(Math.abs(u! - topology.uvs[2 * i]!) < 1e-6 && Math.abs(1 - w! - topology.uvs[2 * i + 1]!) < 1e-6);
  });
  assert.ok(vn![24]![2]! > 0.9, "the middle of the face looks along +z");
  const corners = fields(file, "f").flat().map((corner) => corner.split("/").map(Number));
  assert.deepEqual(corners.map(([vertex]) => vertex! - 1), [...topology.triangles]);
  assert.ok(corners.every(([a, b, c]) => a === b && b === c));
  assert.ok(!/NaN|undefined|\de[-+]?\d/.test(file));
});

Deno.test("encodeMtl writes a material a texture; one with light in it asks for none", () => {
  const file = text(encodeMtl([
    { name: "lit", texture: "texture.png", unlit: true, note: "one" },
    { name: "albedo", texture: "albedo.png", unlit: false, note: "two" },
  ]));
  assert.deepEqual(fields(file, "newmtl").flat(), ["lit", "albedo"]);
  assert.deepEqual(fields(file, "map_Kd").flat(), ["texture.png", "albedo.png"]);
  assert.deepEqual(fields(file, "illum").flat(), ["0", "1"]);
  assert.deepEqual(fields(file, "#").flat(), ["one", "two"]);
});
