/** Faces that are none, pictures of one pixel and batches beyond the device: a counted reason, or an error by name. */
import assert from "node:assert/strict";
import { cast, sourceFolder, StageError, type Tree } from "@ftim/pipeline";
import { openGpu } from "@ftim/gpu/device";
import { facesIn } from "../../experiments/photograph.ts";
import { createImage } from "../../face/image.ts";
import { encodeSafetensors } from "../../nets/safetensors.ts";
import { asset, assets } from "../../stages/data/fetch.ts";
import { encodeGreyPng, encodePng } from "../../stages/faces/photograph.ts";
import { encodeRegression, readRegression } from "../../stages/faces/regression.ts";
import { compareDeca } from "../../stages/methods/compare_deca.ts";
import { withoutFtim } from "../../stages/methods/without_ftim.ts";
import { pasteFaces } from "../../stages/methods/paste.ts";
import { scoreMetrics } from "../../stages/scores/metrics.ts";
import { CROP, makeFace, SIZE } from "./face_lab.ts";
import { geometryStages, layFaces } from "./geometry_lab.ts";
import { type Scratch, withScratch } from "./scratch.ts";

const topology = asset("models/facemeshcoords.ts");

/** Files of a folder of the scratch as an artifact. */
function from<K extends string>({ folder }: Scratch, name: string, kind: K) {
  return cast(sourceFolder(`${folder}/${name}`), kind);
}

/** The keys that a tree has files of. */
function keysOf({ paths }: Tree): string[] {
  return [...new Set(paths.map((path) => path.replace(/\..*$/, "")))];
}

Deno.test("a mesh that is not finite or lies in one point has no result, is counted, and spoils no other face", () =>
  withScratch(async (scratch) => {
    const good = makeFace({ yaw: 12 });
    const { vertices } = good;
    await layFaces(scratch, {
      "good/0": good,
      "nan/0": { ...good, vertices: vertices.with(7, NaN) },
      "point/0": { ...good, vertices: vertices.map((_, i) => [CROP / 2, CROP / 2, 0][i % 3]!) },
    });
    const { unwrapped, regressed, guesses, shared } = geometryStages(scratch.folder);
    const { unwrapped: _, ...withoutSeen } = shared;
    const { trees, summary } = await scratch.run({
      unwrapped,
      regressed,
      guesses,
      deca: compareDeca(withoutSeen),
      copy: withoutFtim({ ...shared, guesses }, { fill: "copy" }),
    });
    assert.deepEqual([...trees.unwrapped.skipped], [["nan/0", "a vertex of its mesh is no finite number"]]);
    assert.deepEqual([...trees.regressed.skipped.keys()], ["point/0"]);
    assert.match(trees.regressed.skipped.get("point/0")!, /^point\/0: the mesh shows no part of its front/);
    assert.equal(summary.skipped, 2);
    for (const name of ["regressed", "guesses", "deca", "copy"] as const) {
      assert.deepEqual(keysOf(trees[name]), ["good/0"], name);
    }
    await withScratch(async (alone) => {
      await layFaces(alone, { "good/0": good });
      const { unwrapped, guesses } = geometryStages(alone.folder);
      const { trees: expected } = await alone.run({ unwrapped, guesses });
      for (const name of ["unwrapped", "guesses"] as const) {
        for (const path of expected[name].paths) {
          assert.deepEqual(trees[name].entry(path), expected[name].entry(path), path);
        }
      }
    });
  }));

Deno.test("a regression that is not finite is refused with the names of stage and face", () =>
  withScratch(async (scratch) => {
    const face = makeFace();
    await layFaces(scratch, { "good/0": face, "nan/0": face });
    const { regressed, shared } = geometryStages(scratch.folder);
    const { trees } = await scratch.run({ regressed });
    for (const key of ["good/0", "nan/0"]) {
      const found = await readRegression(trees.regressed, key);
      const vertices = key === "good/0" ? found.vertices : found.vertices.with(4, NaN);
      await scratch.write(`found/${key}.safetensors`, encodeRegression({ ...found, vertices }));
      await scratch.write(`images/${key.slice(0, -2)}.png`, await encodePng(face.picture));
      await scratch.write(`ours/${key}.texture.png`, await encodePng(createImage({ width: SIZE, height: SIZE })));
    }
    const { unwrapped, ...others } = shared;
    const inputs = { ...others, regressed: from(scratch, "found", "regressed") };
    await assert.rejects(
      scratch.run({ deca: compareDeca(inputs) }),
      /stage "compare_deca" .*nan\/0: its regression has vertices that are no finite numbers/,
    );
    const { crops, regressed: broken } = inputs;
    const [images, reconstructions] = [from(scratch, "images", "images"), from(scratch, "ours", "reconstructions")];
    await assert.rejects(
      scratch.run({ pasted: pasteFaces({ images, crops, unwrapped, regressed: broken, reconstructions, topology }) }),
      /stage "paste": Cannot paste nan\/0: a vertex of its mesh is no finite number/,
    );
  }));

