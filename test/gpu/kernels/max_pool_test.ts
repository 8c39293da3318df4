import type { Tensor4D } from "@tensorflow/tfjs";
import assert from "node:assert/strict";
import { openGpu } from "../../../gpu/device.ts";
import { maxPoolCpu, maxPoolGradientCpu } from "../../../gpu/kernels/max_pool_cpu.ts";
import { openTfjs } from "../../../gpu/tfjs.ts";
import { inner, random } from "../arrays.ts";

const [tf, gpu] = [await openTfjs(), await openGpu()];

interface Case {
  readonly shape: [number, number, number, number];
  readonly filter: [number, number];
  readonly strides: [number, number];
  readonly pad: "same" | "valid";
}

const CASES: readonly Case[] = [
  { shape: [3, 72, 36, 32], filter: [3, 3], strides: [2, 2], pad: "valid" },
  { shape: [1, 7, 9, 4], filter: [3, 3], strides: [2, 2], pad: "same" },
  { shape: [3, 7, 9, 12], filter: [2, 5], strides: [1, 3], pad: "same" },
  { shape: [2, 5, 6, 8], filter: [2, 2], strides: [3, 1], pad: "valid" },
  { shape: [3, 1, 1, 4], filter: [3, 3], strides: [1, 1], pad: "same" },
  { shape: [1, 9, 7, 1], filter: [3, 2], strides: [2, 2], pad: "same" },
  { shape: [2, 6, 5, 3], filter: [2, 2], strides: [2, 2], pad: "valid" },
  { shape: [1, 5, 4, 17], filter: [3, 3], strides: [1, 2], pad: "same" },
  { shape: [1, 20, 18, 4], filter: [16, 17], strides: [1, 1], pad: "valid" },
];

/** Values on a grid of quarters with many zeros, as after a rectifier: windows have equal maxima. */
function coarse(shape: readonly number[], seed: number): Float32Array {
  return random([...shape], seed).data.map((value) => Math.max(0, Math.round(value * 4) / 4));
}

for (const { shape, filter, strides, pad } of CASES) {
  Deno.test(`maxPool() and its gradient equal loops: [${shape}], ${filter}, strides ${strides}, ${pad}`, async () => {
    const x = coarse(shape, 3);
    const attrs = { filterSize: filter, strides, pad };
    const expected = maxPoolCpu({ shape, data: x }, attrs);
    const dy = random([expected.data.length], 4).data;
    const dx = maxPoolGradientCpu({ dy: { shape: expected.shape, data: dy }, input: { shape, data: x } }, attrs).data;

    const run = async () => {
      const input = tf.tensor4d(x, shape);
      const [value, gradient] = tf.tidy(() => {
        const value = tf.maxPool(input, filter, strides, pad);
        const upstream = tf.tensor(dy, value.shape);
        const back = tf.grad((x) => tf.sum(tf.mul(tf.maxPool(x as Tensor4D, filter, strides, pad), upstream)));
        return [value, back(input)] as const;
      });
      const found = await Promise.all([value.data<"float32">(), gradient.data<"float32">()]);
      tf.dispose([input, value, gradient]);
      return found;
    };
    const [value, gradient] = await run();
    assert.deepEqual(value, Float32Array.from(expected.data));
    assert.ok(gradient.every((g, i) => Math.abs(g - dx[i]!) < 1e-5));
    // Where a window's winner is fixed, pooling is linear: ⟨pool(x), dy⟩ = ⟨x, poolᵀ(dy)⟩.
    assert.ok(Math.abs(inner(value, dy) - inner(x, gradient)) < 1e-3);
    for (let i = 0; i < 10; i++) assert.deepEqual(await run(), [value, gradient]);
    await gpu.assertHealthy("max pool test");
  });
}
