import assert from "node:assert/strict";
import type * as tfjs from "@tensorflow/tfjs";
import { openTfjs } from "@ftim/gpu/tfjs";
import { ftim, ftimParameters } from "../../nets/ftim.ts";
import type { FtimInput } from "../../nets/ftim_input.ts";
import { drawParameters, fromVariables, parametersFrom, toVariables } from "../../nets/parameters.ts";
import { gaussian, uniform } from "../../nets/random.ts";
import { decodeSafetensors, encodeSafetensors } from "../../nets/safetensors.ts";
import { removeLighting } from "../../nets/subtracted_light.ts";

const tf = await openTfjs();
const SHAPE = { widths: [4, 8, 8], fullWidth: 4, codeLength: 3 };
const SIZE = 16;

function input(seed: number): FtimInput {
  const random = uniform(seed);
  const map = (channels: number) =>
    tf.tensor4d(
      Float32Array.from({ length: 2 * SIZE * SIZE * channels }, () => random()),
      [2, SIZE, SIZE, channels],
    );
  return {
    incomplete: map(3),
    visibility: map(1),
    guess: map(3),
    templateAlbedo: map(3),
    templateTexture: map(3),
    code: tf.tensor2d([0.1, -0.2, 0.3, 0.4, 0.5, -0.6], [2, 3]),
  };
}

Deno.test("ftim() starts from the first guess and reads every input", async () => {
  const specs = ftimParameters(SHAPE);
  const values = drawParameters(specs, 5);
  const given = input(1);
  const fresh = await ftim(tf, toVariables(tf, values), { ...given, ...SHAPE }).data();
  assert.deepEqual([...fresh], [...await given.guess.data()]);

  const normal = gaussian(6);
  values["output.weight"]!.data.forEach((_, i, all) => all[i] = normal());
  const variables = toVariables(tf, values);
  const before = await ftim(tf, variables, { ...given, ...SHAPE }).data();
  for (const name of ["incomplete", "visibility", "templateAlbedo", "guess", "code"] as const) {
    const changed = { ...given, [name]: tf.mul(given[name] as tfjs.Tensor, 1.3) };
    const after = await ftim(tf, variables, { ...changed, ...SHAPE }).data();
    assert.ok(after.some((value, i) => Math.abs(value - before[i]!) > 1e-5), `${name} has no effect`);
  }
});

Deno.test("a face is completed with the same bits alone and among others", async () => {
  // as large as the trained network's, so that the sums are cut and the matrix products ours
  const [size, shape] = [64, { widths: [16, 32, 64], fullWidth: 8, codeLength: 70 }];
  const values = drawParameters(ftimParameters(shape), 5);
  const normal = gaussian(6);
  values["output.weight"]!.data.forEach((_, i, all) => all[i] = normal());
  const variables = toVariables(tf, values);
  const random = uniform(9);
  const drawn = (of: number[]) => Float32Array.from({ length: of.reduce((a, b) => a * b) }, () => random());
  const map = (channels: number) => tf.tensor4d(drawn([5, size, size, channels]), [5, size, size, channels]);
  const all: FtimInput = {
    incomplete: map(3),
    visibility: map(1),
    guess: map(3),
    templateAlbedo: map(3),
    templateTexture: map(3),
    code: tf.tensor2d(drawn([5, shape.codeLength]), [5, shape.codeLength]),
  };
  const some = (count: number) =>
    Object.fromEntries(
      Object.entries(all).map(([name, tensor]) => [name, (tensor as tfjs.Tensor).slice(0, count)]),
    ) as unknown as FtimInput;
  const together = await ftim(tf, variables, { ...all, ...shape }).data<"float32">();
  for (const count of [1, 2, 3, 4]) {
    const apart = await ftim(tf, variables, { ...some(count), ...shape }).data<"float32">();
    assert.deepEqual(apart, together.slice(0, apart.length), `${count} of 5 faces`);
  }
});

