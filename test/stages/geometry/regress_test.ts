import assert from "node:assert/strict";
import { makeFace } from "../face_lab.ts";
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
