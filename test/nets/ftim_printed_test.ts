import assert from "node:assert/strict";
import type * as tfjs from "@tensorflow/tfjs";
import { openTfjs } from "@ftim/gpu/tfjs";
import { valueAndGradients } from "../../nets/adam.ts";
import { ftimPrinted, ftimPrintedModel, ftimPrintedParameters } from "../../nets/ftim_printed.ts";
import type { FtimInput } from "../../nets/ftim_input.ts";
import { drawParameters, toVariables } from "../../nets/parameters.ts";
import { gaussian, uniform } from "../../nets/random.ts";
import { near } from "./inputs.ts";

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
    visibility: tf.ones([2, SIZE, SIZE, 1]),
    guess: map(3),
    templateAlbedo: map(3),
    templateTexture: map(3),
    code: tf.tensor2d([0.1, -0.2, 0.3, 0.4, 0.5, -0.6], [2, 3]),
  };
}

/** Parameters as if they were trained: none is 0. */
function trained(seed: number) {
  const values = drawParameters(ftimPrintedParameters(SHAPE), seed);
  const normal = gaussian(seed + 1);
  for (const name of ["output.weight", "output.bias"]) values[name]!.data.forEach((_, i, all) => all[i] = normal());
  return values;
}

Deno.test("untrained, FTIM as printed gives the template texture, and without light its albedo", async () => {
  const given = input(1);
  const variables = toVariables(tf, drawParameters(ftimPrintedParameters(SHAPE), 5));
  const texture = await ftimPrinted(tf, variables, { ...given, ...SHAPE }).data();
  assert.deepEqual([...texture], [...await given.templateTexture.data()]);
  const albedo = await ftimPrintedModel(tf, SHAPE).albedo(variables, given).data();
  near(albedo, await given.templateAlbedo.data(), 1e-6);
});

Deno.test("FTIM as printed reads two maps and the code, and neither visibility nor first guess", async () => {
  const given = input(1);
  const variables = toVariables(tf, trained(5));
  const model = ftimPrintedModel(tf, SHAPE);
  const before = await model.albedo(variables, given).data<"float32">();
  const change = async (name: keyof FtimInput) => {
    const changed = { ...given, [name]: tf.mul(given[name] as tfjs.Tensor, 0.7) };
    const after = await model.albedo(variables, changed).data<"float32">();
    return after.reduce((most, value, i) => Math.max(most, Math.abs(value - before[i]!)), 0);
  };
  for (const name of ["incomplete", "templateAlbedo", "code"] as const) assert.ok(await change(name) > 1e-4, name);
  for (const name of ["visibility", "guess"] as const) assert.equal(await change(name), 0, name);
});

Deno.test("FTIM as printed may change what was seen", async () => {
  const given = input(1);
  const texture = await ftimPrinted(tf, toVariables(tf, trained(5)), { ...given, ...SHAPE }).data();
  const seen = await given.incomplete.data();
  assert.ok(texture.every((value, i) => value !== seen[i]), "every texel is the network's own, though all were seen");
});

Deno.test("a gradient reaches every parameter of FTIM as printed, and is that of finite differences", async () => {
  const values = trained(7);
  const given = input(2);
  const normal = gaussian(8);
  const target = tf.tensor4d(Float32Array.from({ length: 2 * SIZE * SIZE * 3 }, () => normal()), [2, SIZE, SIZE, 3]);
  const model = ftimPrintedModel(tf, SHAPE);
  const lossOf = (variables: Record<string, tfjs.Variable>) =>
    tf.tidy(() => tf.mean(tf.mul(model.albedo(variables, given), target)) as tfjs.Scalar);
  const variables = toVariables(tf, values);
  const { gradients } = valueAndGradients(tf, variables, () => lossOf(variables));
  assert.deepEqual(Object.keys(gradients).sort(), Object.keys(model.parameters).sort());
  for (const [name, gradient] of Object.entries(gradients)) {
    const found = await gradient.data() as Float32Array;
    assert.ok(found.some((value) => value !== 0) && found.every(Number.isFinite), name);
    const direction = Float32Array.from(found, () => normal());
    const analytic = found.reduce((sum, g, i) => sum + g * direction[i]!, 0);
    const at = async (step: number) => {
      const data = values[name]!.data.map((v, i) => v + step * direction[i]!);
      return (await lossOf(toVariables(tf, { ...values, [name]: { ...values[name]!, data } })).data())[0]!;
    };
    // Small, since a leaky rectifier has a kink that a larger step would cross.
    const step = 1e-4;
    const numeric = (await at(step) - await at(-step)) / (2 * step);
    assert.ok(Math.abs(analytic - numeric) < 3e-4 + 0.06 * Math.abs(analytic), `${name}: ${analytic}, ${numeric}`);
  }
});
