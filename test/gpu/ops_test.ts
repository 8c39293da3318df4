import type { Rank, Tensor, Tensor1D, Tensor4D } from "@tensorflow/tfjs";
import assert from "node:assert/strict";
import { openGpu } from "../../gpu/device.ts";
import { adamStep, createAdam, disposeAdam } from "../../gpu/ops/adam.ts";
import { normalize } from "../../gpu/ops/normalize.ts";
import { openTfjs, type Tfjs } from "../../gpu/tfjs.ts";
import { type Dense, inner, random, relativeError } from "./reference.ts";

const tensor4d = (tf: Tfjs, { data, shape }: Dense) => tf.tensor4d(data, shape as [number, number, number, number]);

async function read(tensors: Tensor[]): Promise<Float32Array[]> {
  const values = await Promise.all(tensors.map((tensor) => tensor.data<"float32">()));
  for (const tensor of tensors) tensor.dispose();
  await (await openGpu()).assertHealthy("ops test");
  return values;
}

/** normalize in float64 loops. */
function normalizeReference(
  x: Dense,
  { gamma, beta, groups, slope }: { gamma: Dense; beta: Dense; groups: number; slope: number },
): Float64Array {
  const [batch = 0, height = 0, width = 0, channels = 0] = x.shape;
  const per = channels / groups;
  const y = new Float64Array(x.data.length);
  for (let b = 0; b < batch; b++) {
    for (let g = 0; g < groups; g++) {
      const places: number[] = [];
      for (let p = 0; p < height * width; p++) {
        for (let c = g * per; c < (g + 1) * per; c++) places.push((b * height * width + p) * channels + c);
      }
      const at = (i: number) => x.data[i] ?? NaN;
      const mean = places.reduce((sum, i) => sum + at(i), 0) / places.length;
      const variance = places.reduce((sum, i) => sum + (at(i) - mean) ** 2, 0) / places.length;
      for (const i of places) {
        const z = (at(i) - mean) / Math.sqrt(variance + 1e-5) * (gamma.data[i % channels] ?? NaN) +
          (beta.data[i % channels] ?? NaN);
        y[i] = z > 0 ? z : z * slope;
      }
    }
  }
  return y;
}

for (
  const { shape, groups, slope, offset } of [
    { shape: [1, 7, 9, 8], groups: 8, slope: 0.2, offset: 0 },
    { shape: [3, 16, 16, 4], groups: 4, slope: 1, offset: 0 },
    { shape: [2, 5, 3, 6], groups: 2, slope: 0.1, offset: 0 },
    { shape: [3, 7, 9, 17], groups: 17, slope: 0, offset: 0 },
    { shape: [1, 64, 48, 12], groups: 3, slope: 1, offset: 100 },
  ]
) {
  Deno.test(`normalize() equals plain loops and its gradient finite differences: [${shape}] in ${groups} groups, slope ${slope}`, async () => {
    const tf = await openTfjs();
    const channels = shape[3] ?? 0;
    const x = random(shape, 5);
    x.data.forEach((value, i) => x.data[i] = value + offset);
    const gamma = random([channels], 6);
    const beta = random([channels], 7);
    const dy = random(shape, 8);
    const runs = async () => {
      const inputs: [Tensor4D, Tensor1D, Tensor1D] = [tensor4d(tf, x), tf.tensor1d(gamma.data), tf.tensor1d(beta.data)];
      const upstream = tensor4d(tf, dy);
      const f = (a: Tensor, b: Tensor, c: Tensor) =>
        normalize(tf, a as Tensor4D, { gamma: b as Tensor1D, beta: c as Tensor1D, groups, slope });
      const before = tf.memory().numTensors;
      const value = f(...inputs);
      const grads = tf.grads(f as (...args: Tensor[]) => Tensor)(inputs, upstream);
      assert.equal(tf.memory().numTensors, before + 4, "tensors leak");
      const results = await read([value, ...grads]);
      tf.dispose([inputs, upstream]);
      return results;
    };
    const [value = new Float32Array(), ...grads] = await runs();
    const reference = (at: { x?: Dense; gamma?: Dense; beta?: Dense }) =>
      normalizeReference(at.x ?? x, { gamma, beta, ...at, groups, slope });
    assert.ok(
      relativeError(value, reference({})) < (offset === 0 ? 2e-6 : 1e-4),
      `value ${relativeError(value, reference({}))}`,
    );
    for (
      const [name, base, grad] of [["x", x, grads[0]], ["gamma", gamma, grads[1]], ["beta", beta, grads[2]]] as const
    ) {
      // Directional derivative of ⟨y, dy⟩ in float64. The direction is small, so that few values cross the activation's corner.
      const direction = random(base.shape, 9);
      const shifted = (sign: number) => {
        const data = base.data.map((v) => v) as unknown as number[];
        const moved = {
          shape: base.shape,
          data: Float64Array.from(data, (v, i) => v + sign * 1e-6 * (direction.data[i] ?? 0)),
        };
        return inner(reference({ [name]: moved as unknown as Dense }), dy.data);
      };
      const expected = (shifted(1) - shifted(-1)) / 2e-6;
      const got = inner(grad ?? [], direction.data);
      const scale = Math.sqrt(inner(grad ?? [], grad ?? []) * inner(direction.data, direction.data));
      assert.ok(Math.abs(got - expected) < 2e-5 * scale + 1e-5, `${name}: ${got} is not ${expected}`);
    }
    assert.deepEqual(await runs(), [value, ...grads], "not bit-repeatable");
  });
}

