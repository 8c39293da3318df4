import assert from "node:assert/strict";
import type { Tensor, Tensor4D } from "@tensorflow/tfjs";
import { openGpu } from "@ftim/gpu/device";
import { openTfjs } from "@ftim/gpu/tfjs";
import { openChenDetail } from "../../../nets/chen_detail.ts";
import { openChenEncoder } from "../../../nets/chen_encoder.ts";
import { relativeError } from "../../gpu/arrays.ts";
import { drawnCheckpoint, drawnFaces, drawnUniform, numbers } from "../../golden/drawn.ts";
import golden from "../../golden/chen.json" with { type: "json" };
import { checkpoint } from "../files/checkpoint_writer.ts";

const tf = await openTfjs();
const read = (tensor: Tensor) => tensor.data<"float32">();

Deno.test("Chen's coarse network gives what the published layers give, alone and in a batch", async () => {
  const before = tf.memory().numTensors;
  const encoder = await openChenEncoder(checkpoint(drawnCheckpoint(golden.coarse.tensors), "coarse-131000"));
  const faces = tf.tensor4d(drawnFaces(2, 300), [2, 300, 300, 3]);
  const join = (parts: ReturnType<typeof encoder.encode>) =>
    tf.tidy(() => tf.concat(Object.values(parts).map((part) => tf.reshape(part, [part.shape[0], -1])), 1));
  const parts = encoder.encode(faces);
  assert.deepEqual(Object.values(parts).map(({ shape }) => shape), [[2, 80], [2, 29], [2, 80], [2, 6], [2, 3, 9]]);
  const joined = join(parts);
  const codes = await read(joined);
  const [first, second] = golden.coarse.codes.map(numbers) as [Float64Array, Float64Array];
  const { length } = first;
  assert.ok(relativeError(codes.slice(0, length), first) < 1e-4, "the first face");
  assert.ok(relativeError(codes.slice(length), second) < 1e-4, "the second face");
  // drawn networks make nearly the same of all pictures
  const difference = codes.slice(0, length).map((value, i) => value - codes[length + i]!);
  assert.ok(relativeError(difference, first.map((value, i) => value - second[i]!)) < 2e-3, "what they differ by");
  const one = tf.slice(faces, [1, 0, 0, 0], [1, -1, -1, -1]);
  const single = encoder.encode(one);
  const alone = join(single);
  assert.deepEqual(await read(alone), codes.slice(length));
  const large = tf.zeros([1, 224, 224, 3]) as Tensor4D;
  assert.throws(() => encoder.encode(large), /takes crops of 300×300, not 224×224/);
  tf.dispose([faces, one, joined, alone, large, ...Object.values(parts), ...Object.values(single)]);
  encoder.dispose();
  assert.equal(tf.memory().numTensors, before);
  await (await openGpu()).assertHealthy("Chen's coarse network");
});

Deno.test("Chen's detail network gives what the published layers give", async () => {
  const before = tf.memory().numTensors;
  const network = await openChenDetail(checkpoint(drawnCheckpoint(golden.fine.tensors), "fine-10000"));
  const picture = drawnFaces(1, 512);
  const noise = drawnUniform("render", picture.length);
  const render = picture.map((value, i) => Math.min(1, Math.max(0, value + 0.1 * (noise[i]! - 0.5))));
  const [photograph, coarse] = [picture, render].map((values) => tf.tensor4d(values, [1, 512, 512, 3])) as [
    Tensor4D,
    Tensor4D,
  ];
  const map = network.displacements(photograph, coarse);
  assert.deepEqual(map.shape, [1, 512, 512, 1]);
  const found = (await read(map)).filter((_, i) => i % golden.fine.every === 0);
  assert.ok(relativeError(found, numbers(golden.fine.displacement)) < 1e-4);
  const small = tf.zeros([1, 256, 256, 3]) as Tensor4D;
  assert.throws(() => network.displacements(photograph, small), /takes maps \[1,512,512,3\], not \[1,256,256,3\]/);
  tf.dispose([photograph, coarse, small, map]);
  network.dispose();
  assert.equal(tf.memory().numTensors, before);
  await (await openGpu()).assertHealthy("Chen's detail network");
});

Deno.test("Chen's networks say which file is wrong", async () => {
  const fine = drawnCheckpoint(golden.fine.tensors);
  const { "FineModel/conv2d_transpose_3/bias": _, ...without } = fine;
  await assert.rejects(openChenDetail(checkpoint(without, "x")), /has no tensor "FineModel\/conv2d_transpose_3\/bias"/);
  await assert.rejects(
    openChenEncoder(checkpoint(fine, "x")),
    /must hold the coarse network of Chen et al\., and .* is absent\. It holds the detail network of Chen et al\./,
  );
});
