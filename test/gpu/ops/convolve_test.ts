import type { Rank, Tensor, Tensor1D, Tensor4D } from "@tensorflow/tfjs";
import assert from "node:assert/strict";
import { openGpu } from "../../../gpu/device.ts";
import { convolve } from "../../../gpu/ops/convolve.ts";
import { convolveCpu, convolveGradientCpu } from "../../../gpu/ops/convolve_cpu.ts";
import { webgpuBackend } from "../../../gpu/backend.ts";
import { openTfjs } from "../../../gpu/tfjs.ts";
import { relativeError } from "../arrays.ts";
import { BASE, type ConvCase, operandsOf } from "../conv/conv_case.ts";
import { valueAndGradients } from "../value_and_gradients.ts";
import { watchTextures } from "../watched_textures.ts";

const OWN: ConvCase = { ...BASE, batch: 2, height: 9, width: 11, inChannels: 8 };

for (
  const { slope, ...partial } of [
    { slope: 0.2 },
    { slope: 0.2, stride: 2, inChannels: 3, outChannels: 5 },
    { slope: 0, kernel: [4, 4], stride: 2, outChannels: 12, height: 16, width: 16 },
    { slope: 1, inChannels: 17, outChannels: 3 },
    { slope: 0.1, dilation: 2, pad: "valid" },
  ] as (Partial<ConvCase> & { slope: number })[]
) {
  Deno.test(`convolve() and its gradients equal plain loops: slope ${slope} ${JSON.stringify(partial)}`, async () => {
    const tf = await openTfjs();
    const c: ConvCase = { ...OWN, ...partial };
    const { x, filter: w, bias, dy } = operandsOf(c);
    const { stride, pad, dilation } = c;
    const op = (...[a, b, d]: Tensor[]): Tensor =>
      convolve(tf, a as Tensor4D, { filter: b as Tensor4D, bias: d as Tensor1D, stride, pad, dilation, slope });
    const run = () => valueAndGradients(op, { inputs: [x, w, bias], dy });
    const got = await run();
    const options = { filter: w, bias, stride, pad, dilation, slope };
    const gradients = convolveGradientCpu(dy, { x, ...options });
    const expected = [convolveCpu(x, options), gradients.x, gradients.filter, gradients.bias];
    expected.forEach((reference, i) =>
      assert.ok(relativeError(got[i] ?? new Float32Array(), reference.data) < 3e-6, `result ${i}`)
    );
    assert.deepEqual(await run(), got, "not bit-repeatable");
  });
}

Deno.test("convolve() computes no gradient that nobody asked for, and names shapes that do not fit", async () => {
  const tf = await openTfjs();
  const x = tf.zeros<Rank.R4>([1, 8, 8, 4]);
  const filter = tf.zeros<Rank.R4>([3, 3, 4, 4]);
  const backend = webgpuBackend(tf) as unknown as { recordAndSubmit(...args: unknown[]): void };
  const programs: string[] = [];
  const record = backend.recordAndSubmit;
  backend.recordAndSubmit = (...args) => {
    programs.push((args[0] as object).constructor.name);
    record.apply(backend, args);
  };
  try {
    tf.grad((a: Tensor) => convolve(tf, a as Tensor4D, { filter }) as Tensor)(x).dispose();
    assert.equal(programs.filter((name) => name.match(/^conv_(gather|tiled)/)).length, 2);
    assert.equal(programs.filter((name) => name.startsWith("conv_filter") || name.startsWith("column_sum")).length, 0);
  } finally {
    backend.recordAndSubmit = record;
  }
  const other = tf.zeros<Rank.R4>([3, 3, 5, 4]);
  assert.throws(() => convolve(tf, x, { filter: other }), /Cannot convolve \[1,8,8,4\] with filter \[3,3,5,4\]/);
  tf.dispose([x, filter, other]);
});

Deno.test("a filter that stays packed is the one that was given, also of a variable that has changed", async () => {
  const tf = await openTfjs();
  const x = tf.randomUniform<Rank.R4>([1, 8, 9, 5], -1, 1, "float32", 1);
  const filter = tf.variable(tf.randomUniform<Rank.R4>([3, 3, 5, 6], -1, 1, "float32", 2));
  const grad = tf.grad((v) => tf.sum(convolve(tf, v as Tensor4D, { filter: filter as unknown as Tensor4D })));
  const both =
    async () => [await convolve(tf, x, { filter: filter as unknown as Tensor4D }).data(), await grad(x).data()];
  const first = await both();
  for (let run = 0; run < 3; run++) assert.deepEqual(await both(), first);
  filter.assign(tf.mul(filter, 2));
  for (let run = 0; run < 3; run++) {
    assert.deepEqual(await both(), first.map((values) => values.map((value) => 2 * value)));
  }
});

Deno.test("textures of packed operands serve again once the data is disposed", async () => {
  const tf = await openTfjs();
  using textures = watchTextures((await openGpu()).device);
  const trained = tf.variable(tf.zeros<Rank.R4>([3, 3, 4, 8]));
  const step = () =>
    tf.tidy(() => {
      const x = tf.randomUniform<Rank.R4>([1, 64, 65, 4]);
      const fixed = tf.randomUniform<Rank.R4>([3, 3, 8, 4]);
      const loss = () => {
        const y = convolve(tf, x, { filter: trained as unknown as Tensor4D });
        return tf.sum([0, 1, 2].map(() => convolve(tf, y, { filter: fixed })).reduce((a, b) => tf.add(a, b)))
          .asScalar();
      };
      tf.variableGrads(loss, [trained]);
    });
  for (let i = 0; i < 3; i++) step();
  const before = textures.made;
  for (let i = 0; i < 20; i++) step();
  assert.equal(textures.made, before);
  await (await openGpu()).assertHealthy("textures test");
});
