import type { Tensor } from "@tensorflow/tfjs";
import assert from "node:assert/strict";
import { openGpu } from "../../gpu/device.ts";
import { meanDeviation, weightedL1 } from "../../gpu/ops/weighted_l1.ts";
import { openTfjs } from "../../gpu/tfjs.ts";
import { random } from "./reference.ts";

const SHAPES = [[1, 1, 1, 1], [1, 7, 9, 3], [3, 5, 6, 5], [3, 33, 41, 17], [2, 64, 64, 3]] as const;

/** Some zeros among them. */
function weights(count: number): Float32Array {
  return Float32Array.from({ length: count }, (_, i) => (i * 7 % 5) / 4);
}

for (const shape of SHAPES) {
  for (const shared of [false, true]) {
    Deno.test(`weightedL1() and its gradient equal plain loops: [${shape}]${shared ? ", one map of weights" : ""}`, async () => {
      const tf = await openTfjs();
      const [batch, height, width, channels] = shape;
      const [{ data: a }, { data: b }] = [random([...shape], 1), random([...shape], 2)];
      b[0] = a[0]!; // a difference of 0 has no direction
      const w = weights((shared ? 1 : batch) * height * width);
      const at = (i: number) => w[Math.floor(i / channels) % w.length]!;
      const total = channels * a.reduce((sum, _, i) => i % channels === 0 ? sum + at(i) : sum, 0) + 1e-6;
      const expected = a.reduce((sum, value, i) => sum + at(i) * Math.abs(value - b[i]!), 0) / total;

      const [x, y] = [tf.tensor(a, [...shape]), tf.tensor(b, [...shape])];
      const map = tf.tensor(w, [shared ? 1 : batch, height, width, 1]);
      const f = tf.valueAndGrad((v) => tf.mul(2, weightedL1(tf, v, { b: y, weight: map })));
      const { value, grad } = f(x) as { value: Tensor; grad: Tensor };
      assert.deepEqual(value.shape, []);
      assert.ok(Math.abs((await value.data())[0]! - 2 * expected) < 2e-6);
      const got = await grad.data();
      a.forEach((v, i) => {
        const want = 2 * at(i) * Math.sign(v - b[i]!) / total;
        assert.ok(Math.abs(got[i]! - want) < 1e-6 * Math.abs(want) + 1e-12, `${got[i]} for ${want}`);
      });
      for (let run = 0; run < 3; run++) {
        const again = f(x) as { value: Tensor; grad: Tensor };
        assert.deepEqual([await again.value.data(), await again.grad.data()], [await value.data(), got]);
      }
      await (await openGpu()).assertHealthy("weightedL1 test");
    });
  }

  Deno.test(`meanDeviation() and its gradient equal plain loops: [${shape}]`, async () => {
    const tf = await openTfjs();
    const [batch, height, width, channels] = shape;
    const { data: a } = random([...shape], 3);
    const size = height * width * channels;
    const w = weights(height * width).map((value) => value + 0.25);
    const total = batch * channels * w.reduce((sum, value) => sum + value, 0) + 1e-6;
    let expected = 0;
    const gradient = new Float64Array(a.length);
    for (let i = 0; i < size; i++) {
      const values = Array.from({ length: batch }, (_, n) => a[n * size + i]!);
      const mean = values.reduce((sum, value) => sum + value, 0) / batch;
      const signs = values.map((value) => batch === 1 ? 0 : Math.sign(value - mean));
      const weight = w[Math.floor(i / channels)]!;
      const drawn = signs.reduce((sum, sign) => sum + sign, 0) / batch;
      values.forEach((value, n) => {
        expected += weight * Math.abs(value - mean) / total;
        gradient[n * size + i] = weight * (signs[n]! - drawn) / total;
      });
    }
    const x = tf.tensor(a, [...shape]);
    const map = tf.tensor(w, [height, width, 1]);
    const { value, grad } = tf.valueAndGrad((v) => meanDeviation(tf, v, { weight: map }))(x) as Record<string, Tensor>;
    assert.ok(Math.abs((await value!.data())[0]! - expected) < 2e-6);
    const got = await grad!.data();
    gradient.forEach((want, i) => assert.ok(Math.abs(got[i]! - want) < 1e-6 * Math.abs(want) + 1e-10));
  });
}

Deno.test("both refuse weights that do not fit, and a loss without any weight is 0 with a finite gradient", async () => {
  const tf = await openTfjs();
  const x = tf.ones([2, 4, 4, 3]);
  assert.throws(() => weightedL1(tf, x, { b: tf.ones([2, 4, 4, 1]), weight: tf.ones([4, 4, 1]) }), /Cannot compare/);
  assert.throws(() => weightedL1(tf, x, { b: x, weight: tf.ones([2, 4, 4, 3]) }), /Cannot compare/);
  assert.throws(() => weightedL1(tf, x, { b: x, weight: tf.ones([5, 1]) }), /Cannot compare/);
  assert.throws(() => meanDeviation(tf, x, { weight: tf.ones([4, 5, 1]) }), /Cannot weight/);
  const { value, grad } = tf.valueAndGrad((v) =>
    weightedL1(tf, v, { b: tf.zerosLike(x), weight: tf.zeros([4, 4, 1]) })
  )(x);
  assert.equal((await value.data())[0], 0);
  assert.ok((await grad.data()).every((g) => g === 0));
});
