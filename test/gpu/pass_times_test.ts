import type { Rank } from "@tensorflow/tfjs";
import assert from "node:assert/strict";
import { GpuError, openGpu } from "../../gpu/device.ts";
import { hasPassTimes, timePasses } from "../../gpu/pass_times.ts";
import { webgpuBackend } from "../../gpu/backend.ts";
import { openTfjs } from "../../gpu/tfjs.ts";

Deno.test("timePasses() gives each pass its own time and leaves results right", async () => {
  const gpu = await openGpu();
  const tf = await openTfjs();
  const backend = webgpuBackend(tf);
  if (!hasPassTimes(gpu.device)) {
    await assert.rejects(timePasses(backend, []), GpuError);
    return;
  }
  const [small, large] = [8, 512].map((size) => tf.fill<Rank.R2>([size, size], 1 / size));
  const multiply = (matrix: typeof small) => () => tf.dispose(tf.matMul(matrix!, matrix!));
  multiply(large)();
  multiply(small)();
  const kept: ReturnType<typeof tf.matMul>[] = [];
  const times = await timePasses(backend, [
    multiply(small),
    () => kept.push(tf.matMul(large!, large!)),
    multiply(small),
  ]);
  assert.equal(times.length, 3);
  assert.ok(times.every((time) => time >= 0 && time < 60_000), `${times}`);
  assert.ok(times[1]! > 5 * Math.min(times[0]!, times[2]!), `${times}`);
  assert.deepEqual(await kept[0]!.data(), new Float32Array(512 * 512).fill(1 / 512));
  assert.deepEqual(await timePasses(backend, []), []);
  await assert.rejects(timePasses(backend, Array(2049).fill(() => {})), /2049 passes are more than 2048/);
  tf.dispose([small!, large!, ...kept]);
  await gpu.assertHealthy("pass times test");
});
