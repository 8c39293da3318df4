import assert from "node:assert/strict";
import { WebIO } from "@gltf-transform/core";
import { encodeGlb } from "../../face/glb.ts";
import { assertValidGlb } from "../gltf.ts";
import { gridHead, maxDifference } from "./head.ts";

// A PNG of one grey pixel.
const PNG = Uint8Array.fromBase64(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg==",
);

Deno.test("encodeGlb writes a file that a glTF reader understands: mesh, chart, normals and texture", async () => {
  const { topology, model } = gridHead(7);
  const bytes = await encodeGlb(model, { topology, texture: PNG, metres: 0.1, name: "head" });
  assert.equal(new TextDecoder().decode(bytes.subarray(0, 4)), "glTF");
  const root = (await new WebIO().readBinary(bytes)).getRoot();
  const primitive = root.listMeshes()[0]!.listPrimitives()[0]!;
  assert.deepEqual([...primitive.getIndices()!.getArray()!], [...topology.triangles]);
  assert.ok(maxDifference(primitive.getAttribute("POSITION")!.getArray()!, model.map((value) => value * 0.1)) < 1e-6);
  assert.deepEqual(primitive.getAttribute("TEXCOORD_0")!.getArray(), topology.uvs);
  const normals = primitive.getAttribute("NORMAL")!.getArray()!;
  assert.ok(normals[3 * 24 + 2]! > 0.9, "the middle of the face looks along +z");
  assert.deepEqual(root.listTextures()[0]!.getImage(), PNG);
  assert.equal(root.listMeshes()[0]!.getName(), "head");
  assert.equal(root.getDefaultScene()!.listChildren().length, 1);
});

Deno.test("a lit texture asks for no other light, an albedo does, and both files are valid", async () => {
  const { topology, model } = gridHead(7);
  const lit = await encodeGlb(model, { topology, texture: PNG, unlit: true });
  assert.deepEqual(await assertValidGlb(lit, "lit"), ["KHR_materials_unlit"]);
  const albedo = await encodeGlb(model, { topology, texture: PNG, note: "a word" });
  assert.deepEqual(await assertValidGlb(albedo, "albedo"), []);
  const [material] = (await new WebIO().readBinary(albedo)).getRoot().listMaterials();
  assert.deepEqual(material!.getExtras(), { note: "a word" });
  assert.deepEqual([material!.getMetallicFactor(), material!.getRoughnessFactor()], [0, 1]);
});

Deno.test("the validator's report is not empty by chance: it finds what is wrong with a file", async () => {
  const { topology, model } = gridHead(5);
  const glb = await encodeGlb(model, { topology, texture: PNG });
  const text = new TextDecoder("latin1").decode(glb);
  glb[text.indexOf('"max":[') + 7] = 0x39;
  await assert.rejects(assertValidGlb(glb, "damaged"), /ACCESSOR_MAX_MISMATCH/);
});

Deno.test("encodeGlb gives the same bytes for the same head and refuses what is no picture", async () => {
  const { topology, model } = gridHead(5);
  const encode = () => encodeGlb(model, { topology, texture: PNG });
  assert.deepEqual(await encode(), await encode());
  await assert.rejects(encodeGlb(model, { topology, texture: Uint8Array.of(1, 2) }), /PNG or JPEG/);
});