Deno.test("normalize() refuses groups that do not divide the channels", async () => {
  const tf = await openTfjs();
  const x = tf.zeros<Rank.R4>([1, 2, 2, 6]);
  const one = tf.ones<Rank.R1>([6]);
  assert.throws(() => normalize(tf, x, { gamma: one, beta: one, groups: 4 }), RangeError);
  tf.dispose([x, one]);
});

Deno.test("adamStep() equals algorithm 1 in float64, resumes exactly and keeps the number of tensors", async () => {
  const tf = await openTfjs();
  const start = random([5, 7], 1);
  const slopes = random([5, 7], 2);
  const train = async (steps: number, { stopAt = -1 } = {}) => {
    const variable = tf.variable(tf.tensor(start.data, [5, 7]), true);
    let state = createAdam();
    let tensors = 0;
    for (let step = 0; step < steps; step++) {
      const gradient = tf.tidy(() => variable.mul(tf.tensor(slopes.data, [5, 7])));
      adamStep(tf, state, {
        variables: [variable],
        gradients: { [variable.name]: gradient },
        learningRate: 0.01,
        weightDecay: 0.1,
      });
      gradient.dispose();
      if (step === 1) tensors = tf.memory().numTensors;
      if (step === stopAt) {
        const saved = await Promise.all([state.first, state.second].map((map) => map.get(variable.name)?.data()));
        const resumed = { ...createAdam(), step: state.step };
        [resumed.first, resumed.second].forEach((map, i) =>
          map.set(variable.name, tf.keep(tf.tensor(saved[i] ?? [], [5, 7])))
        );
        disposeAdam(state);
        state = resumed;
      }
    }
    assert.equal(tf.memory().numTensors, tensors);
    disposeAdam(state);
    return (await read([variable]))[0] ?? new Float32Array();
  };
  const got = await train(20);
  const expected = Float64Array.from(start.data);
  const [m, v] = [new Float64Array(35), new Float64Array(35)];
  for (let step = 1; step <= 20; step++) {
    for (let i = 0; i < 35; i++) {
      const gradient = (expected[i] ?? 0) * (slopes.data[i] ?? 0);
      m[i] = 0.9 * (m[i] ?? 0) + 0.1 * gradient;
      v[i] = 0.999 * (v[i] ?? 0) + 0.001 * gradient ** 2;
      const move = (m[i] ?? 0) / (1 - 0.9 ** step) / (Math.sqrt((v[i] ?? 0) / (1 - 0.999 ** step)) + 1e-8);
      expected[i] = (expected[i] ?? 0) * (1 - 0.01 * 0.1) - 0.01 * move;
    }
  }
  assert.ok(relativeError(got, expected) < 1e-5, `${relativeError(got, expected)}`);
  assert.deepEqual(await train(20), got, "not bit-repeatable");
  assert.deepEqual(await train(20, { stopAt: 8 }), got, "a resumed run differs");
});

Deno.test("tf.sum() over leading axes equals plain loops and repeats bit for bit", async () => {
  const tf = await openTfjs();
  for (
    const [shape, axes, keep] of [[[3, 37, 5, 17], [0, 1, 2], false], [[200, 8], [0], true], [
      [2, 300, 12],
      [0, 1],
      false,
    ]] as const
  ) {
    const x = random([...shape], 4);
    const columns = shape[shape.length - 1] ?? 1;
    const expected = new Float64Array(columns);
    x.data.forEach((value, i) => expected[i % columns] = (expected[i % columns] ?? 0) + value);
    const once = () => tf.tidy(() => tf.sum(tf.tensor(x.data, [...shape]), [...axes], keep));
    const first = once();
    assert.deepEqual(first.shape, keep ? [1, columns] : [columns]);
    const [got = new Float32Array(), again] = await read([first, once()]);
    assert.ok(relativeError(got, expected) < 1e-5);
    assert.deepEqual(again, got);
  }
});

Deno.test("arithmetic of an image with one value per channel equals plain loops, in either order", async () => {
  const tf = await openTfjs();
  const image = random([3, 9, 7, 24], 1);
  const channels = random([24], 2);
  channels.data.forEach((value, i) => channels.data[i] = value + Math.sign(value));
  const x = tensor4d(tf, image);
  const per = tf.tensor1d(channels.data);
  const cases: [(a: Tensor, b: Tensor) => Tensor, (a: number, b: number) => number][] = [
    [tf.add, (a, b) => a + b],
    [tf.sub, (a, b) => a - b],
    [tf.mul, (a, b) => a * b],
    [tf.div, (a, b) => a / b],
    [tf.maximum, Math.max],
    [tf.minimum, Math.min],
  ];
  for (const [op, scalar] of cases) {
    const [forward = new Float32Array(), backward = new Float32Array()] = await read([
      op(x, per),
      op(per.reshape([1, 1, 24]), x),
    ]);
    const value = (i: number) => image.data[i] ?? NaN;
    const other = (i: number) => channels.data[i % 24] ?? NaN;
    assert.ok(relativeError(forward, image.data.map((_, i) => scalar(value(i), other(i)))) < 1e-6);
    assert.ok(relativeError(backward, image.data.map((_, i) => scalar(other(i), value(i)))) < 1e-6);
  }
  tf.dispose([x, per]);
});

