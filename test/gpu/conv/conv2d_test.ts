import type { Tensor, Tensor4D } from "@tensorflow/tfjs";
import assert from "node:assert/strict";
import { conv2dCpu, conv2dFilterGradientCpu, conv2dInputGradientCpu } from "../../../gpu/conv/conv2d_cpu.ts";
import { geometryOf } from "../../../gpu/conv/geometry.ts";
import { openGpu } from "../../../gpu/device.ts";
import { openTfjs } from "../../../gpu/tfjs.ts";
import { inner, random, relativeError, type Values } from "../arrays.ts";
import { BASE, type ConvCase, operandsOf } from "./conv_case.ts";

const CASES: Partial<ConvCase>[] = [
  {},
  { batch: 3, inChannels: 3, outChannels: 5 },
  { inChannels: 1, outChannels: 1 },
  { inChannels: 17, outChannels: 3, batch: 2 },
  { inChannels: 12, outChannels: 12 },
  { inChannels: 5, outChannels: 17, stride: 2 },
  { stride: 2, batch: 3 },
  { stride: 2, kernel: [4, 4], batch: 2, width: 8, height: 8 },
  { stride: 2, kernel: [4, 4], pad: [[0, 0], [1, 1], [1, 1], [0, 0]], width: 8, height: 6 },
  { pad: "valid" },
  { kernel: [1, 1], batch: 3, inChannels: 8 },
  { kernel: [1, 1], stride: 2, inChannels: 17 },
  { kernel: [7, 7], stride: 2, inChannels: 3, width: 19, height: 18 },
  { stride: 2, pad: "valid", kernel: [2, 6] },
  { kernel: [6, 2] },
  { kernel: [5, 5], inChannels: 8, outChannels: 4, width: 33 },
  { dilation: 4, inChannels: 3, outChannels: 5, pad: "valid", height: 11, width: 13 },
  { pad: [[0, 0], [2, 0], [0, 3], [0, 0]] },
  { height: 1, width: 1, inChannels: 5, outChannels: 3, batch: 3 },
  { height: 1, width: 1, kernel: [1, 1], stride: 2 },
  { height: 16, width: 64, inChannels: 8, outChannels: 16 },
  { height: 16, width: 64, inChannels: 8, outChannels: 16, stride: 2 },
];

async function read(tensor: Tensor): Promise<Float32Array> {
  const data = await tensor.data<"float32">();
  tensor.dispose();
  return data;
}

for (const partial of CASES) {
  Deno.test(`conv2d() and its gradients equal plain loops: ${JSON.stringify(partial)}`, async () => {
    const gpu = await openGpu();
    const tf = await openTfjs();
    const c: ConvCase = { ...BASE, ...partial };
    const { geometry, attrs, x, filter: w, dy } = operandsOf(c);
    assert.deepEqual(geometryOf(tf, { shape: x.shape, filter: w.shape, attrs }), geometry);
    const [y, dx, dw] = [
      conv2dCpu(geometry, { x, filter: w }).data,
      conv2dInputGradientCpu(geometry, { dy, filter: w }).data,
      conv2dFilterGradientCpu(geometry, { x, dy }).data,
    ];

    const tensor = ({ data, shape }: Values) => tf.tensor4d(data, shape as [number, number, number, number]);
    const run = async () => {
      const [tx, tw, tdy] = [tensor(x), tensor(w), tensor(dy)];
      const before = tf.memory().numTensors;
      const forward = (a: Tensor4D, b: Tensor4D) => tf.conv2d(a, b, c.stride, c.pad, "NHWC", c.dilation);
      const value = forward(tx, tw);
      const [gx, gw] = tf.grads((a: Tensor, b: Tensor) => forward(a as Tensor4D, b as Tensor4D))([tx, tw], tdy);
      assert.equal(tf.memory().numTensors, before + 3);
      const results = [await read(value), await read(gx as Tensor), await read(gw as Tensor)] as const;
      tf.dispose([tx, tw, tdy]);
      await gpu.assertHealthy("conv test");
      return results;
    };
    const [gotY, gotDx, gotDw] = await run();
    assert.ok(relativeError(gotY, y) < 2e-6, `forward ${relativeError(gotY, y)}`);
    assert.ok(relativeError(gotDx, dx) < 2e-6, `input gradient ${relativeError(gotDx, dx)}`);
    assert.ok(relativeError(gotDw, dw) < 2e-6, `filter gradient ${relativeError(gotDw, dw)}`);
    // ⟨conv(x, w), dy⟩ = ⟨x, dx⟩ = ⟨w, dw⟩
    const product = inner(gotY, dy.data);
    assert.ok(Math.abs(product - inner(x.data, gotDx)) < 1e-4);
    assert.ok(Math.abs(product - inner(w.data, gotDw)) < 1e-4);
    assert.deepEqual(await run(), [gotY, gotDx, gotDw], "not bit-repeatable");
  });
}

