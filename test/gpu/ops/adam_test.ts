import type { Tensor } from "@tensorflow/tfjs";
import assert from "node:assert/strict";
import { openGpu } from "../../../gpu/device.ts";
import { adamStep, createAdam, disposeAdam } from "../../../gpu/ops/adam.ts";
import { adamStepCpu, createAdamCpu } from "../../../gpu/ops/adam_cpu.ts";
import { openTfjs } from "../../../gpu/tfjs.ts";
import { random, relativeError } from "../arrays.ts";

async function read(tensors: Tensor[]): Promise<Float32Array[]> {
  const values = await Promise.all(tensors.map((tensor) => tensor.data<"float32">()));
  for (const tensor of tensors) tensor.dispose();
  await (await openGpu()).assertHealthy("adam test");
  return values;
}

Deno.test("adamStep() equals algorithm 1 in float64, resumes exactly and keeps the number of tensors", async () => {
  const tf = await openTfjs();
  const start = random([5, 7], 1);
  const slopes = random([5, 7], 2);
  const train = async (steps: number, { stopAt = -1 } = {}) => {
    const variable = tf.variable(tf.tensor(start.data, [5, 7]), true);
    let state = createAdam();
    let tensors = 0;
    for (let step = 0; step < steps; step++) {
      const gradient = tf.tidy(() => variable.mul(tf.tensor(slopes.data, [5, 7])));
      adamStep(tf, state, {
        variables: [variable],
        gradients: { [variable.name]: gradient },
        learningRate: 0.01,
        weightDecay: 0.1,
      });
      gradient.dispose();
      if (step === 1) tensors = tf.memory().numTensors;
      if (step === stopAt) {
        const saved = await Promise.all([state.first, state.second].map((map) => map.get(variable.name)?.data()));
        const resumed = { ...createAdam(), step: state.step };
        [resumed.first, resumed.second].forEach((map, i) =>
          map.set(variable.name, tf.keep(tf.tensor(saved[i] ?? [], [5, 7])))
        );
        disposeAdam(state);
        state = resumed;
      }
    }
    assert.equal(tf.memory().numTensors, tensors);
    disposeAdam(state);
    return (await read([variable]))[0] ?? new Float32Array();
  };
  const got = await train(20);
  const state = createAdamCpu();
  const expected = { name: "weights", shape: start.shape, data: Float64Array.from(start.data) };
  for (let step = 0; step < 20; step++) {
    const gradient = { ...start, data: expected.data.map((weight, i) => weight * slopes.data[i]!) };
    adamStepCpu(state, {
      variables: [expected],
      gradients: { weights: gradient },
      learningRate: 0.01,
      weightDecay: 0.1,
    });
  }
  assert.ok(relativeError(got, expected.data) < 1e-5, `${relativeError(got, expected.data)}`);
  assert.deepEqual(await train(20), got, "not bit-repeatable");
  assert.deepEqual(await train(20, { stopAt: 8 }), got, "a resumed run differs");
});