Deno.test("a photograph of one pixel, or of one row, is left out and counted", () =>
  withScratch(async (scratch) => {
    for (const [width, height] of [[1, 1], [1, 300], [300, 1]] as const) {
      const image = createImage({ width, height });
      await scratch.write(`photographs/${width}x${height}.png`, await encodePng(image));
    }
    const { imported, meshes } = facesIn(sourceFolder(`${scratch.folder}/photographs`));
    const { trees, summary } = await scratch.run({ imported, meshes });
    const reason = (name: string, size: string) => [name, `${name}.png: ${size} pixels are too few (at least 16×16)`];
    assert.deepEqual([...trees.imported.skipped], [
      reason("1x1", "1×1"),
      reason("1x300", "1×300"),
      reason("300x1", "300×1"),
    ]);
    assert.deepEqual([trees.imported.paths, trees.meshes.paths, summary.skipped], [[], [], 3]);
  }));

Deno.test("a face without a pixel in the mask has no scores, by name; pictures of one pixel are refused", () =>
  withScratch(async (scratch) => {
    const { vertices } = makeFace();
    const write = async (key: string, { side, covered }: { side: number; covered: number }) => {
      const picture = await encodePng(createImage({ width: side, height: side }));
      const mask = { width: side, height: side, data: new Float32Array(side * side).fill(covered) };
      const vector = { shape: [1024], data: new Float32Array(1024).fill(1) };
      const set = key.slice(0, key.indexOf("/"));
      const files = {
        [`crops/${key}.png`]: picture,
        [`masks/${key}.mask.png`]: await encodeGreyPng(mask),
        [`renders/${key}.render.png`]: picture,
        [`meshes/${key}.safetensors`]: encodeSafetensors({
          vertices: { shape: [vertices.length / 3, 3], data: vertices.map((value) => value * side / CROP) },
        }),
        [`embeddings/${key}.safetensors`]: encodeSafetensors({ whole: vector, masked: vector }),
      };
      for (const [path, bytes] of Object.entries(files)) await scratch.write(`${set}/${path}`, bytes);
    };
    await write("empty/0", { side: CROP, covered: 0 });
    await write("tiny/0", { side: 1, covered: 1 });
    const metrics = (set: string) =>
      scoreMetrics({
        crops: from(scratch, `${set}/crops`, "aligned"),
        unwrapped: from(scratch, `${set}/masks`, "unwrapped"),
        meshes: from(scratch, `${set}/meshes`, "meshes"),
        reconstructions: from(scratch, `${set}/renders`, "reconstructions"),
        embeddings: from(scratch, `${set}/embeddings`, "embeddings"),
        topology: asset("models/facemeshcoords.ts"),
        recognition: assets("models/faceres."),
      });
    const { trees, summary } = await scratch.run({ empty: metrics("empty") });
    assert.deepEqual([...trees.empty.skipped], [["empty/0", "empty/0: the mask holds no pixel of the face"]]);
    assert.deepEqual([trees.empty.paths, summary.skipped], [[], 1]);
    await assert.rejects(scratch.run({ tiny: metrics("tiny") }), (error) => {
      assert.ok(error instanceof StageError);
      assert.deepEqual([error.stage, error.items], ["metrics", ["tiny/0"]]);
      // Its pictures are read side by side, and any may be the first.
      assert.match(error.message, /tiny\/0\.[a-z.]*png: 1×1 pixels are too few/);
      return true;
    });
  }));

Deno.test("faces that together exceed the device's largest buffer: the same bytes in parts, or a refusal by name", () =>
  withScratch(async (whole) => {
    const keys = ["a/0", "b/0", "c/0", "d/0"];
    const faces = Object.fromEntries(keys.map((key, i) => [key, makeFace({ yaw: 20 - 15 * i })]));
    await layFaces(whole, faces);
    const { trees: { guesses: expected } } = await whole.run({ guesses: geometryStages(whole.folder).guesses });
    await withScratch(async (small) => {
      await layFaces(small, faces);
      const { unwrapped, regressed, guesses, shared: { unwrapped: _, ...shared } } = geometryStages(small.folder);
      await small.run({ unwrapped, regressed });
      // Of the four faces' maps the largest fit in for three.
      const { trees } = await withLargest(250_000, () => small.run({ guesses }));
      for (const key of keys) assert.deepEqual(trees.guesses.entry(`${key}.png`), expected.entry(`${key}.png`), key);
      // Room for the pictures of two and a half of the faces.
      const deca = withLargest(2.5 * 12 * CROP * CROP, () => small.run({ deca: compareDeca(shared) }));
      await assert.rejects(deca, (error) => {
        assert.ok(error instanceof StageError);
        assert.deepEqual([error.stage, error.items.toSorted()], ["compare_deca", keys]);
        assert.match(error.message, /bytes, the device binds at most 1505280; use a smaller batch or image/);
        return true;
      });
    });
  }));

/** Does something on a device that binds only so many bytes at once. */
async function withLargest<T>(bytes: number, use: () => Promise<T>): Promise<T> {
  const { device } = await openGpu();
  const limits = new Proxy(device.limits, {
    get: (target, name) => name === "maxStorageBufferBindingSize" ? bytes : Reflect.get(target, name, target),
  });
  // In the way of the property that all devices have.
  Object.defineProperty(device, "limits", { configurable: true, value: limits });
  try {
    return await use();
  } finally {
    Reflect.deleteProperty(device, "limits");
  }
}
