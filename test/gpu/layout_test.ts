// Operations that move or repeat elements, against plain loops over coordinates.

import type { Tensor } from "@tensorflow/tfjs";
import assert from "node:assert/strict";
import { openGpu } from "../../gpu/device.ts";
import { openTfjs } from "../../gpu/tfjs.ts";
import { random } from "./reference.ts";

/** The coordinates of every element of a shape, in order. */
function* places(shape: readonly number[]): Generator<number[]> {
  const count = shape.reduce((product, length) => product * length, 1);
  for (let i = 0; i < count; i++) {
    let rest = i;
    yield shape.toReversed().map((length) => {
      const at = rest % length;
      rest = Math.floor(rest / length);
      return at;
    }).reverse();
  }
}

/** The element of a tensor at coordinates, those of missing leading axes and of axes of length 1 left out. */
function element({ data, shape }: { data: Float32Array; shape: readonly number[] }, at: readonly number[]): number {
  const own = at.slice(at.length - shape.length);
  return data[shape.reduce((index, length, axis) => index * length + (length === 1 ? 0 : own[axis]!), 0)]!;
}

async function read(...tensors: Tensor[]): Promise<Float32Array[]> {
  const values = await Promise.all(tensors.map((tensor) => tensor.data<"float32">()));
  for (const tensor of tensors) tensor.dispose();
  await (await openGpu()).assertHealthy("layout test");
  return values;
}

for (
  const [image, values] of [
    [[3, 32, 32, 3], [3, 32, 32, 1]], // a value a pixel
    [[2, 40, 40, 5], [40, 40, 1]], // of one image for all
    [[2, 40, 40, 3], [1, 1, 1, 1]],
    [[2, 32, 36, 3], [1, 32, 36, 3]], // an image for all
    [[2, 48, 48, 1], [48, 48, 1]],
    [[1, 50, 30, 3], [1, 50, 30, 3]], // one each
    [[3, 31, 33, 3], [3, 31, 33, 1]], // not by fours
    [[2, 64, 64, 2], [2, 64, 64, 1]], // four elements in more than two pixels
    [[2, 36, 40, 3], [2, 1, 40, 3]], // repeated inside, which is none of ours
  ] as const
) {
  Deno.test(`arithmetic of [${image}] with [${values}] equals plain loops to the bit, in either order`, async () => {
    const tf = await openTfjs();
    const [a, b] = [random([...image], 1), random([...values], 2)];
    const [x, y] = [tf.tensor(a.data, a.shape), tf.tensor(b.data, b.shape)];
    const operations: [(a: Tensor, b: Tensor) => Tensor, (a: number, b: number) => number][] = [
      [tf.add, (a, b) => a + b],
      [tf.sub, (a, b) => a - b],
      [tf.mul, (a, b) => a * b],
      [tf.maximum, Math.max],
    ];
    for (const [op, scalar] of operations) {
      const [forward, backward] = await read(op(x, y), op(y, x));
      const pairs = [...places(a.shape)].map((at) => [element(a, at), element(b, at)] as const);
      assert.deepEqual(forward, Float32Array.from(pairs, ([p, q]) => scalar(p, q)));
      assert.deepEqual(backward, Float32Array.from(pairs, ([p, q]) => scalar(q, p)));
    }
    tf.dispose([x, y]);
  });
}

for (
  const [shapes, axis] of [
    [[[2, 30, 30, 3], [2, 30, 30, 1], [2, 30, 30, 4]], 3], // eight in a row
    [[[2, 30, 30, 3], [2, 30, 30, 2]], 3], // five
    [[[2, 30, 30, 8], [2, 30, 30, 4]], 3], // blocks
    [[[1, 40, 40, 3], [2, 40, 40, 3], [1, 40, 40, 3]], 0],
    [[[1, 31, 33, 3], [2, 31, 33, 3]], 0], // no whole fours
    [[[2, 20, 40, 3], [2, 0, 40, 3], [2, 21, 40, 3]], 1], // one is empty
    [Array.from({ length: 11 }, () => [40, 40, 4]), 2], // more than one program binds
  ] as [number[][], number][]
) {
  Deno.test(`concat() along axis ${axis} puts [${shapes.join("] [")}] side by side`, async () => {
    const tf = await openTfjs();
    const parts = shapes.map((shape, i) => random(shape, i + 1));
    const tensors = parts.map(({ data, shape }) => tf.tensor(data, shape));
    const whole = tf.concat(tensors, axis);
    const shape = shapes[0]!.with(axis, shapes.reduce((sum, own) => sum + own[axis]!, 0));
    assert.deepEqual(whole.shape, shape);
    const expected = Float32Array.from(places(shape), (at) => {
      let own = at[axis]!;
      const part = parts.find((candidate) => {
        if (own < candidate.shape[axis]!) return true;
        own -= candidate.shape[axis]!;
        return false;
      })!;
      // Coordinates of one's own axes, also where they are of length 1.
      return part.data[part.shape.reduce((index, length, k) => index * length + (k === axis ? own : at[k]!), 0)]!;
    });
    assert.deepEqual((await read(whole))[0], expected);
    tf.dispose(tensors);
  });
}

for (
  const [shape, axes] of [
    [[3, 32, 32, 3], [2]],
    [[2, 40, 40, 1], [2]],
    [[2, 40, 60, 3], [-1]],
    [[3, 40, 36], [0]], // more inside than ours takes
    [[2, 40, 40, 3], [1, 2]],
  ] as const
) {
  Deno.test(`reverse() of [${shape}] along ${axes} moves every element`, async () => {
    const tf = await openTfjs();
    const x = random([...shape], 1);
    const tensor = tf.tensor(x.data, x.shape);
    const [got] = await read(tf.reverse(tensor, [...axes]));
    const turned = axes.map((axis) => axis < 0 ? axis + shape.length : axis);
    const expected = Float32Array.from(
      places(shape),
      (at) => element(x, at.map((place, axis) => turned.includes(axis) ? shape[axis]! - 1 - place : place)),
    );
    assert.deepEqual(got, expected);
    tensor.dispose();
  });
}

for (
  const [shape, paddings] of [
    [[1, 40, 40, 3], [[1, 1], [0, 0], [0, 0], [0, 0]]],
    [[2, 40, 40, 3], [[0, 0], [0, 3], [0, 0], [0, 0]]],
    [[2, 31, 33, 4], [[0, 0], [0, 0], [2, 1], [0, 0]]],
    [[2, 31, 33, 3], [[0, 0], [0, 0], [2, 1], [0, 0]]], // no whole fours
    [[2, 40, 40, 4], [[0, 0], [1, 2], [3, 0], [0, 0]]], // two axes
  ] as [number[], [number, number][]][]
) {
  Deno.test(`pad() of [${shape}] by [${paddings.join("] [")}] is the tensor within one value`, async () => {
    const tf = await openTfjs();
    const x = random(shape, 1);
    const tensor = tf.tensor(x.data, shape);
    const padded = tf.pad(tensor, paddings, 0.25);
    const whole = shape.map((length, axis) => length + paddings[axis]![0] + paddings[axis]![1]);
    assert.deepEqual(padded.shape, whole);
    const expected = Float32Array.from(places(whole), (at) => {
      const own = at.map((place, axis) => place - paddings[axis]![0]);
      if (own.some((place, axis) => place < 0 || place >= shape[axis]!)) return 0.25;
      return x.data[shape.reduce((index, length, axis) => index * length + own[axis]!, 0)]!;
    });
    assert.deepEqual((await read(padded))[0], expected);
    tensor.dispose();
  });
}
