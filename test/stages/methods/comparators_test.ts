/** The comparators that are fitted to one face, on a face whose truth is known. */
import assert from "node:assert/strict";
import { type Tree } from "@ftim/pipeline";
import { compareChen } from "../../../stages/methods/compare_chen.ts";
import { compareDeca } from "../../../stages/methods/compare_deca.ts";
import { compareDeng } from "../../../stages/methods/compare_deng.ts";
import { withoutFtim } from "../../../stages/methods/without_ftim.ts";
import { assets as packaged } from "../../../stages/data/fetch.ts";
import { readSeen } from "../../../stages/faces/geometry.ts";
import { readRegression } from "../../../stages/faces/regression.ts";
import { CROP, inside, makeFace, meanDifference } from "../face_lab.ts";
import { type Scratch, withScratch } from "../scratch.ts";
import { geometryStages, layFaces, readMap } from "../geometry_lab.ts";

/** The network of Deng's perceptual term. */
const identity = packaged("models/face_recognition_model");

Deno.test("a face that the model can express is regressed, completed and re-made by every fitted comparator", () =>
  withScratch(async (scratch) => {
    const face = makeFace({ yaw: 12 });
    await layFaces(scratch, { "a/0": face });
    const { unwrapped, regressed, guesses, shared } = geometryStages(scratch.folder);
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
    const guess = await readMap(trees.guesses, "a/0.png");
    const wellSeen = visibility.map((value) => value > 0.9 ? 1 : 0);
    assert.ok(meanDifference(guess, texture, wellSeen) < 1e-3, "the guess keeps what is seen");
    assert.ok(meanDifference(guess, face.texture, inside) < 0.005, "and completes it");
    for (const [name, bound] of [["deca", 0.02], ["deng", 0.01], ["chen", 0.02]] as const) {
      const error = meanDifference(await readMap(trees[name], "a/0.texture.png"), face.texture, inside);
      assert.ok(error < bound, `${name}: the texture is off by ${error}`);
      const render = await readMap(trees[name], "a/0.render.png");
      const covered = meanDifference(render, face.picture.data, face.operator.coverage);
      assert.ok(covered < bound, `${name}: the render is off by ${covered}`);
    }
  }));

Deno.test("every method writes the same files for a face alone as for one of several", () =>
  withScratch(async (alone) => {
    const faces = { "a/0": makeFace({ yaw: 12 }), "b/0": makeFace({ yaw: -30, code: [0.1, 0.9, -0.3] }) };
    await layFaces(alone, { "a/0": faces["a/0"] });
    const run = async (scratch: Scratch) => {
      const { unwrapped, regressed, guesses, shared } = geometryStages(scratch.folder);
      const { unwrapped: _, ...withoutSeen } = shared;
      const { trees } = await scratch.run({
        unwrapped,
        regressed,
        deca: compareDeca(withoutSeen),
        deng: compareDeng({ ...shared, identity }, { steps: 2 }),
        chen: compareChen(shared, { iterations: 15 }),
        copy: withoutFtim({ ...shared, guesses }, { fill: "copy" }),
        guess: withoutFtim({ ...shared, guesses }, { fill: "guess" }),
      });
      const files = Object.entries(trees).flatMap(([method, tree]) =>
        tree.paths.filter((path) => path.startsWith("a/")).map((path) => [`${method} ${path}`, tree.entry(path).sha256])
      );
      return Object.fromEntries(files);
    };
    const expected = await run(alone);
    assert.ok(Object.keys(expected).length === 3 + 1 + 5 * 3, Object.keys(expected).join());
    await withScratch(async (together) => {
      await layFaces(together, faces);
      assert.deepEqual(await run(together), expected);
    });
  }));

Deno.test("without FTIM a face keeps what was seen, and has the template or the first guess elsewhere", () =>
  withScratch(async (scratch) => {
    await layFaces(scratch, { "a/0": makeFace({ yaw: 40 }) });
    const { unwrapped, guesses, shared } = geometryStages(scratch.folder);
    const { unwrapped: _, ...withoutSeen } = shared;
    const { trees } = await scratch.run({
      unwrapped,
      guesses,
      deca: compareDeca(withoutSeen),
      copy: withoutFtim({ ...shared, guesses }, { fill: "copy" }),
      guess: withoutFtim({ ...shared, guesses }, { fill: "guess" }),
    });
    const { texture: seen, visibility } = await readSeen(trees.unwrapped, "a/0");
    const texture = async (tree: Tree) => await readMap(tree, "a/0.texture.png");
    const [copy, deca] = [await texture(trees.copy), await texture(trees.deca)];
    const expected = deca.map((value, i) => {
      const weight = visibility[Math.floor(i / 3)]!;
      return weight * seen[i]! + (1 - weight) * value;
    });
    assert.ok(meanDifference(copy, expected, inside) < 0.6 / 255);
    assert.deepEqual(await texture(trees.guess), await readMap(trees.guesses, "a/0.png"));
  }));

Deno.test("a hand before the cheek spoils the texture of Deng's robust fit less than that of the plain one", () =>
  withScratch(async (scratch) => {
    const face = makeFace();
    const data = face.picture.data.slice();
    for (let y = 100; y < 160; y++) for (let x = 50; x < 95; x++) data.set([0.05, 0.1, 0.3], 3 * (y * CROP + x));
    await layFaces(scratch, { "hand/0": { ...face, picture: { ...face.picture, data } } });
    const { shared } = geometryStages(scratch.folder);
    const { trees } = await scratch.run({
      robust: compareDeng({ ...shared, identity }),
      plain: compareDeng({ ...shared, identity }, { huber: 1e6 }),
    });
    const error = async (tree: Tree) => meanDifference(await readMap(tree, "hand/0.texture.png"), face.texture, inside);
    const [robust, plain] = [await error(trees.robust), await error(trees.plain)];
    assert.ok(robust < 0.04 && robust < 0.6 * plain, `robust ${robust}, plain ${plain}`);
  }));
