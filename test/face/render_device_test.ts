import type { Tensor, Tensor4D } from "@tensorflow/tfjs";
import assert from "node:assert/strict";
import { applyOperatorCpu, type RenderOperator, renderOperator } from "../../face/render_cpu.ts";
import type { RenderOptions } from "../../face/render_options.ts";
import { applyDeviceOperator, deviceOperator, disposeDeviceOperator } from "../../face/render_device.ts";
import { renderPictures } from "../../face/render_pictures.ts";
import { type Portrait, renderPortraits } from "../../face/render_portraits.ts";
import { disposeTransposed, transposeRender } from "../../face/render_transpose.ts";
import type { Topology } from "../../face/topology.ts";
import { webgpuBackend } from "@ftim/gpu/backend";
import { openGpu } from "@ftim/gpu/device";
import { transposeSparse } from "@ftim/gpu/sparse-matrix";
import { openTfjs } from "@ftim/gpu/tfjs";
import { posed as posedFace, topology as faceMesh } from "../stages/face_lab.ts";
import { gridHead, maxDifference, posedHead, randomStream } from "./head.ts";

const random = randomStream(11);
const randoms = (length: number) => Float32Array.from({ length }, random);

/** What the device makes of faces: value, gradient for `upstream` and coverage, one array each for all faces. */
async function onDevice(
  faces: readonly Float32Array[],
  { textures, upstream, ...options }: RenderOptions & { textures: Float32Array; upstream: Float32Array },
): Promise<{ value: Float32Array; gradient: Float32Array; coverage: Float32Array }> {
  const tf = await openTfjs();
  const { width = 224, height = 224, size = 256 } = options;
  const before = tf.memory().numTensors;
  const operator = deviceOperator(tf, faces, options);
  const channels = textures.length / faces.length / size ** 2;
  const given = tf.tensor4d(textures, [faces.length, size, size, channels]);
  const arrived = tf.tensor4d(upstream, [faces.length, height, width, channels]);
  const value = applyDeviceOperator(tf, operator, given);
  const gradientOf = tf.grad((x: Tensor) => applyDeviceOperator(tf, operator, x as Tensor4D));
  const gradient = gradientOf(given, arrived);
  const again = gradientOf(given, arrived);
  assert.deepEqual(value.shape, arrived.shape);
  const read = await Promise.all(
    [value, gradient, operator.coverage, again].map((tensor: Tensor) => tensor.data<"float32">()),
  );
  assert.deepEqual(read[3], read[1], "the second gradient has other bits");
  tf.dispose([given, arrived, value, gradient, again]);
  disposeDeviceOperator(operator);
  assert.equal(tf.memory().numTensors, before, "tensors leak");
  await (await openGpu()).assertHealthy("render device test");
  return { value: read[0]!, gradient: read[1]!, coverage: read[2]! };
}

/** The part of a batch's values that belongs to one face. */
function ofFace(values: Float32Array, face: number, count: number): Float32Array {
  const length = values.length / count;
  return values.subarray(face * length, (face + 1) * length);
}

function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

/** How many values are farther apart than rounding allows; and how far the others are at most. */
function apart(a: Float32Array, b: Float32Array, rounding = 2e-4): number {
  assert.equal(a.length, b.length);
  return a.reduce((count, value, i) => count + (Math.abs(value - b[i]!) < rounding ? 0 : 1), 0);
}

const grid = gridHead(21);
const heads: Record<string, { topology: Topology; faces: Float32Array[]; options: Omit<RenderOptions, "topology"> }> = {
  "the face mesh": {
    topology: faceMesh,
    faces: [-65, 0, 40].map((yaw) => posedFace(yaw)),
    options: { width: 224, height: 217, size: 96 },
  },
  "a head, also partly and wholly outside": {
    topology: grid.topology,
    faces: [
      posedHead(50, grid.model).map((value) => value / 2),
      posedHead(-20, grid.model).map((value, i) => value / 2 - (i % 3 === 2 ? 0 : 45)),
      posedHead(0, grid.model).map((value, i) => i % 3 === 1 ? value + 500 : value),
      new Float32Array(grid.model.length).fill(30.5),
    ],
    options: { width: 113, height: 97, size: 64 },
  },
};

