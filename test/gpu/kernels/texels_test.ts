import assert from "node:assert/strict";
import { webgpuBackend } from "../../../gpu/backend.ts";
import { openGpu } from "../../../gpu/device.ts";
import { pack, type Packing } from "../../../gpu/kernels/texels.ts";
import { packCpu } from "../../../gpu/kernels/texels_cpu.ts";
import { openTfjs } from "../../../gpu/tfjs.ts";
import { random } from "../arrays.ts";
import { texelValues } from "../texel_values.ts";

type Layout = Omit<Packing, "slot" | "keep" | "through" | "packed">;

/** Pixels of so many channels. */
const pixels = (count: number, channels: number): Layout => ({
  outer: count,
  outerStride: channels,
  inner: 1,
  innerPadded: 1,
  innerStride: 0,
  channels,
  channelStride: 1,
});

/** The taps of a filter [taps, from, to], its input channels padded to four; transposed if asked. */
const taps = (count: number, [from, to]: [number, number], transposed: boolean): Layout => ({
  outer: count,
  outerStride: from * to,
  inner: transposed ? to : from,
  innerPadded: 4 * Math.ceil((transposed ? to : from) / 4),
  innerStride: transposed ? 1 : to,
  channels: transposed ? from : to,
  channelStride: transposed ? to : 1,
});

const CASES: Record<string, { count: number; layout: Layout }> = {
  "pixels of 8 channels": { count: 5 * 8, layout: pixels(5, 8) },
  "pixels of 1 channel": { count: 7, layout: pixels(7, 1) },
  "pixels of 17 channels": { count: 3 * 17, layout: pixels(3, 17) },
  "more pixels than a row of the texture": { count: 2500 * 3, layout: pixels(2500, 3) },
  "a filter of 5 → 7 channels": { count: 9 * 35, layout: taps(9, [5, 7], false) },
  "the same transposed": { count: 9 * 35, layout: taps(9, [5, 7], true) },
  "a filter of 8 → 4 channels": { count: 4 * 32, layout: taps(4, [8, 4], false) },
};

for (const [name, { count, layout }] of Object.entries(CASES)) {
  for (const slope of [undefined, 0.25]) {
    Deno.test(`pack() equals plain loops: ${name}${slope === undefined ? "" : ", through a leaky relu"}`, async () => {
      const tf = await openTfjs();
      const backend = webgpuBackend(tf);
      const [source, value] = [random([count], 1), random([count], 2)];
      const [given, result] = [tf.tensor1d(source.data), tf.tensor1d(value.data)];
      const through = slope === undefined ? undefined : { value: result, slope };
      const texels = pack(backend, given, { ...layout, slot: `texels test ${name}`, through });
      const expected = packCpu(source, {
        ...layout,
        through: slope === undefined ? undefined : { value, slope },
      });
      const read = texelValues(tf, texels, expected.shape);
      assert.deepEqual(await read.data(), Float32Array.from(expected.data));
      tf.dispose([given, result, read]);
      await (await openGpu()).assertHealthy("texels test");
    });
  }
}

Deno.test("an operand that no texture can hold is refused by its size", async () => {
  const tf = await openTfjs();
  const source = tf.zeros([4]);
  const outer = (await openGpu()).device.limits.maxTextureDimension2D * 2048 + 1;
  const packing = { outer, outerStride: 4, inner: 1, innerPadded: 1, innerStride: 0, channels: 4, channelStride: 1 };
  assert.throws(() => pack(webgpuBackend(tf), source, { ...packing, slot: "x" }), /texels, a texture holds at most/);
  source.dispose();
});
