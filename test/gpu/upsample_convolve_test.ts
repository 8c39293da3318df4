import type { Rank, Tensor, Tensor1D, Tensor4D } from "@tensorflow/tfjs";
import assert from "node:assert/strict";
import { upsampleConvolve } from "../../gpu/ops/upsample_convolve.ts";
import { openTfjs } from "../../gpu/tfjs.ts";
import { random, relativeError, walk } from "./reference.ts";
import { valueAndGradients } from "./value_and_gradients.ts";

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
    const fine = { batch, height: 2 * height, width: 2 * width, inChannels, outChannels };
    const { visit } = walk({ ...fine, kernel: [3, 3], stride: 1, dilation: 1, pad: "same" });
    const x = random([batch, height, width, inChannels], 1);
    const w = random([3, 3, inChannels, outChannels], 2);
    const bias = random([outChannels], 3);
    const dy = random([batch, fine.height, fine.width, outChannels], 4);
    /** The texel of x that one of the doubled map repeats. */
    const source = (i: number) => {
      const [channel, pixel] = [i % inChannels, Math.floor(i / inChannels)];
      const [column, row] = [pixel % fine.width, Math.floor(pixel / fine.width)];
      return ((row >> 1) * width + (column >> 1)) * inChannels + channel;
    };
    const y = new Float64Array(dy.data.length).map((_, i) => bias.data[i % outChannels]!);
    visit((o, i, f) => y[o] = y[o]! + x.data[source(i)]! * w.data[f]!);
    const dz = dy.data.map((value, i) => y[i]! > 0 ? value : value * slope);
    const [dx, dw] = [new Float64Array(x.data.length), new Float64Array(w.data.length)];
    const db = new Float64Array(outChannels);
    dz.forEach((value, o) => db[o % outChannels] = db[o % outChannels]! + value);
    visit((o, i, f) => {
      dx[source(i)] = dx[source(i)]! + dz[o]! * w.data[f]!;
      dw[f] = dw[f]! + dz[o]! * x.data[source(i)]!;
    });
    const op = (...[a, b, c]: Tensor[]): Tensor =>
      upsampleConvolve(tf, a as Tensor4D, { filter: b as Tensor4D, bias: c as Tensor1D, slope });
    const run = () => valueAndGradients(op, { inputs: [x, w, bias], dy });
    const got = await run();
    const expected = [y.map((v) => v > 0 ? v : v * slope), dx, dw, db];
    expected.forEach((reference, i) => assert.ok(relativeError(got[i]!, reference) < 3e-6, `result ${i}`));
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