for (const activation of ["linear", "relu", "relu6", "leakyrelu", "elu", "sigmoid"] as const) {
  Deno.test(`fused.conv2d() adds the bias and applies ${activation}`, async () => {
    const tf = await openTfjs();
    const { geometry, x, filter: w, bias } = operandsOf({ ...BASE, batch: 2, inChannels: 5, outChannels: 7 });
    const epilogue = { activation, alpha: 0.3 };
    const got = tf.tidy(() =>
      tf.fused.conv2d({
        x: tf.tensor4d(x.data, x.shape as [number, number, number, number]),
        filter: tf.tensor4d(w.data, w.shape as [number, number, number, number]),
        strides: 1,
        pad: "same",
        bias: tf.tensor1d(bias.data),
        activation,
        leakyreluAlpha: 0.3,
      })
    );
    assert.ok(relativeError(await read(got), conv2dCpu(geometry, { x, filter: w, bias, epilogue }).data) < 3e-6);
  });
}

Deno.test("a convolution and its gradients give the same bits ten times", async () => {
  const tf = await openTfjs();
  const [x, w, dy] = [[2, 17, 19, 5], [3, 3, 5, 17], [2, 9, 10, 17]].map((shape, i) => {
    const { data } = random(shape, i + 1);
    return tf.tensor4d(data, shape as [number, number, number, number]);
  }) as [Tensor4D, Tensor4D, Tensor4D];
  const run = async () => {
    const f = (a: Tensor, b: Tensor): Tensor => tf.conv2d(a as Tensor4D, b as Tensor4D, 2, "same");
    const tensors = [f(x, w), ...tf.grads(f)([x, w], dy)];
    const values = await Promise.all(tensors.map(read));
    return values;
  };
  const first = await run();
  for (let repeat = 1; repeat < 10; repeat++) assert.deepEqual(await run(), first);
  tf.dispose([x, w, dy]);
});

for (
  const { stride, channels } of [{ stride: 1, channels: [3, 5] }, { stride: 2, channels: [8, 4] }, {
    stride: 2,
    channels: [17, 1],
  }]
) {
  Deno.test(`conv2dTranspose() and its gradients are adjoints of conv2d(): stride ${stride}, ${channels}`, async () => {
    const tf = await openTfjs();
    const [from, to] = channels as [number, number];
    // What the convolution takes is what the transposed one gives, and its dy is what the transposed one takes.
    const { geometry, x: dy, filter: w, dy: x } = operandsOf({
      ...BASE,
      batch: 3,
      height: 6,
      width: 10,
      inChannels: to,
      outChannels: from,
      stride,
    });
    const y = conv2dInputGradientCpu(geometry, { dy: x, filter: w }).data;
    const dx = conv2dCpu(geometry, { x: dy, filter: w }).data;
    const dw = conv2dFilterGradientCpu(geometry, { x: dy, dy: x }).data;
    const tensor = ({ data, shape }: Values) => tf.tensor4d(data, shape as [number, number, number, number]);
    const [tx, tw, tdy] = [tensor(x), tensor(w), tensor(dy)];
    const op = (a: Tensor, b: Tensor): Tensor =>
      tf.conv2dTranspose(a as Tensor4D, b as Tensor4D, dy.shape as [number, number, number, number], stride, "same");
    const tensors = [op(tx, tw), ...tf.grads(op)([tx, tw], tdy)];
    for (const [i, expected] of [y, dx, dw].entries()) {
      assert.ok(relativeError(await read(tensors[i]!), expected) < 2e-6, `result ${i}`);
    }
    tf.dispose([tx, tw, tdy]);
    await (await openGpu()).assertHealthy("transposed convolution test");
  });
}

Deno.test("fused convolutions take prelu, with its slope per channel", async () => {
  const tf = await openTfjs();
  const [x, w, d, bias, slope] = [[2, 40, 41, 8], [3, 3, 8, 12], [3, 3, 8, 1], [12], [1, 1, 12]].map((shape, i) =>
    random(shape, i + 1)
  ) as [Values, Values, Values, Values, Values];
  const four = ({ data, shape }: Values) => tf.tensor4d(data, shape as [number, number, number, number]);
  const shared = { x: four(x), strides: 1, pad: "same", activation: "prelu" } as const;
  const prelu = (value: Float32Array, weights: Float32Array) =>
    value.map((v, i) => v < 0 ? v * weights[i % weights.length]! : v);
  const results = tf.tidy(() => {
    const fused = {
      filter: four(w),
      bias: tf.tensor1d(bias.data),
      preluActivationWeights: tf.tensor3d(slope.data, [1, 1, 12]),
    };
    const alone = { filter: four(d), preluActivationWeights: tf.tensor3d(slope.data.slice(4), [1, 1, 8]) };
    return [
      tf.fused.conv2d({ ...shared, ...fused }),
      tf.fused.conv2d({ ...shared, ...fused, activation: "linear" }),
      tf.fused.depthwiseConv2d({ ...shared, ...alone }),
      tf.fused.depthwiseConv2d({ ...shared, ...alone, activation: "linear" }),
    ];
  });
  const [conv, plainConv, depthwise, plainDepthwise] = await Promise.all(results.map(read));
  assert.deepEqual(conv, prelu(plainConv!, slope.data));
  assert.deepEqual(depthwise, prelu(plainDepthwise!, slope.data.slice(4)));
  shared.x.dispose();
  await (await openGpu()).assertHealthy("prelu test");
});
