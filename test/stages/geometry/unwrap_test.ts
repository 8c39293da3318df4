import assert from "node:assert/strict";
import { interpolate } from "../../../face/interpolate_cpu.ts";
import { uvMap } from "../../../face/uv_map.ts";
import { readSeen } from "../../../stages/faces/geometry.ts";
import { CROP, inside, makeFace, SIZE, topology } from "../face_lab.ts";
import { withScratch } from "../scratch.ts";
import { geometryStages, layFaces, readMap } from "../geometry_lab.ts";

Deno.test("unwrap takes nothing from beyond the photograph, neither texels nor mask", () =>
  withScratch(async (scratch) => {
    const face = makeFace();
    const border = 120;
    await layFaces(scratch, { "whole/0": face, "cut/0": { ...face, photograph: { width: border, height: CROP } } });
    const { unwrapped } = geometryStages(scratch.folder);
    const { trees: { unwrapped: tree } } = await scratch.run({ unwrapped });
    const [whole, cut] = await Promise.all(["whole/0", "cut/0"].map((key) => readSeen(tree, key)));
    const places = interpolate(face.vertices, { topology, map: uvMap(topology, SIZE) });
    let [kept, lost] = [0, 0];
    for (let i = 0; i < SIZE * SIZE; i++) {
      if (inside[i] === 0) continue;
      if (places[3 * i]! > border) {
        assert.equal(cut!.visibility[i], 0);
        assert.deepEqual([...cut!.texture.subarray(3 * i, 3 * i + 3)], [0, 0, 0]);
        if (whole!.visibility[i]! > 0) lost++;
      } else if (places[3 * i]! < border - 8) {
        assert.equal(cut!.visibility[i], whole!.visibility[i]);
        kept++;
      }
    }
    assert.ok(lost > 300 && kept > 300, `${lost} texels beyond the border, ${kept} before it`);
    const [all, part] = await Promise.all(["whole/0", "cut/0"].map((key) => readMap(tree, `${key}.mask.png`)));
    for (let i = 0; i < CROP * CROP; i++) assert.equal(part![3 * i], i % CROP < border ? all![3 * i] : 0);
  }));

Deno.test("unwrap takes nothing from beyond the crop, though the photograph goes on there", () =>
  withScratch(async (scratch) => {
    const face = makeFace();
    // The crop's upper border lies in the forehead.
    const raised = face.vertices.map((value, i) => i % 3 === 1 ? value - 60 : value);
    const around = { width: 4 * CROP, height: 4 * CROP };
    await layFaces(scratch, { "cut/0": { ...face, vertices: raised, photograph: around, corner: [-CROP, -CROP] } });
    const { unwrapped } = geometryStages(scratch.folder);
    const { trees: { unwrapped: tree } } = await scratch.run({ unwrapped });
    const { visibility } = await readSeen(tree, "cut/0");
    const places = interpolate(raised, { topology, map: uvMap(topology, SIZE) });
    let [above, below] = [0, 0];
    for (let i = 0; i < SIZE * SIZE; i++) {
      if (inside[i] === 0) continue;
      if (places[3 * i + 1]! < 0) {
        assert.equal(visibility[i], 0);
        above++;
      } else if (visibility[i]! > 0) below++;
    }
    assert.ok(above > 100 && below > 300, `${above} texels above the crop, ${below} seen in it`);
  }));
