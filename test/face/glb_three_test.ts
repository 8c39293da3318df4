/** GLB files as three.js reads and shows them, which shares no code with what writes them. */
import assert from "node:assert/strict";
import { decodePixels } from "../../stages/faces/photograph.ts";
import { maxDifference } from "./head.ts";
import { readWithThree } from "./three/run.ts";
import { METRES, model, NOSE, PNG, QUARTERS, SIZE, topology, viewedFiles } from "./viewed_face.ts";

Deno.test("three.js shows a lit texture unlit and an albedo in a light, and each colour where it belongs", async () => {
  const files = await viewedFiles();
  const points = QUARTERS.map(({ point }) => point);
  const lit = await readWithThree(files["face.glb"], points);
  const albedo = await readWithThree(files["face_albedo.glb"], points);
  assert.deepEqual([lit.material, albedo.material], ["MeshBasicMaterial", "MeshStandardMaterial"]);
  assert.deepEqual([lit.userData, albedo.userData], [{}, { note: "a word" }]);
  const { image } = await decodePixels(PNG);
  for (const { others, map, position, normal, uv, index, front, back } of [lit, albedo]) {
    assert.equal(others, 0);
    assert.ok(maxDifference(position, model.map((value) => METRES * value)) < 1e-6);
    assert.ok(normal.length === position.length && normal.every(Number.isFinite));
    assert.ok(normal[3 * NOSE + 2]! > 0.9, "the tip of the nose looks along +z");
    assert.deepEqual(uv, [...topology.uvs]);
    assert.deepEqual(index, [...topology.triangles]);
    assert.deepEqual(map, { colorSpace: "srgb", flipY: false, width: SIZE, height: SIZE });
    for (const [i, { name, colour }] of QUARTERS.entries()) {
      const [x, y] = front[i]!.map((value) => Math.floor(SIZE * value));
      assert.deepEqual([...image.data.subarray(3 * (SIZE * y! + x!))].slice(0, 3), colour, name);
    }
    // From behind a face mask is not there: all its triangles are turned to the front.
    assert.ok(back.every((seen) => seen === null));
  }
});
