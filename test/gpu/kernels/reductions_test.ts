import type { Tensor } from "@tensorflow/tfjs";
import assert from "node:assert/strict";
import { webgpuBackend } from "../../../gpu/backend.ts";
import { openGpu } from "../../../gpu/device.ts";
import { columnSum } from "../../../gpu/kernels/column_sum.ts";
import { columnSumCpu } from "../../../gpu/kernels/column_sum_cpu.ts";
import { reduceCpu } from "../../../gpu/kernels/reductions_cpu.ts";
import { rowSum } from "../../../gpu/kernels/row_sum.ts";
import { rowSumCpu } from "../../../gpu/kernels/row_sum_cpu.ts";
import { openTfjs } from "../../../gpu/tfjs.ts";
import { random, relativeError } from "../arrays.ts";

const CASES: { shape: number[]; axes: number[] }[] = [
  { shape: [3, 64, 65, 3], axes: [0, 1, 2, 3] },
  { shape: [100_003], axes: [0] },
  { shape: [7, 9, 700], axes: [2] },
  { shape: [3, 40, 50, 5], axes: [1, 2, 3] },
  { shape: [5000, 1], axes: [1] },
  { shape: [1, 4100, 17], axes: [0, 1] },
  { shape: [3, 40, 50, 3], axes: [0] },
  { shape: [2, 60, 4, 12], axes: [0, 1] },
  { shape: [30, 40, 5, 3], axes: [1] },
  { shape: [3, 5], axes: [0, 1] },
];

for (const { shape, axes } of CASES) {
  Deno.test(`sum() and mean() of [${shape}] over [${axes}] equal plain loops, ten times the same bits`, async () => {
    const tf = await openTfjs();
    const { data } = random(shape, 4);
    const values = data.map((value) => value + 0.25);
    const x = tf.tensor(values, shape);
    for (const keepDims of [true, false]) {
      const results = tf.tidy(() => [tf.sum(x, axes, keepDims), tf.mean(x, axes, keepDims)]) as [Tensor, Tensor];
      for (const [i, result] of results.entries()) {
        const expected = reduceCpu(i === 0 ? "Sum" : "Mean", { shape, data: values }, { axis: axes, keepDims });
        assert.deepEqual(result.shape, expected.shape);
        const got = await result.data();
        expected.data.forEach((want, k) =>
          assert.ok(Math.abs(got[k]! - want) < 2e-6 * (1 + Math.abs(want)), `${got[k]} for ${want}`)
        );
      }
      tf.dispose(results);
    }
    const bits = async () => {
      const sum = tf.sum(x, axes);
      const read = await sum.data();
      sum.dispose();
      return read;
    };
    const first = await bits();
    for (let run = 1; run < 10; run++) assert.deepEqual(await bits(), first);
    x.dispose();
    await (await openGpu()).assertHealthy("reductions test");
  });
}

for (
  const [rows, columns] of [[1, 1], [37, 17], [5, 64], [700, 12], [3, 5000], [20_000, 3]] as const
) {
  Deno.test(`rowSum() and columnSum() of ${rows}×${columns} equal plain loops, scaled and through a relu`, async () => {
    const tf = await openTfjs();
    const backend = webgpuBackend(tf);
    const [x, value] = [random([rows, columns], 1), random([rows, columns], 2)];
    // Of one sign, so that a sum's error can be compared with the sum.
    x.data.forEach((v, i) => x.data[i] = v + 0.75);
    const [given, result] = [tf.tensor2d(x.data, [rows, columns]), tf.tensor2d(value.data, [rows, columns])];
    const shared = { rows, columns, scale: 0.3 };
    for (const software of [true, false]) {
      const sums = [
        rowSum(backend, given, { ...shared, shape: [rows], software }),
        columnSum(backend, given, { ...shared, shape: [columns], software }),
        columnSum(backend, given, { ...shared, shape: [columns], software, through: { value: result, slope: 0.2 } }),
      ].map((info) => tf.engine().makeTensorFromTensorInfo(info));
      const expected = [
        rowSumCpu(x, { ...shared, shape: [rows] }),
        columnSumCpu(x, { ...shared, shape: [columns] }),
        columnSumCpu(x, { ...shared, shape: [columns], through: { value, slope: 0.2 } }),
      ];
      for (const [i, sum] of sums.entries()) {
        const error = relativeError(await sum.data<"float32">(), expected[i]!.data);
        assert.ok(error < 2e-6, `result ${i}: ${error}`);
      }
      tf.dispose(sums);
    }
    tf.dispose([given, result]);
    await (await openGpu()).assertHealthy("row and column sums test");
  });
}

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
    const expected = reduceCpu("Sum", x, { axis: [...axes], keepDims: keep });
    const once = () => tf.tidy(() => tf.sum(tf.tensor(x.data, [...shape]), [...axes], keep));
    const first = once();
    assert.deepEqual(first.shape, expected.shape);
    const [got = new Float32Array(), again] = await Promise.all([first, once()].map((sum) => sum.data<"float32">()));
    assert.ok(relativeError(got, expected.data) < 1e-5);
    assert.deepEqual(again, got);
  }
});

Deno.test("a row's sum and mean have the same bits alone and among others", async () => {
  const tf = await openTfjs();
  const backend = webgpuBackend(tf);
  const most = 40;
  for (const columns of [9, 128, 500, 4096, 5003, 50_176]) {
    const x = tf.tensor2d(random([most, columns], 4).data, [most, columns]);
    const sums = async (rows: number) => {
      const some = tf.slice(x, 0, rows);
      const all = tf.tidy(() => [
        tf.sum(some, 1),
        tf.mean(tf.reshape(some, [rows, 1, columns]), [1, 2]),
        ...[true, false].map((software) =>
          tf.engine().makeTensorFromTensorInfo(rowSum(backend, some, { rows, columns, shape: [rows], software }))
        ),
      ]);
      const read = await Promise.all(all.map((sum) => sum.data<"float32">()));
      tf.dispose([some, all]);
      return read;
    };
    const expected = await sums(most);
    for (const rows of [1, 2, 3, 8, 33]) {
      for (const [i, sum] of (await sums(rows)).entries()) {
        assert.deepEqual(sum, expected[i]!.subarray(0, rows), `${columns} columns, ${rows} of ${most} rows, way ${i}`);
      }
    }
    x.dispose();
  }
  await (await openGpu()).assertHealthy("row sums test");
});
