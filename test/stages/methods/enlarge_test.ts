/** Made faces at full size, of one photograph and of two of one person. */
import assert from "node:assert/strict";
import { type Artifact, cast, sourceFolder } from "@ftim/pipeline";
import { applyOperatorCpu, pictureOperator, renderOperator } from "../../../face/render_cpu.ts";
import { shadingMap } from "../../../face/normal_maps_cpu.ts";
import { uvMap } from "../../../face/uv_map.ts";
import { encodePng, readImage } from "../../../stages/faces/photograph.ts";
import { enlargeFaces } from "../../../stages/methods/enlarge.ts";
import { fuseViews } from "../../../stages/methods/fuse.ts";
import type { FusedView } from "../../../stages/methods/parts/fused_views.ts";
import { CROP, light, makeFace, meanDifference, posed, SIZE, topology } from "../face_lab.ts";
import { geometryStages, layFaces, readMap } from "../geometry_lab.ts";
import { type Scratch, withScratch } from "../scratch.ts";

/** Pixels of the photograph for one of the crop. */
const SCALE = 4;
const FULL = 4 * SIZE;

/** An albedo at full size with detail that the small size cannot hold. */
function detailed(code: number[]): Float32Array {
  const { albedo } = makeFace({ code });
  return Float32Array.from({ length: 3 * FULL * FULL }, (_, i) => {
    const [x, y] = [Math.floor(i / 3) % FULL, Math.floor(i / 3 / FULL)];
    const small = 3 * (Math.floor(y / 4) * SIZE + Math.floor(x / 4)) + i % 3;
    return albedo[small]! + 0.08 * Math.sin(1.9 * x) * Math.sin(1.7 * y);
  });
}

/** A face in a photograph of four times the crop's size, and the same in the crop. */
function makePhotograph({ code, yaw, side }: { code: number[]; yaw: number; side: number }) {
  const vertices = posed(yaw);
  const shading = shadingMap(vertices, { light: light(side), topology, size: FULL });
  const texture = detailed(code).map((value, i) => value * shading[i]!);
  const shown = (scale: number) => {
    const [width, height] = [scale * CROP, scale * CROP];
    const moved = vertices.map((value) => value * scale);
    const operator = pictureOperator(moved, { topology, size: FULL, width, height, outline: "soft" });
    const render = applyOperatorCpu(operator, texture);
    return {
      width,
      height,
      data: render.map((value, i) => value + 0.3 * (1 - operator.coverage[Math.floor(i / 3)]!)),
    };
  };
  const operator = renderOperator(vertices, { topology, size: SIZE, width: CROP, height: CROP });
  return { ...makeFace({ code, yaw, side }), vertices, texture, operator, picture: shown(1), photograph: shown(SCALE) };
}

/** Writes faces as the stages before write them, and their photographs. */
async function lay(scratch: Scratch, faces: Readonly<Record<string, ReturnType<typeof makePhotograph>>>) {
  await layFaces(scratch, faces);
  for (const [key, { photograph }] of Object.entries(faces)) {
    const name = key.split("/")[0]!;
    await scratch.write(`images/${name}.png`, await encodePng(photograph));
    const path = `${scratch.folder}/aligned/${key}.json`;
    const aligned = JSON.parse(await Deno.readTextFile(path));
    const { width, height } = photograph;
    const transform = { scale: 1 / SCALE, x: 0, y: 0, size: CROP, photograph: { width, height } };
    await Deno.writeTextFile(path, JSON.stringify({ ...aligned, transform }));
  }
  const images: Artifact<"images"> = cast(sourceFolder(`${scratch.folder}/images`), "images");
  return { images, ...geometryStages(scratch.folder) };
}

/** Mean absolute difference to the truth where it was seen well. */
function errorOf(map: Float32Array, { truth, visibility }: { truth: Float32Array; visibility: Float32Array }): number {
  const { inside } = uvMap(topology, FULL);
  const seen = Float32Array.from(inside, (value, i) => {
    const small = Math.floor(i / FULL / 4) * SIZE + Math.floor(i % FULL / 4);
    return value * Number(visibility[small]! > 0.95);
  });
  return meanDifference(map, truth, seen);
}

