import type { Rank, Tensor, Tensor4D } from "@tensorflow/tfjs";
import assert from "node:assert/strict";
import { openGpu } from "../../../gpu/device.ts";
import { convolve } from "../../../gpu/ops/convolve.ts";
import { convolveMap, type FeatureMap, featureMap, mapMeans } from "../../../gpu/ops/feature_map.ts";
import { convolveMapCpu } from "../../../gpu/ops/feature_map_cpu.ts";
import { openTfjs } from "../../../gpu/tfjs.ts";
import { random, relativeError, type Values } from "../arrays.ts";
import { BASE, type ConvCase, operandsOf } from "../conv/conv_case.ts";
import { mapValues } from "../texel_values.ts";
import { watchTextures } from "../watched_textures.ts";

const tf = await openTfjs();
const OWN: ConvCase = { ...BASE, batch: 2, height: 9, width: 11, inChannels: 8, outChannels: 12 };
const AROUND: ConvCase["pad"] = [[0, 0], [1, 1], [1, 1], [0, 0]];
const CASES: (Partial<ConvCase> & { slope?: number; plus?: boolean })[] = [
  {},
  { slope: 0, plus: true },
  { kernel: [1, 1], slope: 0, plus: true, inChannels: 68, outChannels: 36 },
  { kernel: [1, 1], inChannels: 4, outChannels: 4, height: 1, width: 1, batch: 1 },
  { kernel: [1, 1], stride: 2, pad: "valid", plus: true },
  { kernel: [1, 1], stride: 2, pad: AROUND },
  { stride: 2, pad: AROUND, slope: 0, inChannels: 12, outChannels: 20, batch: 3 },
  { kernel: [7, 7], stride: 2, inChannels: 4, width: 19, height: 18, slope: 0.2, plus: true },
  { kernel: [3, 3], height: 7, width: 7, inChannels: 64, outChannels: 64, pad: AROUND, slope: 0 },
  { dilation: 2, pad: "valid", slope: 0.3, plus: true },
];

const tensor = ({ data, shape }: Values) => tf.tensor4d(data, shape as [number, number, number, number]);
const read = async (value: Tensor) => {
  const data = await value.data<"float32">();
  value.dispose();
  return data;
};

for (const { slope = 1, plus = false, ...partial } of CASES) {
  const name = JSON.stringify({ ...partial, slope, plus });
  Deno.test(`convolveMap() equals plain loops, and an image's bits are those it has alone: ${name}`, async () => {
    const c: ConvCase = { ...OWN, ...partial };
    const { x, filter, bias, dy } = operandsOf(c);
    const more = random(dy.shape, 5);
    const { stride, pad, dilation } = c;
    const before = tf.memory().numTensors;
    const [w, b] = [tensor(filter), tf.tensor1d(bias.data)];
    const options = { filter: w, bias: b, stride, pad, dilation, slope };
    const run = (image?: number) =>
      tf.tidy(() => {
        const of = (values: Values): FeatureMap => {
          const whole = tensor(values);
          return featureMap(tf, image === undefined ? whole : tf.slice(whole, [image, 0, 0, 0], [1, -1, -1, -1]));
        };
        return mapValues(tf, convolveMap(tf, of(x), plus ? { ...options, plus: of(more) } : options));
      });
    const got = await read(run());
    const same = { filter, bias, stride, pad, dilation, slope };
    const expected = convolveMapCpu(x, plus ? { ...same, plus: more } : same);
    assert.ok(relativeError(got, expected.data) < 2e-6, `${relativeError(got, expected.data)}`);
    assert.deepEqual(await read(run()), got, "not bit-repeatable");
    const each = got.length / c.batch;
    for (let image = 0; image < c.batch; image++) {
      assert.deepEqual(await read(run(image)), got.slice(image * each, (image + 1) * each), `image ${image} alone`);
    }
    tf.dispose([w, b]);
    assert.equal(tf.memory().numTensors, before);
    await (await openGpu()).assertHealthy("feature map test");
  });
}

