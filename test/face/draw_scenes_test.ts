import assert from "node:assert/strict";
import { rasteriseCpu } from "@ftim/gpu/raster-cpu";
import { openTfjs } from "@ftim/gpu/tfjs";
import { headShell } from "../../face/head_shell.ts";
import { createImage } from "../../face/image.ts";
import { poseToCrop, rotationFromAngles } from "../../face/pose.ts";
import { drawScene } from "../../face/scene.ts";
import { type SceneColours, shadeScenes } from "../../face/shade_scenes.ts";
import { gridHead, maxDifference, randomStream } from "./head.ts";

const random = randomStream(14);
const { topology, model } = gridHead(21);
const tf = await openTfjs();

function noise(width: number, height: number) {
  return createImage({ width, height }, Float32Array.from({ length: 3 * width * height }, random));
}

/** A head in a picture, its colours, and its vertices at some yaws. */
function head({ width, height, photograph, yaws, shift = 0 }: {
  width: number;
  height: number;
  photograph: { width: number; height: number };
  yaws: readonly number[];
  shift?: number;
}) {
  const pose = (points: Float32Array, { yaw, side }: { yaw: number; side: number }) =>
    poseToCrop({
      scale: side / 4,
      rotation: rotationFromAngles({ yaw, pitch: 4, roll: -3 }),
      translation: Float64Array.of(side / 2 + shift, -side / 2, 0),
    }, points);
  const side = Math.min(photograph.width, photograph.height);
  const shell = headShell(model, { triangles: topology.triangles, photographed: pose(model, { yaw: 0, side }) });
  const colours: SceneColours = {
    topology,
    texture: noise(40, 40),
    shell,
    photograph: noise(photograph.width, photograph.height),
    tint: [1.4, 0.6, 1],
    background: noise(width, height),
  };
  const frames = yaws.map((yaw) => ({
    face: pose(model, { yaw, side: height }),
    shell: { ...shell, vertices: pose(shell.vertices, { yaw, side: height }) },
  }));
  return { width, height, colours, frames };
}

type Head = ReturnType<typeof head>;

/** The raster on the CPU, the rest on the device. */
async function onDevice({ width, height, colours, frames }: Head): Promise<Float32Array> {
  const size = { width: 2 * width, height: 2 * height };
  const triangles = Uint32Array.from([
    ...topology.triangles,
    ...colours.shell.triangles.map((vertex) => vertex + topology.vertexCount),
  ]);
  const rasters = frames.map(({ face, shell }) =>
    rasteriseCpu({ vertices: Float32Array.from([...face, ...shell.vertices], (value) => 2 * value), triangles }, size)
  );
  const shape = [frames.length, 2 * height, 2 * width] as [number, number, number];
  const pictures = tf.tidy(() =>
    shadeScenes(tf, {
      triangle: tf.tensor3d(Int32Array.from(rasters.flatMap(({ triangle }) => [...triangle])), shape, "int32"),
      weights: tf.tensor4d(Float32Array.from(rasters.flatMap(({ weights }) => [...weights])), [...shape, 2]),
    }, colours)
  );
  assert.deepEqual(pictures.shape, [frames.length, height, width, 3]);
  const data = await pictures.data() as Float32Array;
  pictures.dispose();
  return data;
}

for (
  const [name, options] of Object.entries({
    "three frames": { width: 48, height: 48, photograph: { width: 60, height: 90 }, yaws: [0, 70, 180] },
    "an odd size": { width: 37, height: 29, photograph: { width: 33, height: 31 }, yaws: [-40] },
    "a head partly outside": { width: 40, height: 32, photograph: { width: 64, height: 64 }, yaws: [20], shift: 14 },
    "a head wholly outside": { width: 24, height: 24, photograph: { width: 64, height: 64 }, yaws: [20], shift: 900 },
    "a photograph of one pixel": { width: 20, height: 20, photograph: { width: 1, height: 1 }, yaws: [150] },
    "65 frames": {
      width: 9,
      height: 8,
      photograph: { width: 9, height: 9 },
      yaws: Array.from({ length: 65 }, (_, i) => i),
    },
  })
) {
  Deno.test(`shadeScenes() is drawScene(): ${name}`, async () => {
    const scene = head(options);
    const found = await onDevice(scene);
    const one = found.length / scene.frames.length;
    for (const [i, frame] of scene.frames.entries()) {
      const expected = drawScene({ ...scene.colours, ...frame });
      const difference = maxDifference(found.subarray(i * one, (i + 1) * one), expected.data);
      assert.ok(difference < 2e-5, `frame ${i}: ${difference}`);
    }
    assert.deepEqual(await onDevice(scene), found, "the same bits in another run");
    assert.deepEqual(await onDevice({ ...scene, frames: scene.frames.slice(-1) }), found.slice(-one), "and alone");
  });
}

Deno.test("shadeScenes() takes no frames, and refuses rasters of another size and places that are no numbers", () => {
  const { colours } = head({ width: 8, height: 6, photograph: { width: 9, height: 9 }, yaws: [] });
  const raster = (frames: number, height: number) => ({
    triangle: tf.zeros([frames, height, 16], "int32") as import("@tensorflow/tfjs").Tensor3D,
    weights: tf.zeros([frames, height, 16, 2]) as import("@tensorflow/tfjs").Tensor4D,
  });
  assert.deepEqual(shadeScenes(tf, raster(0, 12), colours).shape, [0, 6, 8, 3]);
  assert.throws(() => shadeScenes(tf, raster(1, 11), colours), RangeError);
  assert.throws(() => shadeScenes(tf, { ...raster(1, 12), weights: raster(2, 12).weights }, colours), RangeError);
  const samples = colours.shell.samples.with(5, NaN);
  const lost = { ...colours, shell: { ...colours.shell, samples } };
  assert.throws(() => shadeScenes(tf, raster(1, 12), lost), /Vertex 2 of the shell/);
});