Deno.test("a face has its photograph's detail at full size, alone as beside others, and its overlay too", () =>
  withScratch(async (scratch) => {
    const faces = {
      "a/0": makePhotograph({ code: [0.8, -0.5, 0.4], yaw: 15, side: 0.5 }),
      "b/0": makePhotograph({ code: [-0.3, 0.6, 0.1], yaw: -40, side: -0.4 }),
    };
    const { images, unwrapped, regressed, shared } = await lay(scratch, faces);
    const { crops, topology: assets } = shared;
    // what was seen stands for what a network completed
    const { trees: before } = await scratch.run({ unwrapped });
    for (const key of Object.keys(faces)) {
      const texture = await readMap(before.unwrapped, `${key}.texture.png`);
      const map = { width: SIZE, height: SIZE };
      await scratch.write(`small/${key}.texture.png`, await encodePng({ ...map, data: texture }));
      const albedo = texture.map((value) => 0.5 * value);
      await scratch.write(`small/${key}.albedo.png`, await encodePng({ ...map, data: albedo }));
      if (key !== "a/0") continue;
      await scratch.write(`one/${key}.texture.png`, await encodePng({ ...map, data: texture }));
      await scratch.write(`one/${key}.albedo.png`, await encodePng({ ...map, data: albedo }));
    }
    const inputs = { images, crops, unwrapped, regressed, topology: assets };
    const of = (name: string) => cast(sourceFolder(`${scratch.folder}/${name}`), "reconstructions");
    const { trees } = await scratch.run({
      full: enlargeFaces({ ...inputs, reconstructions: of("small") }, { size: FULL }),
      alone: enlargeFaces({ ...inputs, reconstructions: of("one") }, { size: FULL }),
      unwrapped,
    });
    assert.deepEqual(trees.alone.paths, ["a/0.albedo.png", "a/0.render.png", "a/0.texture.png"]);
    for (const path of trees.alone.paths) assert.deepEqual(trees.alone.entry(path), trees.full.entry(path), path);
    for (const [key, { texture: truth }] of Object.entries(faces)) {
      const visibility = await readMap(trees.unwrapped, `${key}.visibility.png`);
      const seen = { truth, visibility: visibility.filter((_, i) => i % 3 === 0) };
      const [full, small] = await Promise.all([
        readMap(trees.full, `${key}.texture.png`),
        readMap(trees.unwrapped, `${key}.texture.png`),
      ]);
      const enlarged = Float32Array.from({ length: 3 * FULL * FULL }, (_, i) => {
        const [x, y] = [Math.floor(i / 3) % FULL, Math.floor(i / 3 / FULL)];
        return small[3 * (Math.floor(y / 4) * SIZE + Math.floor(x / 4)) + i % 3]!;
      });
      const [error, before] = [errorOf(full, seen), errorOf(enlarged, seen)];
      assert.ok(error < 0.7 * before, `${key}: ${error} beside ${before}`);
      const albedo = await readMap(trees.full, `${key}.albedo.png`);
      const detail = full.map((value, i) => value - 2 * albedo[i]!);
      assert.ok(detail.some((value) => Math.abs(value) > 0.01), "the albedo has the detail as it is, not halved");
      const { width, height } = await readImage(trees.full, `${key}.render.png`);
      assert.deepEqual([width, height], [FULL, FULL]);
    }
  }));

Deno.test("two photographs of one person become one texture in the light of the frontal one, with detail of both", () =>
  withScratch(async (scratch) => {
    const code = [0.8, -0.5, 0.4];
    const faces = {
      "front/0": makePhotograph({ code, yaw: -30, side: 0.5 }),
      "side/0": makePhotograph({ code, yaw: 55, side: -0.6 }),
    };
    const { images, unwrapped, regressed, shared: { crops, model, topology: assets } } = await lay(scratch, faces);
    const fused = fuseViews({ crops, unwrapped, regressed, model, topology: assets });
    const { trees } = await scratch.run({ fused, unwrapped });
    assert.deepEqual(trees.fused.paths, [
      "front/0.mask.png",
      "front/0.share0.png",
      "front/0.share1.png",
      "front/0.texture.png",
      "front/0.views.json",
      "front/0.visibility.png",
    ]);
    const views = await trees.fused.json<FusedView[]>("front/0.views.json");
    assert.deepEqual(views.map(({ key }) => key), ["front/0", "side/0"]);
    assert.ok(views.every(({ part }) => part > 0.1) && Math.abs(views[0]!.part + views[1]!.part - 1) < 0.01);
    const [seen, own] = await Promise.all(
      [trees.fused, trees.unwrapped].map((tree) => readMap(tree, "front/0.visibility.png")),
    ) as [Float32Array, Float32Array];
    const count = (map: Float32Array) => map.filter((value) => value > 0.5).length;
    assert.ok(count(seen) > 1.05 * count(own), "more was seen than in the frontal photograph");
    const texture = await readMap(trees.fused, "front/0.texture.png");
    const size = { width: SIZE, height: SIZE };
    for (const name of ["texture", "albedo"]) {
      await scratch.write(`small/front/0.${name}.png`, await encodePng({ ...size, data: texture }));
    }
    const small = cast(sourceFolder(`${scratch.folder}/small`), "reconstructions");
    const inputs = { images, crops, unwrapped, regressed, topology: assets, reconstructions: small, fused };
    const { trees: { full } } = await scratch.run({ full: enlargeFaces(inputs, { size: FULL }) });
    const error = (map: Float32Array) =>
      errorOf(map, { truth: faces["front/0"].texture, visibility: seen.filter((_, i) => i % 3 === 0) });
    const enlarged = Float32Array.from({ length: 3 * FULL * FULL }, (_, i) => {
      const [x, y] = [Math.floor(i / 3) % FULL, Math.floor(i / 3 / FULL)];
      return texture[3 * (Math.floor(y / 4) * SIZE + Math.floor(x / 4)) + i % 3]!;
    });
    const [after, before] = [error(await readMap(full, "front/0.texture.png")), error(enlarged)];
    assert.ok(after < 0.8 * before, `${after} beside ${before}`);
  }));