for (const [name, { topology, faces, options }] of Object.entries(heads)) {
  for (const how of [{ samples: 1 }, { samples: 3 }, { samples: 3, outline: "soft" as const }]) {
    Deno.test(`the device renders ${name} as renderOperator does: ${JSON.stringify(how)}`, async () => {
      const all = { topology, ...options, ...how };
      const { width = 224, height = 224, size = 256 } = options;
      const channels = how.samples === 1 ? 3 : 2;
      const textures = randoms(faces.length * size ** 2 * channels);
      const upstream = randoms(faces.length * width * height * channels).map((value) => value - 0.5);
      const found = await onDevice(faces, { ...all, textures, upstream });
      for (const [face, vertices] of faces.entries()) {
        const expected = renderOperator(vertices, all);
        const part = (values: Float32Array) => ofFace(values, face, faces.length);
        const covered = expected.coverage.filter((share) => share > 0).length;
        // What lies within rounding of an edge, or of being minified, may be decided the other way.
        const most = Math.floor(5e-4 * covered);
        const coverage = apart(part(found.coverage), expected.coverage, 1e-6);
        assert.ok(coverage <= most, `${coverage} of ${covered} pixels of ${face} are covered otherwise`);
        const texture = part(textures);
        const value = apart(part(found.value), applyOperatorCpu(expected, texture));
        assert.ok(value <= channels * most, `${value} values of ${face} of ${covered} pixels differ`);
        const transposed = { ...expected, ...transposeSparse(expected) } as RenderOperator;
        const gradient = apart(part(found.gradient), applyOperatorCpu(transposed, part(upstream)));
        assert.ok(gradient <= 40 * channels * most, `${gradient} values of the gradient of ${face} differ`);
        const [along, back] = [dot(part(found.value), part(upstream)), dot(texture, part(found.gradient))];
        assert.ok(Math.abs(along - back) < 1e-5 * covered + 1e-9, `⟨Ax, y⟩ = ${along}, ⟨x, Aᵀy⟩ = ${back}`);
        if (face < 2) assert.ok(covered > 800, `${covered} pixels of ${face} are covered`);
        else if (faces.length === 4) assert.equal(covered, 0);
      }
    });
  }
}

Deno.test("the device gives the same bits in every run and in every batch", async () => {
  const { topology, model } = gridHead(9);
  const faces = Array.from({ length: 65 }, (_, i) => posedHead(2 * i - 64, model).map((value) => 0.17 * value));
  const options = { topology, width: 39, height: 37, size: 16 };
  const [textures, upstream] = [randoms(65 * 256 * 3), randoms(65 * 39 * 37 * 3)];
  for (const samples of [1, 3]) {
    const part = (first: number, end: number) =>
      onDevice(faces.slice(first, end), {
        ...options,
        samples,
        textures: textures.slice(first * 256 * 3, end * 256 * 3),
        upstream: upstream.slice(first * 39 * 37 * 3, end * 39 * 37 * 3),
      });
    const together = await part(0, 65);
    assert.deepEqual(await part(0, 65), together);
    for (const face of [0, 31, 64]) {
      const alone = await part(face, face + 1);
      for (const key of ["value", "gradient", "coverage"] as const) {
        assert.deepEqual(alone[key], ofFace(together[key], face, 65).slice(), `${key} of ${face}`);
      }
      assert.ok(alone.coverage.some((share) => share === 1));
    }
  }
});

Deno.test("the gradient of a batch whose lists are larger than a buffer is made of parts", async () => {
  const { topology, model } = gridHead(9);
  const faces = [-40, 0, 20, 60, -10].map((yaw) => posedHead(yaw, model).map((value) => 0.17 * value));
  const options = { topology, width: 39, height: 37, size: 16, samples: 3 };
  const given = { ...options, textures: randoms(5 * 256 * 3), upstream: randoms(5 * 39 * 37 * 3) };
  const whole = await onDevice(faces, given);
  const backend = webgpuBackend(await openTfjs());
  const { device } = backend;
  // Two faces' lists fit in, of at most 36 taps of 8 bytes for each pixel.
  const { maxComputeWorkgroupsPerDimension } = device.limits;
  const limits = { maxComputeWorkgroupsPerDimension, maxStorageBufferBindingSize: 2.5 * 36 * 8 * 39 * 37 };
  backend.device = new Proxy(device, {
    get: (target, name) => {
      const value = Reflect.get(target, name, target);
      return name === "limits" ? limits : typeof value === "function" ? value.bind(target) : value;
    },
  });
  try {
    const operator = deviceOperator(await openTfjs(), faces, options);
    const parts = transposeRender(await openTfjs(), operator);
    assert.ok(parts.length > 1, `${parts.length} parts`);
    disposeTransposed(parts);
    disposeDeviceOperator(operator);
    assert.deepEqual(await onDevice(faces, given), whole);
  } finally {
    backend.device = device;
  }
});

