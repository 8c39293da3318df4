import assert from "node:assert/strict";
import { drawParameters } from "../../../../nets/parameters.ts";
import { openTfjs } from "@ftim/gpu/tfjs";
import { adam } from "../../../../nets/adam.ts";
import { fromVariables, toVariables } from "../../../../nets/parameters.ts";
import { weightAverage } from "../../../../nets/weight_average.ts";
import { readCheckpoint, writeCheckpoint } from "../../../../stages/training/parts/checkpoint.ts";

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

Deno.test("a checkpoint that is absent, cut or another network's is none; the last two are reported", async () => {
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
