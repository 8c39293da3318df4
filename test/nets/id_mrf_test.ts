import assert from "node:assert/strict";
import { openTfjs } from "@ftim/gpu/tfjs";
import { idMrf, idMrfLayer, type IdMrfOptions } from "../../nets/id_mrf.ts";
import { uniform } from "../../nets/random.ts";
// Made by test/golden/id_mrf.py.
import golden from "../golden/id_mrf.json" with { type: "json" };

const tf = await openTfjs();
type Shape = [number, number, number, number];

function features(seed: number, shape: Shape): Float32Array {
  const next = uniform(seed);
  return Float32Array.from({ length: shape.reduce((a, b) => a * b) }, () => Math.max(0, 2 * next() - 0.7));
}

interface Pair extends Omit<IdMrfOptions, "inside"> {
  shape: Shape;
  generated: ArrayLike<number>;
  target: ArrayLike<number>;
  inside?: ArrayLike<number>;
}

async function evaluate({ shape, generated, target, inside, ...rest }: Pair) {
  const options = inside === undefined ? rest : { ...rest, inside: Array.from(inside, (value) => value !== 0) };
  const other = tf.tensor4d(Float32Array.from(target), shape);
  const { value, grad } = tf.valueAndGrad((x) =>
    idMrfLayer(tf, { generated: x as typeof other, target: other }, options)
  )(
    tf.tensor4d(Float32Array.from(generated), shape),
  );
  return { loss: (await value.data())[0]!, gradient: await grad.data() as Float32Array };
}

for (const [name, { loss, gradient, ...rest }] of Object.entries(golden)) {
  for (const rows of [undefined, 6, 1]) {
    Deno.test(`loss and gradient are those of the definition: ${name}, ${rows ?? "all"} rows at once`, async () => {
      const found = await evaluate({ ...rest, shape: rest.shape as Shape, ...(rows === undefined ? {} : { rows }) });
      assert.ok(Math.abs(found.loss - loss) < 2e-5 * (1 + loss), `${found.loss} for ${loss}`);
      const largest = Math.max(...gradient.map(Math.abs));
      for (const [i, expected] of gradient.entries()) {
        assert.ok(
          Math.abs(found.gradient[i]! - expected) < 2e-3 * largest,
          `at ${i}: ${found.gradient[i]} for ${expected}`,
        );
      }
    });
  }
}

Deno.test("equal images have a loss of about 0, others between 0 and log N", async () => {
  const shape: Shape = [2, 6, 7, 8];
  const target = features(1, shape);
  assert.ok(Math.abs((await evaluate({ shape, generated: target, target })).loss) < 1e-3);
  for (const seed of [2, 3, 4]) {
    const { loss } = await evaluate({ shape, generated: features(seed, shape), target });
    assert.ok(loss > 0.1 && loss <= Math.log(42), `${loss}`);
  }
  const flat = await evaluate({
    shape,
    generated: new Float32Array(target.length),
    target: new Float32Array(target.length),
  });
  assert.ok(Math.abs(flat.loss - Math.log(42)) < 1e-4 && flat.gradient.every(Number.isFinite), `${flat.loss}`);
});

Deno.test("where the features lie does not matter, in which image they lie does", async () => {
  const shape: Shape = [1, 5, 5, 6];
  const [generated, target] = [features(5, shape), features(6, shape)];
  const permuted = (x: Float32Array) =>
    Float32Array.from(x, (_, i) => x[(Math.floor(i / 6) * 7 + 3) % 25 * 6 + i % 6]!);
  const { loss } = await evaluate({ shape, generated, target });
  for (const pair of [[permuted(generated), target], [generated, permuted(target)]] as const) {
    const found = (await evaluate({ shape, generated: pair[0], target: pair[1] })).loss;
    assert.ok(Math.abs(found - loss) < 1e-5, `${found} for ${loss}`);
  }
  assert.ok(Math.abs((await evaluate({ shape, generated: target, target: generated })).loss - loss) > 1e-3);
});

Deno.test("positions outside change nothing and get no gradient; none inside is a loss of 0", async () => {
  const shape: Shape = [1, 4, 5, 4];
  const [generated, target] = [features(7, shape), features(8, shape)];
  const inside = Float32Array.from({ length: 20 }, (_, i) => i % 3 === 0 ? 0 : 1);
  const other = (x: Float32Array) => x.map((value, i) => inside[Math.floor(i / 4)] === 0 ? 9 - value : value);
  const [a, b] = [
    await evaluate({ shape, generated, target, inside }),
    await evaluate({ shape, generated: other(generated), target: other(target), inside }),
  ];
  assert.equal(a.loss, b.loss);
  assert.deepEqual(a.gradient, b.gradient);
  assert.ok(a.gradient.every((value, i) => inside[Math.floor(i / 4)] !== 0 || value === 0));
  const none = await evaluate({ shape, generated, target, inside: new Float32Array(20) });
  assert.ok(none.loss === 0);
  assert.ok(none.gradient.every((value) => value === 0));
});

Deno.test("loss and gradient have the same bits in every run and for every block", async () => {
  const shape: Shape = [2, 13, 13, 16];
  const pair = { shape, generated: features(9, shape), target: features(10, shape) };
  const first = await evaluate(pair);
  assert.ok(first.gradient.every(Number.isFinite) && first.gradient.some((value) => value !== 0));
  assert.deepEqual(await evaluate(pair), first);
  assert.equal((await evaluate({ ...pair, rows: 40 })).loss, first.loss);
});

Deno.test("idMrf() adds layers by weight, lets no gradient through to the target and keeps no memory", async () => {
  const shape: Shape = [1, 5, 6, 4];
  const [a, b] = [11, 12].map((seed) => tf.tensor4d(features(seed, shape), shape)) as [Pixels, Pixels];
  const one = (await idMrfLayer(tf, { generated: a, target: b }).data())[0]!;
  const both = await idMrf(tf, [{ generated: a, target: b, weight: 1 }, { generated: a, target: b, weight: 2 }]).data();
  assert.ok(Math.abs(both[0]! - 3 * one) < 1e-5);
  const beside = (x: Pixels) => tf.add(idMrfLayer(tf, { generated: a, target: x }), tf.sum(x));
  const gradient = await tf.grad((x) => beside(x as Pixels))(b).data();
  assert.ok(gradient.every((value) => value === 1));
  const before = tf.memory().numTensors;
  tf.dispose(tf.valueAndGrad((x) => idMrfLayer(tf, { generated: x as Pixels, target: b }, { rows: 7 }))(a));
  assert.equal(tf.memory().numTensors, before);
  assert.throws(() => idMrfLayer(tf, { generated: a, target: tf.zeros([1, 5, 5, 4]) as Pixels }), RangeError);
  assert.throws(
    () => idMrfLayer(tf, { generated: a, target: b }, { inside: [true, false] }),
    /30 positions .* 2 values/,
  );
});

type Pixels = ReturnType<typeof tf.tensor4d>;
