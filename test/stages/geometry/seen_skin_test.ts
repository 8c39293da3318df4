import assert from "node:assert/strict";
import { readVisibility } from "../../../stages/faces/geometry.ts";
import { CUT_THROUGH, seenSkin, TOO_SMALL, whyLeftOut } from "../../../stages/geometry/seen_skin.ts";
import { CROP, makeFace, SIZE } from "../face_lab.ts";
import { geometryStages, layFaces } from "../geometry_lab.ts";
import { withScratch } from "../scratch.ts";

Deno.test("what covers one half was not seen; a face that the edge cuts through, or a tiny one, is left out", () =>
  withScratch(async (scratch) => {
    const plain = makeFace();
    // A blue wall over the right edge of the face.
    const wall = makeFace();
    for (let i = 0; i < CROP * CROP; i++) if (i % CROP > 165) wall.picture.data.set([0.1, 0.3, 0.9], 3 * i);
    // The photograph ends at the nose.
    const cut = { ...plain, photograph: { width: CROP / 2 + 4, height: CROP } };
    // It ends beside an eye: the mesh network may have pressed the face into what is left of it.
    const eye = plain.vertices[3 * 263]!;
    const near = { ...plain, photograph: { width: eye + 0.05 * 160, height: CROP } };
    const far = { ...plain, photograph: { width: eye + 0.15 * 160, height: CROP } };
    // The same face, 161 pixels wide in the crop, of 32 and of 40 pixels in its photograph.
    const small = { ...plain, scale: 5 };
    const large = { ...plain, scale: 4 };
    await layFaces(scratch, { "plain/0": plain, "wall/0": wall, "cut/0": cut, "near/0": near });
    await layFaces(scratch, { "far/0": far, "small/0": small, "large/0": large });
    const { unwrapped, shared } = geometryStages(scratch.folder);
    const { trees } = await scratch.run({ unwrapped, skin: seenSkin(shared) });

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
    const why = (key: string) => whyLeftOut(trees.skin.skipped.get(key));
    assert.deepEqual(["cut/0", "near/0", "far/0"].map(why), [CUT_THROUGH, CUT_THROUGH, undefined]);
    assert.deepEqual(["small/0", "large/0"].map(why), [TOO_SMALL, undefined]);
    assert.ok(trees.skin.has("far/0.visibility.png") && trees.skin.has("large/0.visibility.png"));
  }));
