import assert from "node:assert/strict";
import { encodeMorphable } from "../../../face/morphable.ts";
import { encodeSafetensors } from "../../../nets/safetensors.ts";
import { encodeRegression, readRegression } from "../../../stages/faces/regression.ts";
import { light, makeFace, morphable } from "../face_lab.ts";
import { withScratch } from "../scratch.ts";
import { geometryStages, layFaces } from "../geometry_lab.ts";

Deno.test("regress leaves out a face of which nothing is seen, by name", () =>
  withScratch(async (scratch) => {
    const face = makeFace({ yaw: 180 });
    await layFaces(scratch, { "back/0": face });
    const { regressed } = geometryStages(scratch.folder);
    const { trees } = await scratch.run({ regressed });
    assert.match(trees.regressed.skipped.get("back/0") ?? "", /back\/0: the mesh shows no part of its front/);
  }));

Deno.test("regress keeps what came with a mesh, and light and albedo too in the space that they are of", () =>
  withScratch(async (scratch) => {
    const face = makeFace();
    await layFaces(scratch, { "front/0": face });
    const encoded = {
      vertices: face.vertices,
      identity: Float32Array.of(0.1, 0.2, 0.3, 0.4),
      expression: Float32Array.of(-0.5),
      angles: { yaw: 11, pitch: 12, roll: 13 },
      pose: Float32Array.of(1, 2, 3, 4, 5, 6),
      light: light(-0.7),
      albedo: Float32Array.of(0, 0, 0, 0, 0.5),
    };
    await scratch.write("meshes/front/0.safetensors", encodeRegression(encoded));
    const regressed = async () => {
      const { trees } = await scratch.run({ regressed: geometryStages(scratch.folder).regressed });
      return await readRegression(trees.regressed, "front/0");
    };
    const { light: fittedLight, albedo: fittedAlbedo, ...kept } = await regressed();
    const { light: ownLight, albedo: ownAlbedo, ...known } = encoded;
    assert.deepEqual(kept, known);
    assert.notDeepEqual(fittedLight, ownLight);
    assert.ok(fittedAlbedo.length === 5 && Math.abs(fittedAlbedo[0]! - 0.8) < 0.4, `${fittedAlbedo}`);
    await scratch.write(
      "model/model.safetensors",
      encodeSafetensors(encodeMorphable(morphable()), { albedo: "encoded" }),
    );
    assert.deepEqual(await regressed(), { ...known, light: ownLight, albedo: ownAlbedo });
  }));
