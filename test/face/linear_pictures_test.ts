import assert from "node:assert/strict";
import type { Tensor4D } from "@tensorflow/tfjs";
import { openTfjs } from "@ftim/gpu/tfjs";
import { disposeAlbedoBasis, uploadAlbedoBasis } from "../../face/albedo_basis.ts";
import { linearPictures } from "../../face/linear_pictures.ts";
import { albedoOf } from "../../face/morphable.ts";
import { applyOperatorCpu, renderOperator } from "../../face/render_cpu.ts";
import { deviceOperator, disposeDeviceOperator } from "../../face/render_device.ts";
import { shadingMap } from "../../face/normal_maps_cpu.ts";
import { CROP, light, makeFace, morphable, SIZE, topology } from "../stages/face_lab.ts";
import { maxDifference, randomStream } from "./head.ts";

const tf = await openTfjs();
const model = morphable();
const components = model.albedoSigma.length;
const next = randomStream(4);
const huber = 0.06;
const basis = uploadAlbedoBasis(tf, model, { stride: 1 });
const padded = basis.rows.shape[1]!;

// Bright, so that the mean is cut off in places.
const faces = [10, -40, 180].map((yaw) => {
  const { vertices } = makeFace({ yaw });
  const shading = shadingMap(vertices, { light: light(0.5).map((value) => 1.7 * value), topology, size: SIZE });
  const code = Float32Array.from({ length: components }, () => 2 * next() - 1);
  return { vertices, shading, code, photograph: Float32Array.from({ length: 3 * CROP * CROP }, next) };
});

async function pictures(some: typeof faces) {
  const operator = deviceOperator(tf, some.map(({ vertices }) => vertices), {
    topology,
    size: SIZE,
    width: CROP,
    height: CROP,
  });
  const stack = (name: "shading" | "photograph", side: number): Tensor4D =>
    tf.tensor4d(some.flatMap((face) => [...face[name]]), [some.length, side, side, 3]);
  const codes = tf.tensor2d(
    some.flatMap(({ code }) => [...code, ...new Float32Array(padded - components)]),
    [some.length, padded],
  );
  const inputs = { shading: stack("shading", SIZE), photograph: stack("photograph", CROP), codes };
  const { base, parts, weight } = linearPictures(tf, { operator, basis, huber, ...inputs });
  const made = [base, weight, tf.concat([...parts])];
  const [baseData, weightData, partsData] = await Promise.all(made.map((tensor) => tensor.data<"float32">()));
  disposeDeviceOperator(operator);
  tf.dispose([...Object.values(inputs), ...made, ...parts]);
  const area = CROP * CROP;
  return some.map((_, i) => ({
    base: baseData!.slice(3 * area * i, 3 * area * (i + 1)),
    weight: weightData!.slice(area * i, area * (i + 1)),
    // Arbitrary where there is no weight.
    parts: partsData!.slice(3 * area * padded * i, 3 * area * padded * (i + 1)).map((value, at) =>
      weightData![area * i + Math.floor(at / 3 / padded)]! > 0 ? value : 0
    ),
  }));
}

Deno.test("linearPictures() gives the renders of the mean and of each component", async () => {
  for (const [i, { base, weight, parts }] of (await pictures(faces)).entries()) {
    const { vertices, shading, code, photograph } = faces[i]!;
    const operator = renderOperator(vertices, { topology, size: SIZE, width: CROP, height: CROP });
    const render = (albedo: Float32Array, cut: boolean) =>
      applyOperatorCpu(
        operator,
        albedo.map((value, k) => {
          const lit = value * shading[k]!;
          return cut ? Math.min(1, Math.max(0, lit)) : lit;
        }),
      );
    const covered = (at: number) => operator.coverage[Math.floor(at / 3)]! > 0;
    const mean = render(model.albedoMean, true).map((value, at) => covered(at) ? value : photograph[at]!);
    assert.ok(maxDifference(base, mean) < 1e-4);
    const start = render(albedoOf(model, code), false);
    const expected = operator.coverage.map((covered, pixel) => {
      const error = [0, 1, 2].reduce((sum, c) => sum + Math.abs(start[3 * pixel + c]! - photograph[3 * pixel + c]!), 0);
      return covered * Math.min(1, huber / Math.max(error / 3, 1e-6));
    });
    assert.ok(maxDifference(weight, expected) < 1e-4);
    for (let k = 0; k < components; k++) {
      const row = model.albedoBasis.subarray(k * model.albedoMean.length);
      const part = render(model.albedoMean.map((_, t) => model.albedoSigma[k]! * row[t]!), false);
      assert.ok(maxDifference(Float32Array.from(part, (_, at) => parts[at * padded + k]!), part) < 1e-4);
    }
  }
});

Deno.test("a face has the same linear pictures alone as in a batch", async () => {
  const together = await pictures(faces);
  for (const [i, face] of faces.entries()) assert.deepEqual((await pictures([face]))[0], together[i]);
});

Deno.test("linearPictures() refuses a model of some texels and a shading of another size", () => {
  const operator = deviceOperator(tf, [faces[0]!.vertices], { topology, size: SIZE, width: CROP, height: CROP });
  const some = uploadAlbedoBasis(tf, model);
  const photograph: Tensor4D = tf.zeros([1, CROP, CROP, 3]);
  const codes = tf.zeros([1, padded]);
  const scenes = { operator, shading: tf.zeros([1, SIZE, SIZE, 3]) as Tensor4D, photograph, codes, huber };
  assert.throws(() => linearPictures(tf, { ...scenes, basis: some }), /every texel/);
  const shading: Tensor4D = tf.zeros([1, 8, 8, 3]);
  assert.throws(() => linearPictures(tf, { ...scenes, basis, shading }), /Shading \[1,8,8,3\]/);
  disposeAlbedoBasis(some);
  disposeDeviceOperator(operator);
});