Deno.test("the gradient of minimum(maximum(x, low), high) passes where x is inside", async () => {
  const tf = await openTfjs();
  for (const shape of [[2, 3, 5, 4], [7, 9]]) {
    const [x, dy] = [random(shape, 1), random(shape, 2)];
    const clip = (a: Tensor) => tf.minimum(tf.maximum(a, -0.25), 0.125);
    const gradient = tf.tidy(() => tf.grad(clip)(tf.tensor(x.data, shape), tf.tensor(dy.data, shape)));
    const [got] = await read([gradient]);
    assert.deepEqual(
      got,
      dy.data.map((value, i) => (x.data[i] ?? NaN) >= -0.25 && (x.data[i] ?? NaN) <= 0.125 ? value : 0),
    );
  }
  // Two images: tfjs's own gradient.
  const pair = tf.tidy(() =>
    tf.grads((a: Tensor, b: Tensor) => tf.maximum(a, b))(
      [tf.tensor1d([1, 2]), tf.tensor1d([2, 1])],
      tf.tensor1d([3, 4]),
    )
  );
  assert.deepEqual((await read(pair)).map((data) => [...data]), [[0, 4], [3, 0]]);
});

for (
  const { shape, begin, size } of [
    { shape: [3, 64, 64, 3], begin: [1, 0, 0, 0], size: [1, 64, 64, 3] },
    { shape: [2, 41, 37, 5], begin: [0, 3, 0, 0], size: [2, 30, 37, 5] },
    { shape: [2, 40, 36, 12], begin: [0, 0, 0, 4], size: [2, 40, 36, 8] },
    { shape: [2, 40, 36, 5], begin: [0, 0, 0, 2], size: [2, 40, 36, 3] },
    { shape: [3, 70, 70], begin: [1, 2, 0], size: [2, -1, 70] },
  ]
) {
  Deno.test(`slice() copies exactly and its gradient is the adjoint: [${size}] from [${begin}] of [${shape}]`, async () => {
    const tf = await openTfjs();
    const x = random(shape, 1);
    const tensor = tf.tensor(x.data, shape);
    const lengths = size.map((length, axis) => length < 0 ? shape[axis]! - begin[axis]! : length);
    const dy = random(lengths, 2);
    const upstream = tf.tensor(dy.data, lengths);
    const y = tf.slice(tensor, begin, size);
    const dx = tf.grad((x: Tensor) => tf.mul(tf.slice(x, begin, size), upstream))(tensor);
    assert.deepEqual(y.shape, lengths);
    const [got = new Float32Array(), gradient = new Float32Array()] = await read([y, dx]);
    const expected = new Float32Array(got.length);
    for (let i = 0; i < expected.length; i++) {
      let [rest, from, stride] = [i, 0, 1];
      for (let axis = shape.length - 1; axis >= 0; axis--) {
        from += (begin[axis]! + rest % lengths[axis]!) * stride;
        rest = Math.floor(rest / lengths[axis]!);
        stride *= shape[axis]!;
      }
      expected[i] = x.data[from]!;
    }
    assert.deepEqual(got, expected);
    const [along, back] = [inner(got, dy.data), inner(gradient, x.data)];
    assert.ok(Math.abs(along - back) < 1e-4 * Math.abs(along) + 1e-4);
    tf.dispose([tensor, upstream]);
  });
}

Deno.test("split() gives the slices, and the gradient of concat() with it", async () => {
  const tf = await openTfjs();
  const x = random([2, 30, 40, 7], 1);
  const tensor = tensor4d(tf, x);
  const parts = tf.split(tensor, [3, 4], 3);
  const [first = new Float32Array(), second = new Float32Array()] = await read(parts);
  for (let i = 0; i < 2 * 30 * 40; i++) {
    for (let c = 0; c < 7; c++) assert.equal(c < 3 ? first[3 * i + c] : second[4 * i + c - 3], x.data[7 * i + c]);
  }
  const [a, b] = [tf.ones<Rank.R4>([1, 30, 40, 7]), tf.zeros<Rank.R4>([1, 30, 40, 7])];
  const [da, db] = tf.grads((a: Tensor, b: Tensor) => tf.mul(tf.concat([a, b]), tensor))([a, b]) as [Tensor, Tensor];
  assert.deepEqual(await read([da, db]), [x.data.subarray(0, 8400), x.data.subarray(8400)].map((d) => d.slice()));
  tf.dispose([tensor, a, b]);
});
