import assert from "node:assert/strict";
import { fitAlbedoModel, fitMorphable, fitShapeModel } from "../../face/fit_morphable.ts";
import { albedoOf, decodeMorphable, encodeMorphable, fitShape, shapeOf } from "../../face/morphable.ts";
import { principalComponents } from "../../face/pca.ts";
import { anglesFromRotation, poseToCrop, rotationFromAngles } from "../../face/pose.ts";
import { mirrorVertices } from "../../face/topology.ts";
import { openTfjs } from "@ftim/gpu/tfjs";
import { gridHead, maxDifference, randomStream } from "./head.ts";

const tf = await openTfjs();
const { topology, model } = gridHead(9);
const random = randomStream(5);
const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());

/** Two modes of identity (width, nose) and one of expression (lower part drops), in model space. */
function face({ width, nose, jaw }: { width: number; nose: number; jaw: number }): Float32Array {
  return model.map((value, k) => {
    const [x, y] = [model[k - k % 3]!, model[k - k % 3 + 1]!];
    if (k % 3 === 0) return value * (1 + 0.06 * width);
    if (k % 3 === 1) return y < -0.3 ? value + 0.08 * jaw * (y + 0.3) : value;
    return value + 0.08 * nose * Math.exp(-(x * x + y * y) / 0.05);
  });
}

function samples() {
  const out = [];
  for (let person = 0; person < 12; person++) {
    const [width, nose] = [normal(), normal()];
    for (let k = 0; k < 4; k++) {
      const pose = {
        scale: 60 + 40 * random(),
        rotation: rotationFromAngles({ yaw: 100 * random() - 50, pitch: 30 * random() - 15, roll: 20 * random() - 10 }),
        translation: Float64Array.of(112, -112, 0),
      };
      out.push({
        vertices: poseToCrop(pose, face({ width, nose, jaw: normal() })),
        identity: `person ${person}`,
        pose,
      });
    }
  }
  return out;
}

Deno.test("principalComponents equals numpy.linalg.svd", () => {
  const x = [[1, 2, 0, 1], [3, 1, 1, 0], [0, 0, 2, 2], [2, 4, 1, 5]];
  const mean = [0, 1, 2, 3].map((c) => x.reduce((sum, row) => sum + row[c]! / 4, 0));
  const { basis, sigma } = principalComponents(x.map((row) => Float32Array.from(row, (value, c) => value - mean[c]!)));
  // x -= x.mean(0); u, s, v = numpy.linalg.svd(x, full_matrices=False); s / sqrt(3); v
  const expectedSigma = [2.57130811, 1.58684463, 0.887110698];
  const expectedBasis = [
    [0.0476971, 0.59428954, -0.02432364, 0.802467],
    [-0.7256308, -0.444302, 0.35960088, 0.38307035],
    [-0.64338256, 0.32766783, -0.65452231, -0.2242615],
  ];
  assert.ok(maxDifference(sigma, expectedSigma) < 1e-5, String(sigma));
  expectedBasis.forEach((row, k) => {
    const found = basis.subarray(4 * k, 4 * k + 4);
    const sign = Math.sign(found[0]! * row[0]!);
    assert.ok(maxDifference(found.map((value) => value * sign), row) < 1e-5);
  });
  assert.equal(principalComponents([]).sigma.length, 0);
});

Deno.test("the shape model: symmetric upright mean, as many modes as there are, orthonormal", () => {
  const shape = fitShapeModel(samples(), { topology });
  assert.ok(maxDifference(mirrorVertices(shape.mean, topology), shape.mean) < 1e-5);
  assert.ok(Math.abs(shape.mean.reduce((sum, value) => sum + value * value, 0) / topology.vertexCount - 1) < 1e-5);
  const share = (sigma: Float32Array, count: number) =>
    sigma.slice(0, count).reduce((a, b) => a + b * b, 0) / sigma.reduce((a, b) => a + b * b, 0);
  // Removing pose and size bends the linear modes a little; what is left beyond them is small. Jaw means of four leak
  // into identity.
  assert.ok(share(shape.identitySigma, 3) > 0.99, String(shape.identitySigma));
  assert.ok(share(shape.expressionSigma, 1) > 0.99, String(shape.expressionSigma));
  const length = shape.mean.length;
  for (let i = 0; i < shape.identitySigma.length; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = 0;
      for (let k = 0; k < length; k++) {
        sum += shape.identityBasis[i * length + k]! * shape.identityBasis[j * length + k]!;
      }
      assert.ok(Math.abs(sum - (i === j ? 1 : 0)) < 1e-4);
    }
  }
  assert.throws(() => fitShapeModel([], { topology }), RangeError);
});

