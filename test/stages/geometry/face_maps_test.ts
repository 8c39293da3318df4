/** unwrap → regress → the first guess and the fitted comparators, on a face whose truth is known. */
import assert from "node:assert/strict";
import { type Artifact, cast, sourceFolder, type Tree } from "@ftim/pipeline";
import { interpolate, uvMap } from "../../../face/uv_map.ts";
import { compareChen } from "../../../stages/methods/compare_chen.ts";
import { compareDeca } from "../../../stages/methods/compare_deca.ts";
import { compareDeng } from "../../../stages/methods/compare_deng.ts";
import { assets as packaged } from "../../../stages/data/fetch.ts";
import { asset } from "../../../stages/data/fetch.ts";
import { guessTextures } from "../../../stages/geometry/first_guess.ts";
import { readSeen } from "../../../stages/faces/geometry.ts";
import { readImage } from "../../../stages/faces/photograph.ts";
import { regress } from "../../../stages/geometry/regress.ts";
import { encodeRegression, readRegression } from "../../../stages/faces/regression.ts";
import { unwrapTextures } from "../../../stages/geometry/unwrap.ts";
import { CROP, faceFiles, inside, makeFace, meanDifference, modelFile, SIZE, topology } from "../face_lab.ts";
import { type Scratch, withScratch } from "../scratch.ts";

const assets = asset("models/facemeshcoords.ts");

async function lay({ write }: Scratch, faces: Record<string, Parameters<typeof faceFiles>[1]>): Promise<void> {
  await write("model/model.safetensors", modelFile());
  for (const [key, face] of Object.entries(faces)) {
    for (const [path, content] of Object.entries(await faceFiles(key, face))) await write(path, content);
  }
}

function stages(folder: string) {
  const from = <K extends string>(name: string, kind: K): Artifact<K> => cast(sourceFolder(`${folder}/${name}`), kind);
  const crops = from("aligned", "aligned");
  const meshes = from("meshes", "meshes");
  const model = from("model", "model");
  const unwrapped = unwrapTextures({ crops, meshes, topology: assets }, { size: SIZE });
  const regressed = regress({ meshes, unwrapped, model, topology: assets });
  const shared = { crops, unwrapped, regressed, model, topology: assets };
  const guesses = guessTextures({ unwrapped, regressed, model, topology: assets });
  return { unwrapped, regressed, guesses, shared };
}

const map = async (tree: Tree, path: string) => (await readImage(tree, path)).data;

Deno.test("unwrap takes nothing from beyond the photograph, neither texels nor mask", () =>
  withScratch(async (scratch) => {
    const face = makeFace();
    const border = 120;
    await lay(scratch, { "whole/0": face, "cut/0": { ...face, photograph: { width: border, height: CROP } } });
    const { unwrapped } = stages(scratch.folder);
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
    const [all, part] = await Promise.all(["whole/0", "cut/0"].map((key) => map(tree, `${key}.mask.png`)));
    for (let i = 0; i < CROP * CROP; i++) assert.equal(part![3 * i], i % CROP < border ? all![3 * i] : 0);
  }));

/** The network of Deng's perceptual term. */
const identity = packaged("models/face_recognition_model");

Deno.test("a face that the model can express is regressed, completed and re-made by every fitted comparator", () =>
  withScratch(async (scratch) => {
    const face = makeFace({ yaw: 12 });
    await lay(scratch, { "a/0": face });
    const { unwrapped, regressed, guesses, shared } = stages(scratch.folder);
    const { unwrapped: _, ...withoutSeen } = shared;
    const { trees } = await scratch.run({
      unwrapped,
      regressed,
      guesses,
      deca: compareDeca(withoutSeen),
      deng: compareDeng({ ...shared, identity }),
      chen: compareChen(shared, { iterations: 15 }),
    });
    const { angles, vertices } = await readRegression(trees.regressed, "a/0");
    assert.ok(Math.abs(angles.yaw - 12) < 1 && Math.abs(angles.roll) < 1, JSON.stringify(angles));
    assert.deepEqual(vertices, face.vertices, "the posed vertices stay the network's own");
    const { texture, visibility } = await readSeen(trees.unwrapped, "a/0");
    assert.ok(meanDifference(texture, face.texture, visibility) < 0.01);
    const guess = await map(trees.guesses, "a/0.png");
    const wellSeen = visibility.map((value) => value > 0.9 ? 1 : 0);
    assert.ok(meanDifference(guess, texture, wellSeen) < 1e-3, "the guess keeps what is seen");
    assert.ok(meanDifference(guess, face.texture, inside) < 0.005, "and completes it");
    for (const [name, bound] of [["deca", 0.02], ["deng", 0.01], ["chen", 0.02]] as const) {
      const error = meanDifference(await map(trees[name], "a/0.texture.png"), face.texture, inside);
      assert.ok(error < bound, `${name}: the texture is off by ${error}`);
      const render = await map(trees[name], "a/0.render.png");
      const covered = meanDifference(render, face.picture.data, face.operator.coverage);
      assert.ok(covered < bound, `${name}: the render is off by ${covered}`);
    }
  }));

Deno.test("a hand before the cheek spoils the texture of Deng's robust fit less than that of the plain one", () =>
  withScratch(async (scratch) => {
    const face = makeFace();
    const data = face.picture.data.slice();
    for (let y = 100; y < 160; y++) for (let x = 50; x < 95; x++) data.set([0.05, 0.1, 0.3], 3 * (y * CROP + x));
    await lay(scratch, { "hand/0": { ...face, picture: { ...face.picture, data } } });
    const { shared } = stages(scratch.folder);
    const { trees } = await scratch.run({
      robust: compareDeng({ ...shared, identity }),
      plain: compareDeng({ ...shared, identity }, { huber: 1e6 }),
    });
    const error = async (tree: Tree) => meanDifference(await map(tree, "hand/0.texture.png"), face.texture, inside);
    const [robust, plain] = [await error(trees.robust), await error(trees.plain)];
    assert.ok(robust < 0.04 && robust < 0.6 * plain, `robust ${robust}, plain ${plain}`);
  }));

Deno.test("regress leaves out a face of which nothing is seen, by name", () =>
  withScratch(async (scratch) => {
    const face = makeFace({ yaw: 180 });
    await lay(scratch, { "back/0": face });
    const { regressed } = stages(scratch.folder);
    const { trees } = await scratch.run({ regressed });
    assert.match(trees.regressed.skipped.get("back/0") ?? "", /back\/0: the mesh shows no part of its front/);
  }));

Deno.test("a regression survives its file, and a file that lacks a tensor says which", async () => {
  const floats = (...values: number[]) => Float32Array.from(values);
  const regression = {
    vertices: floats(1, 2, 3, 4, 5, 6),
    identity: floats(0.5, -1),
    expression: floats(0.25),
    angles: { yaw: -31.5, pitch: 4.25, roll: 170 },
    light: new Float32Array(27).fill(0.1),
    albedo: floats(1, 2, 3),
  };
  const tree = (bytes: Uint8Array) => ({ bytes: () => Promise.resolve(bytes) }) as unknown as Tree;
  assert.deepEqual(await readRegression(tree(encodeRegression(regression)), "a"), regression);
  const { light: _, ...rest } = regression;
  const lacking = encodeRegression(rest as typeof regression);
  await assert.rejects(readRegression(tree(lacking), "a"), /a\.safetensors holds no "light"/);
});
