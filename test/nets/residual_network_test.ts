/** The face mesh network in passes of our own, beside tfjs's run of its graph. */
import assert from "node:assert/strict";
import type { Tensor, Tensor4D } from "@tensorflow/tfjs";
import { openTfjs } from "@ftim/gpu/tfjs";
import { openGraphModel } from "../../nets/graph_model.ts";
import { openResidualNetwork } from "../../nets/residual_network.ts";
import { asset } from "../assets.ts";
import { maxDifference } from "../face/head.ts";
import { noise, stackImages } from "./inputs.ts";

const SIZE = 192;
const HEADS = ["conv2d_21", "conv2d_31"].map((name) => `StatefulPartitionedCall/model_1/${name}/BiasAdd`);
const files = { model: await asset("models/facemesh.json"), weights: await asset("models/facemesh.bin") };
const tf = await openTfjs();
const graph = await openGraphModel(tf, files);

const read = async (tensors: Tensor[]) => {
  const values = await Promise.all(tensors.map((tensor) => tensor.data<"float32">()));
  tf.dispose(tensors);
  return values;
};
const some = (x: Tensor4D, first: number, count: number) => tf.slice(x, [first, 0, 0, 0], [count, -1, -1, -1]);

Deno.test("a residual network gives what its graph gives, for one picture, in parts, again", async () => {
  const network = openResidualNetwork(tf, files, { heads: HEADS, size: SIZE });
  const images = Array.from({ length: 19 }, (_, seed) => noise({ width: SIZE, height: SIZE, seed }));
  const x = stackImages(tf, images);
  const [points, flags] = await read(network.apply(x));
  assert.deepEqual([points!.length, flags!.length], [19 * 1404, 19 * 4]);
  const outputs = ["Identity_2:0", "Identity_1:0"];
  const [meshes, scores] = await read(tf.tidy(() => graph.execute(some(x, 0, 3), outputs) as Tensor[]));
  assert.ok(maxDifference(points!.subarray(0, 3 * 1404), meshes!) < 1e-3);
  const found = Float32Array.from(scores!, (_, i) => 1 / (1 + Math.exp(-flags![4 * i]!)));
  assert.ok(maxDifference(found, scores!) < 1e-5);
  const again = await read(tf.tidy(() => network.apply(x)));
  assert.deepEqual(again, [points, flags]);
  const [one] = await read(network.apply(some(x, 18, 1)));
  assert.deepEqual(one, points!.slice(18 * 1404));
  network.dispose();
  x.dispose();
});

Deno.test("a graph that is no residual network is refused by the node that has no place in it", async () => {
  const other = { model: await asset("models/faceres.json"), weights: await asset("models/faceres.bin") };
  const open = (heads: string[]) => openResidualNetwork(tf, other, { heads, size: 224 });
  assert.throws(() => open(["nowhere"]), /there is no node nowhere/);
  assert.throws(() => open(["global_pooling/Mean"]), /global_pooling\/Mean, a Mean, has no place in it/);
});
