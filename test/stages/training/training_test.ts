import assert from "node:assert/strict";
import { drawParameters } from "../../../nets/parameters.ts";
import { openTfjs } from "@ftim/gpu/tfjs";
import { adam } from "../../../nets/adam.ts";
import { fromVariables, toVariables } from "../../../nets/parameters.ts";
import { weightAverage } from "../../../nets/weight_average.ts";
import { readCheckpoint, writeCheckpoint } from "../../../stages/training/parts/checkpoint.ts";
import { averagedFrom, draw, rateAt } from "../../../stages/training/parts/train_loop.ts";

Deno.test("draw() shows every triplet once an epoch, in another order each time, and all three albedos", () => {
  const triplets = ["a", "b", "c", "d", "e"];
  const epoch = (n: number) => [0, 1, 2, 3, 4].map((i) => draw(triplets, { step: 5 * n + i, seed: 3 }).triplet);
  for (const n of [0, 1, 2]) assert.deepEqual([...epoch(n)].sort(), triplets);
  assert.notDeepEqual(epoch(0), epoch(1));
  const chosen = Array.from({ length: 60 }, (_, step) => draw(triplets, { step, seed: 3 }).chosen);
  assert.deepEqual([...new Set(chosen)].sort(), [0, 1, 2]);
});

Deno.test("rateAt() starts at the learning rate, never rises and ends near a tenth", () => {
  const rates = Array.from({ length: 100 }, (_, step) => rateAt(step, { steps: 100, learningRate: 2 }));
  assert.equal(rates[0], 2);
  assert.ok(rates.every((rate, i) => i === 0 || rate <= rates[i - 1]!));
  assert.ok(rates[99]! > 0.2 && rates[99]! < 0.21);
});

const specs = { "a.weight": { shape: [2, 3], fan: 2 }, "a.bias": { shape: [3], fan: 0 } };

Deno.test("a run resumed from a checkpoint repeats the bits of one that was not interrupted", async () => {
  const tf = await openTfjs();
  const folder = await Deno.makeTempDir();
  const gradient = (step: number) => ({
    "a.weight": tf.tensor2d(Array.from({ length: 6 }, (_, i) => Math.sin(i + 7 * step)), [2, 3]),
    "a.bias": tf.tensor1d([0.1 * step, -0.2, 0.3]),
  });
  const whole = toVariables(tf, drawParameters(specs, 1));
  const optimiser = adam(tf, whole);
  const wholeMean = weightAverage(tf, whole);
  for (let step = 0; step < 12; step++) {
    optimiser.step(gradient(step), 0.01);
    if (step >= 3) wholeMean.add();
  }

  const first = toVariables(tf, drawParameters(specs, 1));
  const started = adam(tf, first);
  const startedMean = weightAverage(tf, first);
  for (let step = 0; step < 5; step++) {
    started.step(gradient(step), 0.01);
    if (step >= 3) startedMean.add();
  }
  const [parameters, state] = [await fromVariables(first), await started.state()];
  const average = await startedMean.values();
  await writeCheckpoint(folder, { steps: started.steps, parameters, state, average, rows: [{ step: 0, total: 0.5 }] });
  const saved = await readCheckpoint(folder, { specs, log: assert.fail });
  assert.ok(saved !== null);
  assert.deepEqual(saved.rows, [{ step: 0, total: 0.5 }]);
  const second = toVariables(tf, saved.parameters);
  const resumed = adam(tf, second, { resume: saved });
  const resumedMean = weightAverage(tf, second, { resume: { count: startedMean.count, values: saved.average } });
  for (let step = resumed.steps; step < 12; step++) {
    resumed.step(gradient(step), 0.01);
    resumedMean.add();
  }
  assert.deepEqual(await fromVariables(second), await fromVariables(whole));
  assert.deepEqual(await resumedMean.values(), await wholeMean.values());
  await Deno.remove(folder, { recursive: true });
});

Deno.test("weightAverage() is the mean of the weights at its calls, and follows none after them", async () => {
  const tf = await openTfjs();
  const variables = toVariables(tf, { x: { shape: [2], data: Float32Array.of(100, -100) } });
  const before = tf.memory().numTensors;
  const average = weightAverage(tf, variables);
  const set = (values: number[]) => tf.tidy(() => variables["x"]!.assign(tf.tensor1d(values)));
  for (const values of [[1, 2], [2, -4], [6, 5]]) {
    set(values);
    average.add();
  }
  set([1000, 1000]);
  const found = (await average.values()).x!;
  assert.deepEqual(found.shape, [2]);
  assert.ok(Math.abs(found.data[0]! - 3) < 1e-6 && Math.abs(found.data[1]! - 1) < 1e-6, `${found.data}`);
  average.dispose();
  assert.equal(tf.memory().numTensors, before);
});

Deno.test("averagedFrom() takes the second half of the steps, and one step at least", () => {
  assert.deepEqual([1, 2, 3, 120].map(averagedFrom), [0, 1, 1, 60]);
});

Deno.test("Adam follows its definition", async () => {
  const tf = await openTfjs();
  const variables = toVariables(tf, { x: { shape: [2], data: Float32Array.of(1, -2) } });
  const optimiser = adam(tf, variables);
  const x = [1, -2], m = [0, 0], v = [0, 0];
  for (let step = 1; step <= 4; step++) {
    const gradient = [0.5 * step, -3];
    optimiser.step({ x: tf.tensor1d(gradient) }, 0.1);
    for (const i of [0, 1]) {
      m[i] = 0.9 * m[i]! + 0.1 * gradient[i]!;
      v[i] = 0.999 * v[i]! + 0.001 * gradient[i]! ** 2;
      x[i] = x[i]! - 0.1 * (m[i]! / (1 - 0.9 ** step)) / (Math.sqrt(v[i]! / (1 - 0.999 ** step)) + 1e-8);
    }
  }
  const found = (await fromVariables(variables)).x!.data;
  for (const i of [0, 1]) assert.ok(Math.abs(found[i]! - x[i]!) < 1e-5, `${found[i]} for ${x[i]}`);
});

Deno.test("an absent, truncated or foreign checkpoint is none, and the last two are reported", async () => {
  const folder = await Deno.makeTempDir();
  assert.equal(await readCheckpoint(folder, { specs, log: assert.fail }), null);
  const values = drawParameters(specs, 1);
  const state = { "m/a.weight": values["a.weight"]!, "m/a.bias": values["a.bias"]! };
  await writeCheckpoint(folder, { steps: 1, parameters: values, state, average: values, rows: [] });
  const lines: string[] = [];
  const log = (line: string) => lines.push(line);
  assert.equal(await readCheckpoint(folder, { specs, log }), null);
  assert.match(lines[0]!, /v\/a\.weight.*starting anew/);
  const path = `${folder}/checkpoint.safetensors`;
  await Deno.writeFile(path, (await Deno.readFile(path)).subarray(0, 40));
  assert.equal(await readCheckpoint(folder, { specs, log }), null);
  assert.equal(lines.length, 2);
  await Deno.remove(folder, { recursive: true });
});
