/**
 * The experiment `paper` from a folder laid out as data.lock asks, with what can be had in place of what is licensed:
 * captures that `synthesize` casts from packaged photographs, in FaceScape's layout, packaged photographs for CelebA's,
 * drawn weights for VGG-19's, in torchvision's format, and a made head in the formats of DECA and FLAME. It shows that
 * the path runs with each regressor, from the folder to a trained network and its textures, and nothing of how well.
 */
import assert from "node:assert/strict";
import { findFaces, prepareFaces, STRICT } from "../../experiments/faces.ts";
import { paper } from "../../experiments/paper.ts";
import { chosenRegressor, testPhotographs } from "../../experiments/paper_data.ts";
import { decaRegressor, topology } from "../../experiments/regressors.ts";
import type { FacePart } from "../../face/face_part.ts";
import { safetensorsMetadata } from "../../nets/safetensors.ts";
import { pick, publish, reproduce } from "@ftim/pipeline";
import { assets } from "../../stages/data/fetch.ts";
import { readFacePart } from "../../stages/faces/face_part_file.ts";
import { readMask } from "../../stages/faces/geometry.ts";
import { keysOf } from "../../stages/faces/keys_of.ts";
import { readImage } from "../../stages/faces/photograph.ts";
import { readRegression } from "../../stages/faces/regression.ts";
import { fitMorphableModel } from "../../stages/geometry/fit_morphable.ts";
import { importPhotographs } from "../../stages/data/import.ts";
import { synthesize } from "../../stages/synthetic/synthesize.ts";
import { unwrapTextures } from "../../stages/geometry/unwrap.ts";
import { quietEngine } from "../engine.ts";
import { writeFiles } from "../nets/files/parts.ts";
import { oldTorchArchive } from "../nets/files/torch_writer.ts";
import { MADE_CODE, madeDeca } from "../nets/made_deca.ts";
import { drawnVgg19 } from "../nets/vgg19_weights.ts";

const PHOTOGRAPHS = 3;

/** Fills the data folder. */
async function fill(data: string, options: Parameters<typeof reproduce>[1]): Promise<void> {
  const { images, crops, meshes } = findFaces(importPhotographs(assets("train/")), { keep: "largest" });
  const unwrapped = unwrapTextures({ crops, meshes, topology: topology() }, STRICT);
  const model = fitMorphableModel({ crops, meshes, unwrapped, topology: topology() });
  const made = synthesize({ images, crops, meshes, model, topology: topology() }, { identities: 4, expressions: 1 });
  const { trees } = await reproduce({ captures: pick(made, ["captures/"]), photographs: assets("test/") }, options);
  await publish(trees.captures, `${data}/facescape`);
  await Deno.rename(`${data}/facescape/captures`, `${data}/facescape/images`);
  await Deno.rename(`${data}/facescape/images/Rt_scale_dict.json`, `${data}/facescape/Rt_scale_dict.json`);
  await Deno.mkdir(`${data}/celeba/img_align_celeba`, { recursive: true });
  const names = trees.photographs.paths.slice(0, PHOTOGRAPHS).map((path, i) => [path, `00000${i + 1}.jpg`] as const);
  for (const [path, name] of names) {
    await Deno.writeFile(`${data}/celeba/img_align_celeba/${name}`, await trees.photographs.bytes(path));
  }
  const list = names.map(([, name]) => `${name} 2\n`).join("");
  await Deno.writeTextFile(`${data}/celeba/list_eval_partition.txt`, list);
  await Deno.mkdir(`${data}/vgg19`);
  await Deno.writeFile(`${data}/vgg19/vgg19-dcbb9e9d.pth`, oldTorchArchive(drawnVgg19()));
}

/** The error of colours at the same places, as PSNR in dB, weighted. */
function psnr(a: Float32Array, { b, weight }: { b: Float32Array; weight: Float32Array }): number {
  let [error, sum] = [0, 0];
  a.forEach((value, i) => {
    error += weight[i / 3 | 0]! * (value - b[i]!) ** 2;
    sum += weight[i / 3 | 0]!;
  });
  return -10 * Math.log10(error / sum);
}

/** How far colours beside a seam differ across it, and two texels apart on either side of it. */
function stepsAtSeam(
  texture: Float32Array,
  { topology: { uvs, surface } }: FacePart,
): { across: number; beside: number } {
  const size = Math.sqrt(texture.length / 3);
  const at = (v: number, right: number) => {
    const [x, y] = [Math.floor(uvs[2 * v]! * size) + right, Math.floor(uvs[2 * v + 1]! * size)];
    return texture.subarray(3 * (y * size + x), 3 * (y * size + x) + 3);
  };
  const far = (a: Float32Array, b: Float32Array) => a.reduce((sum, value, c) => sum + Math.abs(value - b[c]!) / 3, 0);
  let [across, beside, count] = [0, 0, 0];
  surface!.welded.forEach((first, v) => {
    if (first === v) return;
    const [left, right] = uvs[2 * first]! < uvs[2 * v]! ? [first, v] : [v, first];
    // One texel inside of the chart on both sides, then as far again on each.
    across += far(at(left, -1), at(right, 1));
    beside += (far(at(left, -4), at(left, -1)) + far(at(right, 1), at(right, 4))) / 2;
    count++;
  });
  assert.ok(count > 20, `${count} vertices along the seam`);
  return { across: across / count, beside: beside / count };
}

