import assert from "node:assert/strict";
import { openTfjs } from "@ftim/gpu/tfjs";
import { drawScenes, type SceneColours } from "../../face/draw_scenes.ts";
import { headShell } from "../../face/head_shell.ts";
import { createImage, type RgbImage } from "../../face/image.ts";
import { poseToCrop, rotationFromAngles } from "../../face/pose.ts";
import { drawScene } from "../../face/draw_scenes_cpu.ts";
import { gridHead, randomStream } from "./head.ts";

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
  const colours = {
    topology,
    texture: noise(40, 40),
    shell,
    photograph: noise(photograph.width, photograph.height),
    tint: [1.4, 0.6, 1] as const,
    background: noise(width, height),
  };
  const frames = yaws.map((yaw) => ({
    face: pose(model, { yaw, side: height }),
    shell: { ...shell, vertices: pose(shell.vertices, { yaw, side: height }) },
  }));
  return { width, height, colours, frames };
}

type Head = ReturnType<typeof head>;

const map = ({ width, height, data }: RgbImage) => tf.tensor3d(data, [height, width, 3]);

/** What `drawScenes` takes. */
function deviceColours({ colours }: Pick<Head, "colours">): SceneColours {
  return { ...colours, texture: map(colours.texture), background: map(colours.background) };
}

async function onDevice({ width, height, colours, frames }: Head): Promise<Float32Array> {
  const pictures = tf.tidy(() =>
    drawScenes(tf, frames.map(({ face, shell }) => ({ face, shell: shell.vertices })), deviceColours({ colours }))
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
  Deno.test(`drawScenes() is drawScene(): ${name}`, async () => {
    const scene = head(options);
    const found = await onDevice(scene);
    const one = found.length / scene.frames.length;
    for (const [i, frame] of scene.frames.entries()) {
      const expected = drawScene({ ...scene.colours, ...frame });
      const differences = expected.data.map((value, k) => Math.abs(found[i * one + k]! - value));
      // A sample on an edge may show what is on its other side.
      const others = differences.filter((difference) => !(difference < 2e-5)).length / 3;
      assert.ok(others <= 1 + 2e-3 * one / 3, `frame ${i}: ${others} pixels differ, by ${Math.max(...differences)}`);
    }
    assert.deepEqual(await onDevice(scene), found, "the same bits in another run");
    assert.deepEqual(await onDevice({ ...scene, frames: scene.frames.slice(-1) }), found.slice(-one), "and alone");
  });
}

Deno.test("drawScenes() takes no frames, and refuses places that are no numbers", () => {
  const scene = head({ width: 8, height: 6, photograph: { width: 9, height: 9 }, yaws: [0, 40] });
  const colours = deviceColours(scene);
  const frames = scene.frames.map(({ face, shell }) => ({ face, shell: shell.vertices }));
  const before = tf.memory().numTensors;
  const empty = drawScenes(tf, [], colours);
  assert.deepEqual(empty.shape, [0, 6, 8, 3]);
  empty.dispose();
  const samples = colours.shell.samples.with(5, NaN);
  const lost = { ...colours, shell: { ...colours.shell, samples } };
  assert.throws(() => drawScenes(tf, frames, lost), /Vertex 2 of the shell/);
  const broken = { ...frames[1]!, face: frames[1]!.face.with(7, NaN) };
  assert.throws(() => drawScenes(tf, [frames[0]!, broken], colours), /Frame 1: a vertex is no finite number/);
  assert.equal(tf.memory().numTensors, before, "no tensor stays behind");
});