Deno.test("a chain of maps has the bits of the same ops on tensors", async () => {
  const x = tf.randomUniform<Rank.R4>([3, 14, 14, 32], -1, 1, "float32", 1);
  const [narrow, back] = [[3, 3, 32, 8], [1, 1, 8, 32]].map((shape, i) =>
    tf.randomUniform<Rank.R4>(shape as [number, number, number, number], -1, 1, "float32", i + 2)
  ) as [Tensor4D, Tensor4D];
  const maps = tf.tidy(() => {
    const map = featureMap(tf, x);
    const inner = convolveMap(tf, map, { filter: narrow, slope: 0 });
    return mapValues(tf, convolveMap(tf, inner, { filter: back, plus: map, slope: 0 }));
  });
  const tensors = tf.tidy(() => {
    const inner = convolve(tf, x, { filter: narrow, slope: 0 });
    return tf.relu(tf.add(convolve(tf, inner, { filter: back }), x));
  });
  // 0 and −0 are the same here
  const plain = (values: Float32Array) => values.map((value) => value + 0);
  assert.deepEqual(plain(await read(maps)), plain(await read(tensors)));
  tf.dispose([x, narrow, back]);
});

Deno.test("mapMeans() is the mean over the positions of each image", async () => {
  const x = random([3, 5, 7, 12], 1);
  const means = (image?: number) =>
    tf.tidy(() => {
      const whole = tensor(x);
      return mapMeans(
        tf,
        featureMap(tf, image === undefined ? whole : tf.slice(whole, [image, 0, 0, 0], [1, -1, -1, -1])),
      );
    });
  const got = await read(means());
  const expected = Float64Array.from({ length: 3 * 12 }, (_, i) => {
    const [image, channel] = [Math.floor(i / 12), i % 12];
    let sum = 0;
    for (let p = 0; p < 35; p++) sum += x.data[(image * 35 + p) * 12 + channel]!;
    return sum / 35;
  });
  assert.ok(relativeError(got, expected) < 1e-6);
  for (const image of [0, 1, 2]) assert.deepEqual(await read(means(image)), got.slice(12 * image, 12 * (image + 1)));
});

Deno.test("textures of maps serve again", async () => {
  using textures = watchTextures((await openGpu()).device);
  const x = tf.randomUniform<Rank.R4>([2, 16, 17, 8]);
  const filter = tf.randomUniform<Rank.R4>([3, 3, 8, 8]);
  const run = () =>
    tf.tidy(() => {
      let map = featureMap(tf, x);
      for (let i = 0; i < 4; i++) map = convolveMap(tf, map, { filter, plus: map });
      return mapValues(tf, map);
    }).dispose();
  run();
  run();
  const before = textures.made;
  for (let i = 0; i < 10; i++) run();
  assert.equal(textures.made, before);
  tf.dispose([x, filter]);
});

Deno.test("maps that do not fit are refused with their shapes", () => {
  tf.tidy(() => {
    const map = featureMap(tf, tf.zeros([1, 8, 8, 4]));
    assert.throws(() => featureMap(tf, tf.zeros([1, 8, 8, 6])), /multiple of four channels, not \[1,8,8,6\]/);
    assert.throws(
      () => convolveMap(tf, map, { filter: tf.zeros([3, 3, 8, 4]) }),
      /Cannot convolve a map \[1,8,8,4\] with filter \[3,3,8,4\]/,
    );
    assert.throws(() => convolveMap(tf, map, { filter: tf.zeros([3, 3, 4, 5]) }), /multiple of four channels/);
    assert.throws(
      () => convolveMap(tf, map, { filter: tf.zeros([3, 3, 4, 8]), plus: map }),
      /Cannot add a map \[1,8,8,4\] to a convolution's result \[1,8,8,8\]/,
    );
  });
});
