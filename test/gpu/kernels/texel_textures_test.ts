import type { Rank, Tensor, Tensor4D } from "@tensorflow/tfjs";
import assert from "node:assert/strict";
import { openGpu } from "../../../gpu/device.ts";
import { convolve } from "../../../gpu/ops/convolve.ts";
import { openTfjs } from "../../../gpu/tfjs.ts";
import { BASE, operandsOf } from "../conv/conv_case.ts";
import { valueAndGradients } from "../value_and_gradients.ts";
import { watchTextures } from "../watched_textures.ts";

/** Lets a clock of the test's own count until it is disposed. */
function useClock(now: () => number): Disposable {
  const clock = performance.now;
  performance.now = now;
  return { [Symbol.dispose]: () => void (performance.now = clock) };
}

Deno.test("textures that nothing asked for in ten seconds are given up, and results stay the same", async () => {
  const gpu = await openGpu();
  if (!gpu.info.software) return; // on a GPU nothing is packed
  const tf = await openTfjs();
  using textures = watchTextures(gpu.device);
  const clock = performance.now.bind(performance);
  let later = 0;
  using _ = useClock(() => clock() + later);
  const filter = tf.randomUniform<Rank.R4>([3, 3, 4, 8], -1, 1, "float32", 1);
  const large = tf.randomUniform<Rank.R4>([1, 128, 130, 4], -1, 1, "float32", 2);
  const small = tf.randomUniform<Rank.R4>([1, 8, 9, 4], -1, 1, "float32", 3);
  const run = () => convolve(tf, large, { filter });
  // The filter is packed for good from its second run on.
  for (let i = 0; i < 2; i++) run().dispose();
  const first = run();
  const expected = await first.data();
  first.dispose();
  const tall = () => [...textures.living].filter(({ height }) => height >= 8).length;
  assert.ok(tall() >= 1);
  // What is recorded and not submitted yet reads textures that are given up now.
  const recorded = run();
  later = 11_000;
  const other = convolve(tf, small, { filter });
  await Promise.resolve();
  assert.equal(tall(), 0, "nothing was given up");
  assert.deepEqual(await recorded.data(), expected, "what was recorded");
  const again = run();
  assert.deepEqual(await again.data(), expected, "afterwards");
  tf.dispose([recorded, other, again, filter, large, small]);
  await gpu.assertHealthy("texel textures test");
});

Deno.test("an operand that was packed stays while the next one takes a minute to pack", async () => {
  if (!(await openGpu()).info.software) return; // on a GPU nothing is packed
  const tf = await openTfjs();
  // Textures of the operands differ in height, so that asking for one does not keep the other.
  const { x, filter, dy } = operandsOf({ ...BASE, height: 64, width: 66 });
  const run = () =>
    valueAndGradients(
      (...[a, b]: Tensor[]): Tensor => convolve(tf, a as Tensor4D, { filter: b as Tensor4D, slope: 0.2 }),
      { inputs: [x, filter], dy },
    );
  const expected = await run();
  using textures = watchTextures((await openGpu()).device);
  const clock = performance.now.bind(performance);
  // Each look at the clock is a minute later, as if a program was compiled between any two operands.
  let looks = 0;
  using _ = useClock(() => clock() + 60_000 * ++looks);
  for (let i = 0; i < 3; i++) assert.deepEqual(await run(), expected);
  assert.ok(textures.made > 0, "nothing was given up in between");
});
