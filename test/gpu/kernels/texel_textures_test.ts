import type { Rank, Tensor4D } from "@tensorflow/tfjs";
import assert from "node:assert/strict";
import { openGpu } from "../../../gpu/device.ts";
import { convolve } from "../../../gpu/ops/convolve.ts";
import { openTfjs } from "../../../gpu/tfjs.ts";

Deno.test("textures that nothing asked for in ten seconds are given up, and results stay the same", async () => {
  const gpu = await openGpu();
  if (!gpu.info.software) return; // on a GPU nothing is packed
  const tf = await openTfjs();
  const { device } = gpu;
  const make = device.createTexture;
  const living = new Set<GPUTexture>();
  device.createTexture = (descriptor) => {
    const texture = make.call(device, descriptor);
    living.add(texture);
    const destroy = texture.destroy;
    texture.destroy = () => {
      living.delete(texture);
      destroy.call(texture);
    };
    return texture;
  };
  const clock = performance.now;
  let later = 0;
  performance.now = () => clock.call(performance) + later;
  try {
    const filter = tf.randomUniform<Rank.R4>([3, 3, 4, 8], -1, 1, "float32", 1);
    const large = tf.randomUniform<Rank.R4>([1, 128, 130, 4], -1, 1, "float32", 2);
    const small = tf.randomUniform<Rank.R4>([1, 8, 9, 4], -1, 1, "float32", 3);
    const run = () => convolve(tf, large, { filter });
    // The filter is packed for good from its second run on.
    for (let i = 0; i < 2; i++) run().dispose();
    const first = run();
    const expected = await first.data();
    first.dispose();
    const tall = () => [...living].filter(({ height }) => height >= 8).length;
    assert.ok(tall() >= 1);
    // What is recorded and not submitted yet reads textures that are given up now.
    const recorded = run();
    later = 11_000;
    const other = convolve(tf, small, { filter });
    const another = () => tf.tidy(() => void convolve(tf, tf.add<Tensor4D>(small, 1), { filter }));
    // Only what other kernels have followed on is in no one's hands.
    for (let i = 0; i < 100; i++) another();
    later = 22_000;
    another();
    assert.equal(tall(), 0, "nothing was given up");
    assert.deepEqual(await recorded.data(), expected, "what was recorded");
    const again = run();
    assert.deepEqual(await again.data(), expected, "afterwards");
    tf.dispose([recorded, other, again, filter, large, small]);
    await gpu.assertHealthy("texel textures test");
  } finally {
    performance.now = clock;
    device.createTexture = make;
  }
});

Deno.test("an operand that was packed stays while the next one takes a minute to pack", async () => {
  const gpu = await openGpu();
  if (!gpu.info.software) return; // on a GPU nothing is packed
  const tf = await openTfjs();
  const clock = performance.now;
  const [x, filter] = [
    tf.randomUniform<Rank.R4>([1, 64, 66, 4], -1, 1, "float32", 4),
    tf.randomUniform<Rank.R4>([3, 3, 4, 8], -1, 1, "float32", 5),
  ];
  const first = convolve(tf, x, { filter });
  const expected = await first.data();
  // Each look at the clock is a minute later, as if a program was compiled between any two operands.
  let looks = 0;
  performance.now = () => clock.call(performance) + 60_000 * ++looks;
  try {
    const slow = convolve(tf, x, { filter });
    assert.deepEqual(await slow.data(), expected);
    tf.dispose([x, filter, first, slow]);
  } finally {
    performance.now = clock;
  }
});
