import assert from "node:assert/strict";
import { guessTexture } from "../../../face/guess_textures_cpu.ts";
import { albedoOf } from "../../../face/morphable.ts";
import { shadingMap } from "../../../face/normal_maps_cpu.ts";
import { readSeen } from "../../../stages/faces/geometry.ts";
import { encodeGreyPng, readImage, toBytes } from "../../../stages/faces/photograph.ts";
import { encodeRegression, readRegression } from "../../../stages/faces/regression.ts";
import { guessTextures } from "../../../stages/geometry/first_guess.ts";
import { asset } from "../../../stages/data/fetch.ts";
import { cast, sourceFolder } from "@ftim/pipeline";
import { makeFace, morphable, SIZE, topology } from "../face_lab.ts";
import { geometryStages, layFaces } from "../geometry_lab.ts";
import { withScratch } from "../scratch.ts";

Deno.test("guess makes of each face what the reference makes, alone as beside others", async () => {
  await withScratch(async (scratch) => {
    const faces = { "a/0": makeFace({ yaw: 20 }), "b/0": makeFace({ yaw: -35, side: -0.6 }), "c/0": makeFace() };
    await layFaces(scratch, faces);
    const { unwrapped, regressed, guesses } = geometryStages(scratch.folder);
    const { trees } = await scratch.run({ unwrapped, regressed, guesses });
    for (const key of Object.keys(faces)) {
      const { vertices, light, albedo: code } = await readRegression(trees.regressed, key);
      const albedo = Float32Array.from(toBytes(albedoOf(morphable(), code)), (byte) => byte / 255);
      const shading = shadingMap(vertices, { light, topology, size: SIZE });
      const seen = await readSeen(trees.unwrapped, key);
      const expected = toBytes(guessTexture(seen, { albedo, shading, topology }));
      const found = toBytes((await readImage(trees.guesses, `${key}.png`)).data);
      const differences = expected.map((value, i) => Math.abs(value - found[i]!));
      assert.ok(Math.max(...differences) <= 1, key);
      assert.ok(differences.filter((difference) => difference > 0).length < 1e-3 * differences.length, key);
    }
  });
});

Deno.test("guess leaves out, by name, a face of which too little was seen, and one that is not finite", async () => {
  await withScratch(async (scratch) => {
    await layFaces(scratch, { "a/0": makeFace(), "b/0": makeFace(), "c/0": makeFace() });
    const { unwrapped, regressed, guesses: whole } = geometryStages(scratch.folder);
    const { trees: made } = await scratch.run({ unwrapped, regressed, whole });
    for (const path of made.unwrapped.paths) await scratch.write(`seen/${path}`, await made.unwrapped.bytes(path));
    for (const path of made.regressed.paths) await scratch.write(`found/${path}`, await made.regressed.bytes(path));
    const regression = await readRegression(made.regressed, "b/0");
    const broken = { ...regression, vertices: regression.vertices.with(4, NaN) };
    await scratch.write("found/b/0.safetensors", encodeRegression(broken));
    const dark = { width: SIZE, height: SIZE, data: new Float32Array(SIZE * SIZE) };
    await scratch.write("seen/c/0.visibility.png", await encodeGreyPng(dark));
    const guesses = guessTextures({
      unwrapped: cast(sourceFolder(`${scratch.folder}/seen`), "unwrapped"),
      regressed: cast(sourceFolder(`${scratch.folder}/found`), "regressed"),
      model: cast(sourceFolder(`${scratch.folder}/model`), "model"),
      topology: asset("models/facemeshcoords.ts"),
    });
    const { trees } = await scratch.run({ guesses });
    assert.deepEqual(trees.guesses.paths, ["a/0.png"]);
    assert.match(trees.guesses.skipped.get("b/0") ?? "", /b\/0: what was regressed of it is not finite/);
    assert.match(trees.guesses.skipped.get("c/0") ?? "", /c\/0: too little of it was seen for a first guess/);
    assert.deepEqual(await trees.guesses.bytes("a/0.png"), await made.whole.bytes("a/0.png"));
  });
});
