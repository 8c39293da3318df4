import assert from "node:assert/strict";
import { type Artifact, cast, sourceFolder } from "@ftim/pipeline";
import { asset } from "../../../stages/data/fetch.ts";
import { readVisibility } from "../../../stages/faces/geometry.ts";
import { regress } from "../../../stages/geometry/regress.ts";
import { CUT_THROUGH, seenSkin } from "../../../stages/geometry/seen_skin.ts";
import { unwrapTextures } from "../../../stages/geometry/unwrap.ts";
import { CROP, faceFiles, makeFace, modelFile, SIZE } from "../face_lab.ts";
import { withScratch } from "../scratch.ts";

Deno.test("what covers one half was not seen; a face that the photograph's edge cuts through is left out by name", () =>
  withScratch(async ({ folder, write, run }) => {
    const plain = makeFace();
    // A blue wall over the right edge of the face.
    const wall = makeFace();
    for (let i = 0; i < CROP * CROP; i++) if (i % CROP > 165) wall.picture.data.set([0.1, 0.3, 0.9], 3 * i);
    // The photograph ends at the nose.
    const cut = { ...plain, photograph: { width: CROP / 2 + 4, height: CROP } };
    await write("model/model.safetensors", modelFile());
    for (const [key, face] of Object.entries({ "plain/0": plain, "wall/0": wall, "cut/0": cut })) {
      for (const [path, content] of Object.entries(await faceFiles(key, face))) await write(path, content);
    }
    const from = <K extends string>(name: string, kind: K): Artifact<K> =>
      cast(sourceFolder(`${folder}/${name}`), kind);
    const [crops, meshes, model] = [from("aligned", "aligned"), from("meshes", "meshes"), from("model", "model")];
    const topology = asset("models/facemeshcoords.ts");
    const unwrapped = unwrapTextures({ crops, meshes, topology }, { size: SIZE });
    const regressed = regress({ meshes, unwrapped, model, topology });
    const skin = seenSkin({ crops, unwrapped, regressed, model, topology });
    const { trees } = await run({ unwrapped, skin });

    const [before, after] = await Promise.all(
      [trees.unwrapped, trees.skin].map((tree) => readVisibility(tree, "plain/0")),
    );
    assert.deepEqual(after, before, "nothing covers it");
    const [shown, left] = await Promise.all(
      [trees.unwrapped, trees.skin].map((tree) => readVisibility(tree, "wall/0")),
    );
    const lowered = [...shown!].flatMap((value, texel) => left![texel]! < value - 0.3 ? [texel % SIZE] : []);
    assert.ok(lowered.length > 60, `${lowered.length} texels`);
    assert.ok(lowered.every((column) => column > SIZE / 2), "the half without the wall stays");
    for (const name of ["texture", "mask"]) {
      const [a, b] = await Promise.all(
        [trees.unwrapped, trees.skin].map((tree) => tree.bytes(`wall/0.${name}.png`)),
      );
      assert.deepEqual(b, a, name);
    }
    assert.ok(!trees.skin.has("cut/0.visibility.png"));
    assert.match(trees.skin.skipped.get("cut/0")!, new RegExp(CUT_THROUGH));
  }));
