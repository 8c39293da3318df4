import assert from "node:assert/strict";
import type * as tfjs from "@tensorflow/tfjs";
import { openTfjs } from "@ftim/gpu/tfjs";
import { weightedL1 } from "@ftim/gpu/ops/weighted-l1";
import { albedoLoss, identityLoss, symmetryLoss } from "../../nets/losses.ts";
import { uniform } from "../../nets/random.ts";
import { near } from "./inputs.ts";

const tf = await openTfjs();

async function scalar(value: { data(): Promise<ArrayLike<number>> }): Promise<number> {
  return (await value.data())[0]!;
}

Deno.test("weightedL1() is the mean over weighted pixels and channels", async () => {
  const a = tf.tensor([1, 2, 3, 4, 5, 6], [2, 3]);
  const b = tf.tensor([0, 2, 3, 4, 9, 6], [2, 3]);
  const only = (w: number[]) => scalar(weightedL1(tf, a, { b, weight: tf.tensor(w, [2, 1]) }));
  assert.ok(Math.abs(await only([1, 0]) - 1 / 3) < 1e-5);
  assert.ok(Math.abs(await only([1, 1]) - 5 / 6) < 1e-5);
  assert.equal(await only([0, 0]), 0);
});

Deno.test("identityLoss() is 0 for parallel, 1 for orthogonal and 2 for opposite embeddings", async () => {
  const a = tf.tensor2d([[1, 0], [0, 3]]);
  for (const [b, expected] of [[[[2, 0], [0, 1]], 0], [[[0, 1], [5, 0]], 1], [[[-1, 0], [0, -2]], 2]] as const) {
    assert.ok(Math.abs(await scalar(identityLoss(tf, a, tf.tensor2d(b as unknown as number[][]))) - expected) < 1e-5);
  }
});

Deno.test("albedoLoss() is 0 when the three albedos agree, and grows with their spread inside the chart", async () => {
  const chart = tf.tensor3d([1, 0, 0, 1], [2, 2, 1]);
  const same = tf.ones([3, 2, 2, 3]) as ReturnType<typeof tf.tensor4d>;
  assert.equal(await scalar(albedoLoss(tf, same, chart)), 0);
  const shift = tf.tensor4d([0, 0.3, 0.6].flatMap((v) => Array(12).fill(v)), [3, 2, 2, 3]);
  assert.ok(Math.abs(await scalar(albedoLoss(tf, shift, chart)) - 0.2) < 1e-6);
});

Deno.test("symmetryLoss() draws unseen texels only, or where it was seen a texel and its mirror image", async () => {
  const [batch, side, channels] = [2, 4, 3];
  const random = uniform(3);
  const draw = (length: number) => Float32Array.from({ length }, () => random());
  const [values, visibility] = [draw(batch * side * side * channels), draw(batch * side * side)];
  const chart = Float32Array.from({ length: side * side }, (_, i) => i < side ? 0 : 1);
  // Value and gradient by a loop over pairs of mirror images.
  const expected = (mask: "seen" | "unseen") => {
    const weightOf = (p: number) => (mask === "seen" ? visibility[p]! : 1 - visibility[p]!) * chart[p % (side * side)]!;
    const pixels = Array.from(visibility, (_, p) => p);
    const total = channels * pixels.reduce((sum, p) => sum + weightOf(p), 0);
    const gradient = new Float64Array(values.length);
    let loss = 0;
    for (const p of pixels) {
      const mirror = p - p % side + side - 1 - p % side;
      for (let c = 0; c < channels; c++) {
        const difference = values[channels * p + c]! - values[channels * mirror + c]!;
        const pull = weightOf(p) * Math.sign(difference) / total;
        loss += weightOf(p) * Math.abs(difference) / total;
        gradient[channels * p + c]! += pull;
        if (mask === "seen") gradient[channels * mirror + c]! -= pull;
      }
    }
    return { loss, gradient };
  };
  const albedo = tf.variable(tf.tensor4d(values, [batch, side, side, channels]));
  for (const mask of ["seen", "unseen"] as const) {
    const { value, grads } = tf.variableGrads(() =>
      symmetryLoss(tf, albedo as tfjs.Tensor4D, {
        visibility: tf.tensor4d(visibility, [batch, side, side, 1]),
        chart: tf.tensor3d(chart, [side, side, 1]),
        mask,
      })
    );
    const { loss, gradient } = expected(mask);
    assert.ok(Math.abs(await scalar(value) - loss) < 1e-5, mask);
    near(await Object.values(grads)[0]!.data(), gradient, 1e-5);
  }
});
