import assert from "node:assert/strict";
import { cast, sourceFolder } from "@ftim/pipeline";
import { createImage } from "../../../face/image.ts";
import { type AlignedFace, alignFaces } from "../../../stages/data/align.ts";
import type { Detection } from "../../../stages/data/detect.ts";
import { outlineFaces } from "../../../stages/data/outline.ts";
import { encodeMesh } from "../../../stages/faces/geometry.ts";
import { importPhotographs } from "../../../stages/data/import.ts";
import { encodePng } from "../../../stages/faces/photograph.ts";
import { withScratch } from "../scratch.ts";

Deno.test("a crop around a mesh shows the forehead that the crop around the detector's box cut off", () =>
  withScratch(async ({ folder, write, run }) => {
    await write("images/a.png", await encodePng(createImage({ width: 640, height: 480 })));
    const faces = [60, 340].map((left) => ({ left, top: 200, width: 160, height: 180, score: 1 }));
    await write("found/a.json", JSON.stringify({ width: 640, height: 480, faces, found: 2 }));
    const images = importPhotographs(sourceFolder(`${folder}/images`));
    const detections = cast(sourceFolder(`${folder}/found`), "detections");
    const first = alignFaces({ images, detections });
    const { trees: { first: cut } } = await run({ first });
    // A mesh whose top lies 40 pixels above the crop; the other face has none.
    await write(
      "meshes/a/0.safetensors",
      encodeMesh({ vertices: Float32Array.of(20, -40, 0, 190, 60, 5, 110, 180, 9), score: 1 }),
    );
    const meshes = cast(sourceFolder(`${folder}/meshes`), "meshes");
    const outlined = outlineFaces({ detections, crops: first, meshes });
    const { trees } = await run({ outlined, whole: alignFaces({ images, detections: outlined }) });
    const [one, other] = (await trees.outlined.json<Detection>("a.json")).faces;
    assert.deepEqual(other, faces[1], "without a mesh a face stays as it is");
    const { transform } = await cut.json<AlignedFace>("a/0.json");
    const { left, top, width, height } = one!.outline!;
    assert(Math.abs(left - (20 - transform.x) / transform.scale) < 1e-4);
    assert(Math.abs(top - (-40 - transform.y) / transform.scale) < 1e-4);
    assert(Math.abs(width - 170 / transform.scale) < 1e-4 && Math.abs(height - 220 / transform.scale) < 1e-4);

    const about = await trees.whole.json<AlignedFace>("a/0.json");
    assert.deepEqual(about.box, faces[0], "the detector's box stays what it was");
    assert.deepEqual(about.outline, one!.outline);
    const highest = about.transform.scale * top + about.transform.y;
    assert(highest > 15, `the mesh begins ${highest} pixels below the crop's border`);
    const kept = await trees.whole.json<AlignedFace>("a/1.json");
    assert.deepEqual(kept, await cut.json<AlignedFace>("a/1.json"));
  }));

Deno.test("a mesh that is no finite number gives no outline", () =>
  withScratch(async ({ folder, write, run }) => {
    await write("images/a.png", await encodePng(createImage({ width: 640, height: 480 })));
    const face = { left: 60, top: 100, width: 160, height: 180, score: 1 };
    await write("found/a.json", JSON.stringify({ width: 640, height: 480, faces: [face], found: 1 }));
    await write("meshes/a/0.safetensors", encodeMesh({ vertices: Float32Array.of(20, NaN, 0), score: 1 }));
    const detections = cast(sourceFolder(`${folder}/found`), "detections");
    const crops = alignFaces({ images: importPhotographs(sourceFolder(`${folder}/images`)), detections });
    const meshes = cast(sourceFolder(`${folder}/meshes`), "meshes");
    const { trees: { outlined } } = await run({ outlined: outlineFaces({ detections, crops, meshes }) });
    assert.deepEqual((await outlined.json<Detection>("a.json")).faces, [face]);
  }));
