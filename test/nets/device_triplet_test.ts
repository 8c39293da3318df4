import assert from "node:assert/strict";
import type { Tensor, Tensor4D } from "@tensorflow/tfjs";
import { openTfjs } from "@ftim/gpu/tfjs";
import { uploadAlbedoParts } from "../../face/albedo_maps.ts";
import { albedoOf } from "../../face/morphable.ts";
import { applyOperatorCpu, renderOperator } from "../../face/render_cpu.ts";
import { shadingMap } from "../../face/normal_maps_cpu.ts";
import { type TrainingView, uploadTriplet } from "../../nets/device_triplet.ts";
import { coveredByHalf, type IdentityNetwork, lookAtPhotographs } from "../../nets/known_faces.ts";
import { resampleCpu } from "../../nets/resample_cpu.ts";
import { light, morphable, posed, SIZE, topology } from "../stages/face_lab.ts";
import { maxDifference, randomStream } from "../face/head.ts";

const tf = await openTfjs();
const CROP = 224;
const random = randomStream(3);
const bytes = (length: number) => Uint8ClampedArray.from({ length }, () => 255 * random());
const byteValues = (values: Float32Array) =>
  values.map((value) => Math.round(255 * Math.min(1, Math.max(0, value))) / 255);
const parts = uploadAlbedoParts(tf, morphable());
const unit = (values: Iterable<number>) => Float32Array.from(values, (value) => value / 255);

const views = [-30, 0, 30].map((yaw, i): TrainingView => ({
  texture: bytes(3 * SIZE * SIZE),
  visibility: bytes(SIZE * SIZE),
  guess: bytes(3 * SIZE * SIZE),
  albedo: Float32Array.from({ length: morphable().albedoSigma.length }, () => random() - 0.5),
  code: Float32Array.of(i, 1, 2),
  vertices: posed(yaw),
  light: light(yaw / 60),
  photograph: bytes(3 * CROP * CROP),
  face: { left: 40 + i, top: 36, width: 140, height: 140 },
}));

/** Values of one view in a batch. */
async function ofView(tensor: Tensor, view: number): Promise<Float32Array> {
  const values = await tensor.data() as Float32Array;
  const length = values.length / views.length;
  return values.slice(view * length, (view + 1) * length);
}

Deno.test("a triplet on the device is what its views hold, shaded and rendered as the references do", async () => {
  const before = tf.memory().numTensors;
  const triplet = uploadTriplet(tf, views, { topology, parts, side: 32 });
  const textures = tf.tensor4d(
    Float32Array.from({ length: 9 * SIZE * SIZE }, random),
    [3, SIZE, SIZE, 3],
  );
  const rendered = triplet.render(textures);
  const squares = triplet.cut(triplet.photographs);
  for (const [i, view] of views.entries()) {
    const operator = renderOperator(view.vertices, { topology, size: SIZE });
    const shading = shadingMap(view.vertices, { light: view.light, topology, size: SIZE });
    const [albedo, visibility] = [byteValues(albedoOf(morphable(), view.albedo)), unit(view.visibility)];
    const { input, photographs, coverage } = triplet;
    const image = { width: CROP, height: CROP, data: unit(view.photograph) };
    const pairs: [Tensor, Float32Array, number][] = [
      [photographs, unit(view.photograph), 1e-6],
      [coverage, operator.coverage, 0],
      [rendered, applyOperatorCpu(operator, await ofView(textures, i)), 1e-4],
      [input.shading, shading, 1e-5],
      // a value of the albedo may be rounded to the next byte
      [input.templateAlbedo, albedo, 1.01 / 255],
      [input.templateTexture, albedo.map((value, k) => value * shading[k]!), 1.5 / 255],
      [input.incomplete, unit(view.texture).map((value, k) => value * visibility[Math.floor(k / 3)]!), 1e-6],
      [input.guess, unit(view.guess), 1e-6],
      [input.code, view.code, 0],
      [squares, resampleCpu(image, { box: view.face, width: 32, height: 32 }).data, 1e-5],
    ];
    for (const [tensor, expected, tolerance] of pairs) {
      const difference = maxDifference(await ofView(tensor, i), expected);
      assert.ok(difference <= tolerance, `view ${i}, [${tensor.shape}]: ${difference}`);
    }
  }
  triplet.dispose();
  tf.dispose([textures, rendered, squares]);
  // Tables of the topology stay for the next triplet.
  const again = uploadTriplet(tf, views, { topology, parts, side: 32 });
  const during = tf.memory().numTensors;
  again.dispose();
  assert.ok(tf.memory().numTensors < during);
  const left = tf.memory().numTensors;
  uploadTriplet(tf, views, { topology, parts, side: 32 }).dispose();
  assert.equal(tf.memory().numTensors, left, `${before} before the first`);
});

