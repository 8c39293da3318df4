import assert from "node:assert/strict";
import type { Tensor4D } from "@tensorflow/tfjs";
import { extendBeyondCharts } from "../../face/extend_charts.ts";
import { flipMap } from "../../face/flip_map_cpu.ts";
import { extendBeyondChart } from "../../face/extend_charts_cpu.ts";
import { uvMap } from "../../face/uv_map.ts";
import { openTfjs } from "@ftim/gpu/tfjs";
import { gridHead, randomStream } from "./head.ts";

const random = randomStream(9);
const { topology } = gridHead(15);
const tf = await openTfjs();

for (const [count, size, channels] of [[1, 16, 3], [3, 33, 1], [65, 9, 4], [2, 32, 8]] as const) {
  Deno.test(`extendBeyondCharts(), tf.reverse() are the references': ${count} of ${size}², ${channels}`, async () => {
    const map = uvMap(topology, size);
    const values = Float32Array.from({ length: count * size * size * channels }, random);
    const maps = tf.tensor4d(values, [count, size, size, channels]);
    const [extended, mirrored] = [extendBeyondCharts(tf, maps, map), tf.reverse(maps, 2) as Tensor4D];
    const one = size * size * channels;
    const each = (of: (map: Float32Array) => Float32Array) =>
      Float32Array.from(Array.from({ length: count }, (_, i) => [...of(values.slice(i * one, (i + 1) * one))]).flat());
    assert.deepEqual(await extended.data(), each((values) => extendBeyondChart(values, map)));
    assert.deepEqual(await mirrored.data(), each((values) => flipMap(values, size)));
    tf.dispose([maps, extended, mirrored]);
  });
}

Deno.test("extendBeyondCharts() takes no maps, and refuses maps of another size", () => {
  assert.deepEqual(extendBeyondCharts(tf, tf.zeros([0, 9, 9, 3]), uvMap(topology, 9)).shape, [0, 9, 9, 3]);
  assert.throws(() => extendBeyondCharts(tf, tf.zeros([1, 8, 8, 3]), uvMap(topology, 9)), RangeError);
});
