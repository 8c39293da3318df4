/**
 * A small U-Net trained with our ops, after llm.c's test_gpt2.cu: the loss falls, memory stays flat, and a second run
 * gives the same bits.
 */

import type { Rank, Tensor1D, Tensor4D, Variable } from "@tensorflow/tfjs";
import assert from "node:assert/strict";
import { openGpu } from "../../gpu/device.ts";
import { adamStep, createAdam, disposeAdam } from "../../gpu/ops/adam.ts";
import { convolve } from "../../gpu/ops/convolve.ts";
import { normalize } from "../../gpu/ops/normalize.ts";
import { upsampleConvolve } from "../../gpu/ops/upsample_convolve.ts";
import { webgpuBackend } from "../../gpu/backend.ts";
import { openTfjs, type Tfjs } from "../../gpu/tfjs.ts";
import { random } from "./arrays.ts";

/** How to train. */
interface Training {
  readonly steps: number;
  /** Side of the image. */
  readonly side?: number;
  /** The loss of one step in so many is read; the others stay on the device. */
  readonly readEvery?: number;
}

/**
 * Trains for some steps. Gives the losses that were read, the final weights, and [tensors, GPU bytes] after each step.
 */
async function train(tf: Tfjs, { steps, side = 16, readEvery = 1 }: Training) {
  const variables: Variable[] = [];
  const variable = (shape: number[], seed: number) => {
    const { data } = random(shape, seed);
    const created = tf.variable(tf.tensor(data.map((v) => v * 0.4), shape), true);
    variables.push(created);
    return created;
  };
  const [first, second, third, fourth] = [[3, 3, 3, 8], [4, 4, 8, 16], [3, 3, 16, 3], [3, 3, 8, 3]].map((shape, i) =>
    variable(shape, i)
  ) as Variable<Rank.R4>[];
  const [gamma, beta, bias] = [16, 16, 3].map((size, i) => variable([size], 10 + i)) as Variable<Rank.R1>[];
  assert.ok(first && second && third && fourth && gamma && beta && bias);
  const image = random([2, side, side, 3], 20);
  const x = tf.tensor4d(image.data, [2, side, side, 3]);
  const loss = () => {
    const fine = convolve(tf, x, { filter: first as Tensor4D, slope: 0.2 });
    const coarse = convolve(tf, fine, { filter: second as Tensor4D, stride: 2 });
    const normal = normalize(tf, coarse, { gamma: gamma as Tensor1D, beta: beta as Tensor1D, slope: 0.2 });
    const y = tf.add<Tensor4D>(
      upsampleConvolve(tf, normal, { filter: third as Tensor4D, bias: bias as Tensor1D }),
      convolve(tf, fine, { filter: fourth as Tensor4D }),
    );
    return tf.mean(tf.abs(tf.sub(y, x))).asScalar();
  };
  const state = createAdam();
  const losses: number[] = [];
  const memory: (number | undefined)[][] = [];
  for (let step = 0; step < steps; step++) {
    const { value, grads } = tf.variableGrads(loss, variables);
    adamStep(tf, state, { variables, gradients: grads, learningRate: 0.01 });
    if ((step + 1) % readEvery === 0) losses.push(...await value.data());
    tf.dispose([value, grads]);
    memory.push([tf.memory().numTensors, webgpuBackend(tf).memory().numBytesAllocatedInGPU]);
  }
  const weights = await Promise.all(variables.map((v) => v.data<"float32">()));
  disposeAdam(state);
  tf.dispose([variables, x]);
  await (await openGpu()).assertHealthy("training test");
  return { losses, weights, memory };
}

Deno.test("training a U-Net lowers the loss, keeps memory flat and repeats bit for bit", async () => {
  const tf = await openTfjs();
  const run = await train(tf, { steps: 30 });
  assert.ok((run.losses[29] ?? NaN) < 0.5 * (run.losses[0] ?? NaN), `${run.losses[0]} → ${run.losses[29]}`);
  assert.deepEqual(run.memory[29], run.memory[4]);
  const again = await train(tf, { steps: 30 });
  assert.deepEqual(again.losses, run.losses);
  assert.deepEqual(again.weights, run.weights);
});

Deno.test("500 steps without a read-back between keep tensors and buffers as they are", async () => {
  const tf = await openTfjs();
  const { losses, memory } = await train(tf, { steps: 500, side: 8, readEvery: 100 });
  assert.ok(losses[4]! < losses[0]!, `${losses}`);
  // Buffers that were given back wait for the queue before they serve again, so the number in use swings a little.
  const [tensors, bytes] = [0, 1].map((k) => memory.map((row) => row[k]!)) as [number[], number[]];
  assert.equal(new Set(tensors.slice(5)).size, 1);
  assert.ok(Math.max(...bytes.slice(100)) <= 1.05 * Math.max(...bytes.slice(0, 100)), `${bytes[99]} to ${bytes[499]}`);
});
