import assert from "node:assert/strict";
import type * as tfjs from "@tensorflow/tfjs";
import { openTfjs } from "@ftim/gpu/tfjs";
import { drawParameters, type ParameterValues, toVariables } from "../../nets/parameters.ts";
import { tran, tranParameters } from "../../nets/tran.ts";
import { maxDifference, randomStream } from "../face/head.ts";

const tf = await openTfjs();
const shape = { side: 16, widths: [8, 8], codeLength: 6, mean: new Float32Array(3 * 16 * 16).fill(0.5) };

/** Parameters of which none is zero, with changes. */
function parameters(changes: ParameterValues = {}): ParameterValues {
  const specs = tranParameters(shape);
  specs["output.weight"] = { ...specs["output.weight"]!, fan: 72 };
  return { ...drawParameters(specs, 4), ...changes };
}

/** A face, in a light that is so many times as bright. */
function input(seed: number, bright = 1) {
  const next = randomStream(seed);
  const map = (channels: number) =>
    tf.tensor4d(Float32Array.from({ length: 256 * channels }, next), [1, 16, 16, channels]) as tfjs.Tensor4D;
  const shading = tf.mul(tf.add(map(3), 0.5), bright);
  const [visibility, templateAlbedo] = [map(1), tf.add(map(3), 0.2) as tfjs.Tensor4D];
  const incomplete = tf.mul(tf.mul(map(3), shading), visibility) as tfjs.Tensor4D;
  return { incomplete, visibility, templateAlbedo, templateTexture: tf.mul(templateAlbedo, shading) as tfjs.Tensor4D };
}

async function albedo(values: ParameterValues, seed: number, bright?: number): Promise<Float32Array> {
  return await tran(tf, toVariables(tf, values), { ...input(seed, bright), ...shape }).data() as Float32Array;
}

/** Encoders cut off: the code is what we say. */
function fixedCode(code: Float32Array): ParameterValues {
  const weight = parameters()["code.weight"]!;
  return parameters({
    "code.weight": { shape: weight.shape, data: new Float32Array(weight.data.length) },
    "code.bias": { shape: [6], data: code },
  });
}

Deno.test("Tran's albedo starts as the mean and depends on the face once its last layer is not zero", async () => {
  assert.deepEqual(await albedo(drawParameters(tranParameters(shape), 4), 1), shape.mean);
  assert.ok(maxDifference(await albedo(parameters(), 1), await albedo(parameters(), 2)) > 1e-3);
});

Deno.test("Tran's albedo is that of the face, whatever the light", async () => {
  const plain = await albedo(parameters(), 1);
  assert.ok(maxDifference(await albedo(parameters(), 1, 1.5), plain) < 1e-4);
});

Deno.test("no path leads around Tran's code: with a fixed code another face changes no bit", async () => {
  const code = fixedCode(Float32Array.of(1, -0.5, 0.2, 0.8, -1, 0.3));
  assert.deepEqual(await albedo(code, 1), await albedo(code, 2));
});

Deno.test("every dimension of Tran's code changes the albedo, each in its own way", async () => {
  const zero = await albedo(fixedCode(new Float32Array(6)), 1);
  const changed = await Promise.all(
    [0, 1, 2, 3, 4, 5].map((k) => albedo(fixedCode(new Float32Array(6).fill(1, k, k + 1)), 1)),
  );
  changed.forEach((map, k) => {
    assert.ok(maxDifference(map, zero) > 1e-3, `dimension ${k} changes nothing`);
    for (const other of changed.slice(k + 1)) assert.ok(maxDifference(map, other) > 1e-3);
  });
});