Deno.test("paper trains on a folder in FaceScape's layout and completes CelebA's faces", async (t) => {
  const root = await Deno.makeTempDir({ prefix: "ftim-paper-" });
  const options = quietEngine(`${root}/store`);
  try {
    await fill(`${root}/data`, options);
    await t.step("through VGG-19, with the face mesh network", () => trainWithFaceMesh(`${root}/data`, options));
    writeFiles(`${root}/data`, await madeDeca());
    await t.step("with DECA and FLAME", () => trainWithDeca(`${root}/data`, options));
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});

async function trainWithFaceMesh(data: string, options: Parameters<typeof reproduce>[1]): Promise<void> {
  const { ours, trained, losses, filter } = paper({ data, triplets: 2, steps: 2 });
  assert.ok(trained !== null);
  const { trees } = await reproduce({ ours, trained, losses, filter: filter! }, options);
  const { yaw, frames } = await trees.filter.json<{ frames: number; yaw: { count: number; median: number } }>(
    "filter_report.json",
  );
  assert.ok(yaw.count > 0.5 * frames && yaw.median < 10, `by the cameras the pose network is off by ${yaw.median}°`);
  assert.equal(trees.ours.paths.filter((path) => path.endsWith(".texture.png")).length, PHOTOGRAPHS);
  const network = await trees.trained.bytes("trained.safetensors");
  assert.ok(JSON.parse(safetensorsMetadata(network).shape!).codeLength >= 3);
  const [names, ...steps] = (await trees.losses.text("losses.csv")).trim().split("\n").map((line) => line.split(","));
  const mrf = steps.map((step) => Number(step[names!.indexOf("mrf")]));
  assert.equal(mrf.length, 2);
  assert.ok(mrf.every((value) => value > 0 && Number.isFinite(value)), `${mrf}`);
}

/**
 * The made encoder gives every photograph the same head, so that it does not lie on the face. What it covers must still
 * be drawn as the photograph shows it.
 */
async function trainWithDeca(data: string, options: Parameters<typeof reproduce>[1]): Promise<void> {
  assert.equal(chosenRegressor({ data }).name, "deca");
  assert.equal(chosenRegressor({ data, regressor: "facemesh" }).name, "facemesh");
  const regressor = decaRegressor({ dataFolder: data });
  const found = findFaces(
    importPhotographs(testPhotographs(data, { count: 500, seed: 1 }), { identities: "unknown" }),
    {
      keep: "largest",
      regressor,
    },
  );
  const { crops, meshes, unwrapped } = prepareFaces(found, {});
  const { ours, trained, weights } = paper({ data, triplets: 2, steps: 2 });
  assert.equal(trained, null, "what is licensed is not packed");
  const targets = { crops, meshes, unwrapped, ours, weights, topology: regressor.topology };
  const { trees } = await reproduce(targets, options);
  const part = await readFacePart(trees.topology);
  const keys = keysOf(trees.ours, ".texture.png");
  assert.equal(keys.length, PHOTOGRAPHS);
  const { shape } = safetensorsMetadata(await trees.weights.bytes("network.safetensors"));
  assert.equal(JSON.parse(shape!).codeLength, 56, "50 coefficients of expression and 6 of pose");
  for (const key of keys) {
    const { vertices, identity, expression, pose, angles } = await readRegression(trees.meshes, key);
    assert.equal(vertices.length, 3 * part.topology.vertexCount);
    assert.ok(
      Math.abs(identity[0]! - MADE_CODE.shape) < 1e-6 && Math.abs(expression[0]! - MADE_CODE.expression) < 1e-6,
    );
    assert.ok(
      Math.abs(pose![1]! - MADE_CODE.turn) < 1e-6 && Math.abs(angles.yaw - MADE_CODE.turn * 180 / Math.PI) < 1e-3,
    );
    const [crop, render, mask] = await Promise.all([
      readImage(trees.crops, `${key}.png`),
      readImage(trees.ours, `${key}.render.png`),
      readMask(trees.unwrapped, key),
    ]);
    const share = mask.reduce((sum, value) => sum + value, 0) / mask.length;
    assert.ok(share > 0.2 && share < 0.6, `the face takes ${share} of the crop`);
    const own = psnr(render.data, { b: crop.data, weight: mask });
    const { across, beside } = stepsAtSeam((await readImage(trees.ours, `${key}.texture.png`)).data, part);
    assert.ok(own > 28, `${key}: ${own} dB in its own view`);
    assert.ok(across < 1.5 * beside + 0.003, `${key}: ${across} across the seam, ${beside} beside it`);
  }
}