Deno.test("ftim() leaves what was seen as it is, and all else is free", async () => {
  const values = drawParameters(ftimParameters(SHAPE), 5);
  const normal = gaussian(6);
  values["output.weight"]!.data.forEach((_, i, all) => all[i] = normal());
  const given = input(1);
  const visibility = tf.tensor4d(
    Float32Array.from({ length: 2 * SIZE * SIZE }, (_, i) => [0, 0.5, 1][i % 3]!),
    [2, SIZE, SIZE, 1],
  );
  const complete = await ftim(tf, toVariables(tf, values), { ...given, visibility, ...SHAPE }).data();
  const guess = await given.guess.data();
  const kept = Array.from({ length: 2 * SIZE * SIZE }, (_, i) => complete[3 * i] === guess[3 * i]);
  assert.deepEqual(kept, kept.map((_, i) => i % 3 === 2));
});

Deno.test("ftim()'s gradient agrees with finite differences", async () => {
  const specs = ftimParameters(SHAPE);
  const values = drawParameters(specs, 7);
  const normal = gaussian(8);
  values["output.weight"]!.data.forEach((_, i, all) => all[i] = 2 * normal());
  const given = input(2);
  const target = tf.tensor4d(Float32Array.from({ length: 2 * SIZE * SIZE * 3 }, () => normal()), [2, SIZE, SIZE, 3]);
  const lossOf = (variables: Record<string, tfjs.Variable>) =>
    tf.tidy(() => tf.mean(tf.mul(ftim(tf, variables, { ...given, ...SHAPE }), target)) as tfjs.Scalar);
  const variables = toVariables(tf, values);
  const byId = new Map(Object.entries(variables).map(([name, variable]) => [variable.name, name]));
  const { grads } = tf.variableGrads(() => lossOf(variables), Object.values(variables));
  assert.equal(Object.keys(grads).length, Object.keys(specs).length);
  for (const [id, gradient] of Object.entries(grads)) {
    const name = byId.get(id)!;
    const direction = Float32Array.from({ length: gradient.size }, () => normal());
    const analytic = (await gradient.data() as Float32Array).reduce((sum, g, i) => sum + g * direction[i]!, 0);
    const at = async (step: number) => {
      const moved = {
        ...values,
        [name]: { ...values[name]!, data: values[name]!.data.map((v, i) => v + step * direction[i]!) },
      };
      return (await lossOf(toVariables(tf, moved)).data())[0]!;
    };
    // Small, since a leaky rectifier has a kink that a larger step would cross: behind a normalisation some value
    // always lies near it.
    const step = 2e-5;
    const numeric = (await at(step) - await at(-step)) / (2 * step);
    const tolerance = 3e-4 + 0.06 * Math.abs(analytic);
    assert.ok(Math.abs(analytic - numeric) < tolerance, `${name}: analytic ${analytic}, numeric ${numeric}`);
  }
});

Deno.test("parameters survive a round trip through safetensors, and a wrong shape is refused", async () => {
  const specs = ftimParameters(SHAPE);
  const values = drawParameters(specs, 9);
  const stored = Object.fromEntries(
    Object.entries(await fromVariables(toVariables(tf, values))).map((
      [name, { shape, data }],
    ) => [name, { shape: [...shape], data }]),
  );
  const record = decodeSafetensors(encodeSafetensors(stored));
  assert.deepEqual(parametersFrom(record, specs), values);
  assert.throws(() => parametersFrom(record, ftimParameters({ ...SHAPE, fullWidth: 5 })), /full\.coarse/);
  delete record["latent.beta"];
  assert.throws(() => parametersFrom(record, specs), /"latent\.beta" is absent/);
});

Deno.test("removeLighting() subtracts the template's own shading", async () => {
  const of = (value: number) => tf.fill([1, 1, 1, 3], value) as tfjs.Tensor4D;
  const albedo = removeLighting(tf, { texture: of(0.75), templateTexture: of(0.5), templateAlbedo: of(0.625) });
  assert.deepEqual([...await albedo.data()], [0.875, 0.875, 0.875]);
});
