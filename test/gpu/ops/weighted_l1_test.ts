import type { Tensor } from "@tensorflow/tfjs";
import assert from "node:assert/strict";
import { openGpu } from "../../../gpu/device.ts";
import { meanDeviation, weightedL1 } from "../../../gpu/ops/weighted_l1.ts";
import { meanDeviationCpu, weightedL1Cpu } from "../../../gpu/ops/weighted_l1_cpu.ts";
import { openTfjs } from "../../../gpu/tfjs.ts";
import { random } from "../arrays.ts";

const SHAPES = [[1, 1, 1, 1], [1, 7, 9, 3], [3, 5, 6, 5], [3, 33, 41, 17], [2, 64, 64, 3]] as const;

/** Some zeros among them. */
function weights(count: number): Float32Array {
  return Float32Array.from({ length: count }, (_, i) => (i * 7 % 5) / 4);
}

for (const shape of SHAPES) {
  for (const shared of [false, true]) {
    Deno.test(`weightedL1() and its gradient equal plain loops: [${shape}]${shared ? ", one map" : ""}`, async () => {
      const tf = await openTfjs();
      const [batch, height, width] = shape;
      const [{ data: a }, { data: b }] = [random([...shape], 1), random([...shape], 2)];
      b[0] = a[0]!; // a difference of 0 has no direction
      const w = weights((shared ? 1 : batch) * height * width);
      const map = { shape: [shared ? 1 : batch, height, width, 1], data: w };
      const expected = weightedL1Cpu({ shape, data: a }, { b: { shape, data: b }, weight: map });

      const [x, y] = [tf.tensor(a, [...shape]), tf.tensor(b, [...shape])];
      const weight = tf.tensor(w, map.shape);
      const f = tf.valueAndGrad((v) => tf.mul(2, weightedL1(tf, v, { b: y, weight })));
      const { value, grad } = f(x) as { value: Tensor; grad: Tensor };
      assert.deepEqual(value.shape, []);
      assert.ok(Math.abs((await value.data())[0]! - 2 * expected.value) < 2e-6);
      const got = await grad.data();
      expected.gradient.data.forEach((half, i) => {
        const want = 2 * half;
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
    const [, height, width] = shape;
    const { data: a } = random([...shape], 3);
    const w = weights(height * width).map((value) => value + 0.25);
    const weight = { shape: [height, width, 1], data: w };
    const expected = meanDeviationCpu({ shape, data: a }, { weight });
    const x = tf.tensor(a, [...shape]);
    const map = tf.tensor(w, [height, width, 1]);
    const { value, grad } = tf.valueAndGrad((v) => meanDeviation(tf, v, { weight: map }))(x) as Record<string, Tensor>;
    assert.ok(Math.abs((await value!.data())[0]! - expected.value) < 2e-6);
    const got = await grad!.data();
    expected.gradient.data.forEach((want, i) => assert.ok(Math.abs(got[i]! - want) < 1e-6 * Math.abs(want) + 1e-10));
  });
}

Deno.test("both refuse weights that do not fit, and a loss without any weight is 0, its gradient too", async () => {
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
