import assert from "node:assert/strict";
import type { CompleteOptions } from "../../face/complete_options.ts";
import { completeTexture } from "../../face/complete_textures_cpu.ts";
import { completeTextures } from "../../face/complete_textures.ts";
import { uvMap } from "../../face/uv_map.ts";
import { openTfjs } from "@ftim/gpu/tfjs";
import { gridHead, maxDifference, randomStream } from "./head.ts";

const random = randomStream(8);
const { topology } = gridHead(15);
const tf = await openTfjs();

/** Faces seen up to a column each, with noise; every texel of the texture is different. */
function seenFaces(count: number, size: number) {
  const { inside } = uvMap(topology, size);
  const area = size * size;
  const noise = (length: number) => Float32Array.from({ length }, () => 0.1 + 0.8 * random());
  const visibilities = Float32Array.from({ length: count * area }, (_, k) => {
    const border = size * (0.3 + 0.6 * Math.floor(k / area) / count);
    return k % size < border ? inside[k % area]! * Math.min(1, 0.5 + random()) : 0;
  });
  return { count, size, textures: noise(3 * area * count), templates: noise(3 * area * count), visibilities };
}

type Faces = ReturnType<typeof seenFaces>;
type Options = Omit<CompleteOptions, "template"> & { templated?: boolean; texelsAtOnce?: number };

async function onDevice({ count, size, ...maps }: Faces, { templated = false, ...options }: Options) {
  const before = tf.memory().numTensors;
  const shape = [count, size, size, 3] as [number, number, number, number];
  const inputs = {
    textures: tf.tensor4d(maps.textures, shape),
    visibilities: tf.tensor3d(maps.visibilities, [count, size, size]),
    templates: templated ? tf.tensor4d(maps.templates, shape) : undefined,
  };
  const { textures, unseen } = await completeTextures(tf, inputs, options);
  const data = await textures.data() as Float32Array;
  tf.dispose([textures, inputs]);
  assert.equal(tf.memory().numTensors, before, "no tensor stays behind");
  return { data, unseen };
}

/** Some of the faces. */
function part({ size, textures, templates, visibilities }: Faces, first: number, count: number): Faces {
  const cut = (map: Float32Array, one: number) => map.slice(first * one, (first + count) * one);
  return {
    count,
    size,
    textures: cut(textures, 3 * size ** 2),
    templates: cut(templates, 3 * size ** 2),
    visibilities: cut(visibilities, size ** 2),
  };
}

const GUESS = { feather: 2, trust: [0.25, 0.7], seam: 5, bound: 0.15, cells: 8, gainPrior: 0.1 } as const;

for (
  const { size, count, ...options } of [
    { size: 64, count: 3, ...GUESS, templated: true },
    { size: 64, count: 2 },
    { size: 33, count: 3, ...GUESS, templated: true },
    { size: 30, count: 2, feather: 0, seam: 3, cells: 5 },
    { size: 37, count: 1, bound: 0.1, cells: 1, gainPrior: 0.5 },
    { size: 16, count: 65, feather: 1, templated: true, cells: 16 },
    { size: 17, count: 2, feather: 1, cells: 32 },
  ]
) {
  Deno.test(`completeTextures() is completeTexture(): ${JSON.stringify({ size, count, ...options })}`, async () => {
    const faces = seenFaces(count, size);
    const { templated = false, ...settings }: Options = { topology, ...options };
    const found = await onDevice(faces, { ...settings, templated });
    assert.deepEqual(found.unseen, []);
    const one = 3 * size * size;
    for (let i = 0; i < count; i++) {
      const { textures, visibilities, templates } = part(faces, i, 1);
      const expected = completeTexture(textures, visibilities, {
        ...settings,
        ...(templated ? { template: templates } : {}),
      });
      assert.ok(maxDifference(found.data.subarray(i * one, (i + 1) * one), expected) < 2e-6, `face ${i}`);
    }
    const last = await onDevice(part(faces, count - 1, 1), { ...settings, templated });
    assert.deepEqual(last.data, found.data.slice(-one), "the same bits come out alone");
    assert.deepEqual(await onDevice(faces, { ...settings, templated }), found, "and in another run");
    assert.deepEqual(await onDevice(faces, { ...settings, templated, texelsAtOnce: 2 * size ** 2 }), found, "in parts");
  });
}

Deno.test("completeTextures() names the faces of which nothing was seen and completes the others", async () => {
  const [size, area] = [32, 32 * 32];
  const faces = seenFaces(5, size);
  const whole = await onDevice(faces, { topology });
  faces.visibilities.fill(0, area, 2 * area);
  // Below what is trusted, and outside the chart.
  faces.visibilities.fill(0.2, 3 * area, 4 * area);
  const { inside } = uvMap(topology, size);
  inside.forEach((value, i) => faces.visibilities[4 * area + i] = 1 - value);
  const found = await onDevice(faces, { topology });
  assert.deepEqual(found.unseen, [1, 3, 4]);
  for (const face of [0, 2]) {
    const [first, end] = [3 * area * face, 3 * area * (face + 1)];
    assert.deepEqual(found.data.slice(first, end), whole.data.slice(first, end));
  }
  assert.ok(found.data.every(Number.isFinite));
});

Deno.test("completeTextures() leaves out what is no number", async () => {
  const [size, area] = [32, 32 * 32];
  const faces = seenFaces(4, size);
  const whole = await onDevice(faces, { topology, ...GUESS });
  // One texel, all colours, all visibilities.
  faces.textures.fill(NaN, 3 * (area / 2 + 8), 3 * (area / 2 + 8) + 2);
  faces.textures.fill(Infinity, 3 * area, 6 * area);
  faces.visibilities.fill(NaN, 2 * area, 3 * area);
  const found = await onDevice(faces, { topology, ...GUESS });
  assert.deepEqual(found.unseen, [1, 2]);
  assert.deepEqual(found.data.slice(9 * area), whole.data.slice(9 * area));
  assert.ok(found.data.every(Number.isFinite));
});

Deno.test("completeTextures() takes no faces, and refuses maps that do not fit", async () => {
  const none = await onDevice(seenFaces(0, 8), { topology });
  assert.deepEqual([none.data.length, none.unseen], [0, []]);
  const [textures, visibilities] = [tf.zeros<tf4>([2, 8, 8, 3]), tf.zeros([2, 8, 8])];
  await assert.rejects(completeTextures(tf, { textures, visibilities: tf.zeros([8, 8]) }, { topology }), RangeError);
  await assert.rejects(
    completeTextures(tf, { textures, visibilities, templates: tf.zeros<tf4>([1, 8, 8, 3]) }, { topology }),
    RangeError,
  );
  const single = { textures: tf.zeros<tf4>([1, 1, 1, 3]), visibilities: tf.zeros([1, 1, 1]) };
  await assert.rejects(completeTextures(tf, single, { topology }), /1,1,1,3/);
});

type tf4 = import("@tensorflow/tfjs").Rank.R4;
