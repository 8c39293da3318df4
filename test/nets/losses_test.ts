import assert from "node:assert/strict";
import { openTfjs } from "@ftim/gpu/tfjs";
import { weightedL1 } from "@ftim/gpu/ops/weighted-l1";
import { albedoLoss, identityLoss, symmetryLoss } from "../../nets/losses.ts";

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

Deno.test("symmetryLoss() draws the unseen texel only", async () => {
  const albedo = tf.variable(tf.tensor([0.2, 0.8], [1, 1, 2, 1]));
  const { grads } = tf.variableGrads(() =>
    symmetryLoss(tf, { albedo, flipped: tf.reverse(albedo, 2), unseen: tf.tensor([1, 0], [1, 1, 2, 1]) })
  );
  const gradient = await Object.values(grads)[0]!.data();
  assert.ok(gradient[0]! < -0.9);
  assert.equal(gradient[1], 0);
});