Deno.test("a pixel is trusted where at least half of what it shows is known", async () => {
  // What lies on the left of the chart is known, of the first view all, and the second tells nothing.
  const known = Uint8Array.from({ length: SIZE * SIZE }, (_, i) => i % SIZE < 0.4 * SIZE ? 255 : 0);
  const told = [{ ...views[0]!, known: known.map(() => 255) }, views[1]!, { ...views[2]!, known }];
  const triplet = uploadTriplet(tf, told, { topology, parts, side: 32 });
  const trusted = [0, 1, 2].map((view) => ofView(triplet.trusted!, view));
  const maps = [known.map(() => 255), known.map(() => 255), known];
  for (const [i, { vertices }] of told.entries()) {
    const operator = renderOperator(vertices, { topology, size: SIZE });
    const texture = Float32Array.from({ length: 3 * SIZE * SIZE }, (_, k) => maps[i]![Math.floor(k / 3)]! / 255);
    const shown = applyOperatorCpu(operator, texture);
    const expected = Array.from(operator.coverage, (share, pixel) => shown[3 * pixel]! > 0.5 * share ? 1 : 0);
    // A pixel on the line between known and unknown may fall either way.
    const differing = (await trusted[i]!).filter((value, pixel) => value !== expected[pixel]).length;
    assert.ok(differing <= 4, `view ${i}: ${differing} pixels`);
    assert.ok(expected.includes(1));
  }
  // What reads the mask on the device sees the same pixels.
  const counted = (await Promise.all(trusted)).flatMap((pixels) => [...pixels]).reduce((sum, value) => sum + value);
  assert.equal((await tf.sum(triplet.trusted!).data())[0], counted);
  triplet.dispose();
  assert.equal(uploadTriplet(tf, views, { topology, parts, side: 32 }).trusted, undefined);
});

Deno.test("the positions of a layer that see the mesh are those that the references cover by half", async () => {
  const network: IdentityNetwork = {
    side: 32,
    layerWeights: [1],
    features: (faces) => {
      const layer = faces.avgPool(4, 4, "valid") as Tensor4D;
      return { descriptor: layer.mean([1, 2]), layers: [layer] };
    },
  };
  const { layers, covered } = lookAtPhotographs(tf, views, { network, topology });
  for (const [i, { vertices, face, photograph }] of views.entries()) {
    const inside = coveredByHalf(await ofView(covered[0]!, i));
    const { coverage } = renderOperator(vertices, { topology, size: SIZE });
    const image = {
      width: CROP,
      height: CROP,
      data: coverage.reduce(
        (all, value, k) => (all.fill(value, 3 * k, 3 * k + 3), all),
        new Float32Array(3 * CROP * CROP),
      ),
    };
    const expected = resampleCpu(image, { box: face, width: 8, height: 8 }).data.filter((_, k) => k % 3 === 0);
    assert.deepEqual(inside, Array.from(expected, (share) => share >= 0.5));
    assert.ok(inside.includes(true) && inside.includes(false));
    const seen = resampleCpu({ width: CROP, height: CROP, data: unit(photograph) }, {
      box: face,
      width: 32,
      height: 32,
    });
    const first = await ofView(layers[0]!, i);
    let mean = 0;
    for (let k = 0; k < 16; k++) mean += seen.data[3 * (32 * Math.floor(k / 4) + k % 4)]! / 16;
    assert.ok(Math.abs(first[0]! - mean) < 1e-5);
  }
});
