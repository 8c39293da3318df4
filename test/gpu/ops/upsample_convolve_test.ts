import type { Rank, Tensor, Tensor1D, Tensor4D } from "@tensorflow/tfjs";
import assert from "node:assert/strict";
import { upsampleConvolve } from "../../../gpu/ops/upsample_convolve.ts";
import { upsampleConvolveCpu, upsampleConvolveGradientCpu } from "../../../gpu/ops/upsample_convolve_cpu.ts";
import { openTfjs } from "../../../gpu/tfjs.ts";
import { random, relativeError } from "../arrays.ts";
import { valueAndGradients } from "../value_and_gradients.ts";

for (
  const { batch, height, width, inChannels, outChannels, slope } of [
    { batch: 2, height: 5, width: 7, inChannels: 8, outChannels: 8, slope: 1 },
    { batch: 3, height: 7, width: 9, inChannels: 3, outChannels: 17, slope: 0.2 },
    { batch: 1, height: 1, width: 1, inChannels: 5, outChannels: 1, slope: 0 },
    { batch: 1, height: 1, width: 12, inChannels: 17, outChannels: 12, slope: 0.2 },
  ]
) {
  const name = `${batch}×${height}×${width}, ${inChannels} → ${outChannels} channels, slope ${slope}`;
  Deno.test(`upsampleConvolve() and its gradients equal plain loops over the doubled map: ${name}`, async () => {
    const tf = await openTfjs();
    const x = random([batch, height, width, inChannels], 1);
    const w = random([3, 3, inChannels, outChannels], 2);
    const bias = random([outChannels], 3);
    const dy = random([batch, 2 * height, 2 * width, outChannels], 4);
    const options = { filter: w, bias, slope };
    const gradients = upsampleConvolveGradientCpu(dy, { x, ...options });
    const expected = [upsampleConvolveCpu(x, options), gradients.x, gradients.filter, gradients.bias];
    const op = (...[a, b, c]: Tensor[]): Tensor =>
      upsampleConvolve(tf, a as Tensor4D, { filter: b as Tensor4D, bias: c as Tensor1D, slope });
    const run = () => valueAndGradients(op, { inputs: [x, w, bias], dy });
    const got = await run();
    expected.forEach((reference, i) => assert.ok(relativeError(got[i]!, reference.data) < 3e-6, `result ${i}`));
    for (let again = 1; again < 10; again++) assert.deepEqual(await run(), got, "not bit-repeatable");
  });
}

Deno.test("upsampleConvolve() names shapes that do not fit", async () => {
  const tf = await openTfjs();
  const x = tf.zeros<Rank.R4>([1, 4, 4, 4]);
  for (const shape of [[1, 1, 4, 2], [3, 3, 5, 2]] as [number, number, number, number][]) {
    const filter = tf.zeros<Rank.R4>(shape);
    assert.throws(() => upsampleConvolve(tf, x, { filter }), /Cannot upsample and convolve \[1,4,4,4\] with filter \[/);
    filter.dispose();
  }
  x.dispose();
});
