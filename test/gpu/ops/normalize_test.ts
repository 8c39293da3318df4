import type { Rank, Tensor, Tensor1D, Tensor4D } from "@tensorflow/tfjs";
import assert from "node:assert/strict";
import { openGpu } from "../../../gpu/device.ts";
import type { Dense } from "../../../gpu/dense.ts";
import { normalize } from "../../../gpu/ops/normalize.ts";
import { normalizeCpu, normalizeGradientCpu } from "../../../gpu/ops/normalize_cpu.ts";
import { openTfjs } from "../../../gpu/tfjs.ts";
import { inner, random, relativeError, type Values } from "../arrays.ts";

async function read(tensors: Tensor[]): Promise<Float32Array[]> {
  const values = await Promise.all(tensors.map((tensor) => tensor.data<"float32">()));
  for (const tensor of tensors) tensor.dispose();
  await (await openGpu()).assertHealthy("normalize test");
  return values;
}

for (
  const { shape, groups, slope, offset } of [
    { shape: [1, 7, 9, 8], groups: 8, slope: 0.2, offset: 0 },
    { shape: [3, 16, 16, 4], groups: 4, slope: 1, offset: 0 },
    { shape: [2, 5, 3, 6], groups: 2, slope: 0.1, offset: 0 },
    { shape: [3, 7, 9, 17], groups: 17, slope: 0, offset: 0 },
    { shape: [1, 64, 48, 12], groups: 3, slope: 1, offset: 100 },
  ]
) {
  Deno.test(`normalize() and its gradients equal loops: [${shape}] in ${groups} groups, slope ${slope}`, async () => {
    const tf = await openTfjs();
    const channels = shape[3] ?? 0;
    const x = random(shape, 5);
    x.data.forEach((value, i) => x.data[i] = value + offset);
    const gamma = random([channels], 6);
    const beta = random([channels], 7);
    const dy = random(shape, 8);
    const tensor4d = ({ data, shape }: Values) => tf.tensor4d(data, shape as [number, number, number, number]);
    const runs = async () => {
      const inputs: [Tensor4D, Tensor1D, Tensor1D] = [tensor4d(x), tf.tensor1d(gamma.data), tf.tensor1d(beta.data)];
      const upstream = tensor4d(dy);
      const f = (a: Tensor, b: Tensor, c: Tensor) =>
        normalize(tf, a as Tensor4D, { gamma: b as Tensor1D, beta: c as Tensor1D, groups, slope });
      const before = tf.memory().numTensors;
      const value = f(...inputs);
      const grads = tf.grads(f as (...args: Tensor[]) => Tensor)(inputs, upstream);
      assert.equal(tf.memory().numTensors, before + 4, "tensors leak");
      const results = await read([value, ...grads]);
      tf.dispose([inputs, upstream]);
      return results;
    };
    const [value = new Float32Array(), ...grads] = await runs();
    const reference = (at: { x?: Dense; gamma?: Dense; beta?: Dense }) =>
      normalizeCpu(at.x ?? x, { gamma, beta, ...at, groups, slope }).data;
    const expected = normalizeGradientCpu(dy, { x, gamma, beta, groups, slope });
    assert.ok(
      relativeError(value, reference({})) < (offset === 0 ? 2e-6 : 1e-4),
      `value ${relativeError(value, reference({}))}`,
    );
    for (
      const [name, base, grad] of [["x", x, grads[0]], ["gamma", gamma, grads[1]], ["beta", beta, grads[2]]] as const
    ) {
      const { data } = expected[name];
      const error = relativeError(grad!, data);
      assert.ok(error < (offset === 0 ? 1e-5 : 1e-3), `gradient of ${name}: ${error}`);
      // Directional derivative of ⟨y, dy⟩ in float64. The direction is small, so that few values cross the activation's
      // corner.
      const direction = random(base.shape, 9);
      const shifted = (sign: number) => {
        const moved = Float64Array.from(base.data, (v, i) => v + sign * 1e-6 * direction.data[i]!);
        return inner(reference({ [name]: { shape: base.shape, data: moved } }), dy.data);
      };
      const difference = (shifted(1) - shifted(-1)) / 2e-6;
      for (const gradient of [grad!, data]) {
        const along = inner(gradient, direction.data);
        const scale = Math.sqrt(inner(gradient, gradient) * inner(direction.data, direction.data));
        assert.ok(Math.abs(along - difference) < 2e-5 * scale + 1e-5, `${name}: ${along} is not ${difference}`);
      }
    }
    assert.deepEqual(await runs(), [value, ...grads], "not bit-repeatable");
  });
}

Deno.test("normalize() refuses groups that do not divide the channels", async () => {
  const tf = await openTfjs();
  const x = tf.zeros<Rank.R4>([1, 2, 2, 6]);
  const one = tf.ones<Rank.R1>([6]);
  assert.throws(() => normalize(tf, x, { gamma: one, beta: one, groups: 4 }), RangeError);
  tf.dispose([x, one]);
});