Deno.test("pictures in one pass have the operator's bits, and are drawn over others", async () => {
  const tf = await openTfjs();
  const options = { topology: grid.topology, width: 90, height: 77, outline: "soft" as const };
  const faces = [50, -30].map((yaw) => posedHead(yaw, grid.model).map((value) => 0.4 * value));
  const shape: [number, number, number, number] = [2, 32, 32, 3];
  const textures = tf.tensor4d(randoms(2 * 32 * 32 * 3).map((value) => 2 * value - 0.5), shape);
  const before = tf.memory().numTensors;
  const operator = deviceOperator(tf, faces, { ...options, samples: 3, size: 32 });
  const [plain, clipped] = [textures, tf.clipByValue(textures, 0, 1)].map((given) =>
    applyDeviceOperator(tf, operator, given as Tensor4D)
  );
  const once = renderPictures(tf, faces, { ...options, textures });
  assert.deepEqual(await once.pictures.data(), await plain!.data());
  assert.deepEqual(await once.coverage.data(), await operator.coverage.data());

  const background = randoms(2 * 90 * 77 * 3);
  const over = renderPictures(tf, faces, {
    ...options,
    textures,
    clip: true,
    over: tf.tensor4d(background, [2, 77, 90, 3]),
  });
  const [drawn, values, coverage] = [await over.pictures.data(), await clipped!.data(), await over.coverage.data()];
  const expected = values.map((value, i) => value + (1 - coverage[Math.floor(i / 3)]!) * background[i]!);
  assert.ok(maxDifference(drawn, expected) < 1e-6);
  assert.ok(coverage.some((share) => share > 0 && share < 1));
  disposeDeviceOperator(operator);
  tf.dispose([plain!, clipped!, once.pictures, once.coverage, over.pictures, over.coverage]);
  // The clipped textures are one of ours.
  assert.equal(tf.memory().numTensors, before + 1);
});

Deno.test("portraits are rendered in batches, in order; bad ones are named", async () => {
  const tf = await openTfjs();
  const options = { topology: grid.topology, width: 31, height: 45, size: 16 };
  const portraits = [-60, -20, 0, 30, 60].map((yaw, i) => ({
    vertices: posedHead(yaw, grid.model).map((value) => 0.2 * value),
    texture: randoms(16 * 16 * 3),
    ...(i % 2 === 0 ? { background: randoms(31 * 45 * 3) } : {}),
  }));
  const before = tf.memory().numTensors;
  const together = await renderPortraits(tf, portraits, options);
  assert.deepEqual(await renderPortraits(tf, portraits, { ...options, most: 2 }), together);
  assert.deepEqual(await renderPortraits(tf, [], options), []);
  assert.equal(tf.memory().numTensors, before, "tensors leak");
  for (const [i, { vertices, texture, background }] of portraits.entries()) {
    const operator = renderOperator(vertices, { ...options, samples: 3 });
    const expected = applyOperatorCpu(operator, texture).map((value, k) =>
      value + (1 - operator.coverage[Math.floor(k / 3)]!) * (background?.[k] ?? 0)
    );
    assert.ok(apart(together[i]!.data, expected) <= 3, `face ${i}`);
    assert.ok(apart(together[i]!.coverage, operator.coverage, 1e-6) <= 1, `face ${i}`);
  }
  const refused = (change: Partial<Portrait>, message: RegExp) =>
    assert.rejects(renderPortraits(tf, [portraits[1]!, { ...portraits[0]!, ...change }], options), message);
  await refused({ vertices: portraits[0]!.vertices.with(7, NaN) }, /face 1: a vertex is no finite number/);
  await refused({ texture: randoms(5) }, /face 1: its texture has 5 values/);
  await refused({ name: "photo/3", texture: randoms(5) }, /render photo\/3: its texture has 5 values/);
  await refused({ background: randoms(5) }, /face 1: its background has 5 values/);
  await refused({ vertices: randoms(6) }, /face 1: it has 2 vertices, the topology 441/);
});

Deno.test("a picture of one pixel is rendered; what is no batch is refused", async () => {
  const tf = await openTfjs();
  const { topology } = grid;
  const vertices = posedHead(0, grid.model).map((value) => value - 112);
  const one = { topology, width: 1, height: 1, size: 16 };
  for (const samples of [1, 3]) {
    const texture = randoms(256);
    const found = await onDevice([vertices], {
      ...one,
      samples,
      textures: texture,
      upstream: Float32Array.of(1),
    });
    const expected = applyOperatorCpu(renderOperator(vertices, { ...one, samples }), texture);
    assert.ok(Math.abs(found.value[0]! - expected[0]!) < 1e-5);
  }
  assert.throws(() => deviceOperator(tf, [], one), /no faces/);
  assert.throws(() => deviceOperator(tf, [vertices], { ...one, samples: 2 }), /odd number/);
  assert.throws(() => deviceOperator(tf, [vertices, vertices.with(3, NaN)], one), /mesh 1: vertex 1/);
  const operator = deviceOperator(tf, [vertices], one);
  const wrong = tf.zeros([1, 8, 8, 3]) as Tensor4D;
  assert.throws(() => applyDeviceOperator(tf, operator, wrong), /1 textures of 16² cannot take a tensor \[1,8,8,3\]/);
  assert.throws(() => renderPictures(tf, [vertices, vertices], { ...one, textures: wrong }), /2 faces/);
  wrong.dispose();
  disposeDeviceOperator(operator);
});