Deno.test("fitShape explains new faces and finds their pose", () => {
  const shape = fitShapeModel(samples(), { topology });
  for (const { vertices, pose } of samples().slice(0, 8)) {
    const found = fitShape(shape, vertices, { noise: 0.005 });
    assert.ok(found.residual < 1.5, `residual ${found.residual} pixels`);
    const [a, b] = [anglesFromRotation(found.pose.rotation), anglesFromRotation(pose.rotation)];
    assert.ok(Math.abs(a.yaw - b.yaw) < 2, `yaw ${a.yaw} for ${b.yaw}`);
    assert.ok(found.identity.every((value) => Math.abs(value) < 5));
  }
  const sample = samples()[0]!.vertices;
  const loose = fitShape(shape, sample, { noise: 0.001 });
  const tight = fitShape(shape, sample, { noise: 10 });
  const size = (code: Float32Array) => Math.hypot(...code);
  assert.ok(size(tight.identity) < 0.01 * size(loose.identity));
  assert.ok(loose.residual < tight.residual);
});

Deno.test("fitShape recovers the code of a face of the model itself", () => {
  const shape = fitShapeModel(samples(), { topology, identities: 2, expressions: 1 });
  const code = { identity: Float32Array.of(1.2, -0.7), expression: Float32Array.of(0.9) };
  const pose = {
    scale: 80,
    rotation: rotationFromAngles({ yaw: 35, pitch: -10, roll: 4 }),
    translation: Float64Array.of(100, -90, 5),
  };
  const found = fitShape(shape, poseToCrop(pose, shapeOf(shape, code)), { noise: 1e-3, turns: 200 });
  assert.ok(found.residual < 0.05, String(found.residual));
  assert.ok(maxDifference(found.identity, code.identity) < 0.1, String(found.identity));
  assert.ok(maxDifference(found.expression, code.expression) < 0.1);
});

Deno.test("one mesh of each person gives no expression; one mesh in all gives a mean and nothing else", () => {
  const firsts = samples().filter((_, i) => i % 4 === 0);
  assert.equal(fitShapeModel(firsts, { topology }).expressionSigma.length, 0);
  const alone = fitShapeModel(firsts.slice(0, 1), { topology });
  assert.equal(alone.identitySigma.length, 0);
  assert.equal(fitShape(alone, firsts[0]!.vertices).identity.length, 0);
});

Deno.test("the model survives encoding; a missing or short array is named", async () => {
  const albedos = Array.from({ length: 5 }, () => Float32Array.from({ length: 48 }, random));
  const full = await fitMorphable(tf, samples(), { topology, albedos, components: { identities: 3, albedos: 2 } });
  assert.equal(full.albedoSigma.length, 2);
  const arrays = encodeMorphable(full);
  assert.deepEqual(arrays.albedoBasis.shape, [2, 48]);
  assert.deepEqual(decodeMorphable(arrays), full);
  assert.throws(() => decodeMorphable({ ...arrays, mean: undefined }), /no float32 array "mean"/);
  assert.throws(
    () => decodeMorphable({ ...arrays, albedoBasis: { data: new Float32Array(3) } }),
    /albedoBasis has 3 values, not 96/,
  );
  const all = await fitAlbedoModel(tf, albedos);
  const whole = { ...full, ...all };
  const code = Float32Array.from(all.albedoSigma, (sigma, k) => {
    let sum = 0;
    albedos[3]!.forEach((value, i) => sum += (value - all.albedoMean[i]!) * all.albedoBasis[k * 48 + i]!);
    return sum / sigma;
  });
  assert.ok(maxDifference(albedoOf(whole, code), albedos[3]!) < 1e-5);
});
