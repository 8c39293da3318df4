import type { Tensor, Tensor4D } from "@tensorflow/tfjs";
import assert from "node:assert/strict";
import { openGpu } from "../../gpu/device.ts";
import { dispatch } from "../../gpu/kernels/dispatch.ts";
import { pack } from "../../gpu/kernels/texels.ts";
import { webgpuBackend } from "../../gpu/backend.ts";
import { openTfjs } from "../../gpu/tfjs.ts";
import { type ConvCase, type Dense, inner, random, relativeError, walk } from "./reference.ts";

const BASE: ConvCase = {
  batch: 1,
  height: 7,
  width: 9,
  inChannels: 4,
  outChannels: 8,
  kernel: [3, 3],
  stride: 1,
  dilation: 1,
  pad: "same",
};
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
  { stride: 2, pad: "valid", kernel: [5, 5] },
  { pad: "valid" },
  { kernel: [1, 1], batch: 3, inChannels: 8 },
  { kernel: [1, 1], stride: 2, inChannels: 17 },
  { kernel: [7, 7], stride: 2, inChannels: 3, width: 19, height: 18 },
  { kernel: [2, 6], pad: "valid" },
  { kernel: [6, 2] },
  { kernel: [5, 5], inChannels: 8, outChannels: 4, width: 33 },
  { dilation: 2, batch: 2 },
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
    const { outHeight, outWidth, visit } = walk(c);
    const x = random([c.batch, c.height, c.width, c.inChannels], 1);
    const w = random([...c.kernel, c.inChannels, c.outChannels], 2);
    const dy = random([c.batch, outHeight, outWidth, c.outChannels], 3);
    const y = new Float64Array(dy.data.length);
    const dx = new Float64Array(x.data.length);
    const dw = new Float64Array(w.data.length);
    visit((o, i, f) => {
      y[o] = (y[o] ?? 0) + (x.data[i] ?? 0) * (w.data[f] ?? 0);
      dx[i] = (dx[i] ?? 0) + (dy.data[o] ?? 0) * (w.data[f] ?? 0);
      dw[f] = (dw[f] ?? 0) + (dy.data[o] ?? 0) * (x.data[i] ?? 0);
    });

    const tensor = ({ data, shape }: Dense) => tf.tensor4d(data, shape as [number, number, number, number]);
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
    const c: ConvCase = { ...BASE, batch: 2, inChannels: 5, outChannels: 7 };
    const x = random([c.batch, c.height, c.width, c.inChannels], 1);
    const w = random([...c.kernel, c.inChannels, c.outChannels], 2);
    const bias = random([c.outChannels], 3);
    const y = new Float64Array(c.batch * c.height * c.width * c.outChannels).map((_, i) =>
      bias.data[i % c.outChannels] ?? NaN
    );
    walk(c).visit((o, i, f) => y[o] = (y[o] ?? 0) + (x.data[i] ?? 0) * (w.data[f] ?? 0));
    const functions = {
      linear: (v: number) => v,
      relu: (v: number) => Math.max(0, v),
      relu6: (v: number) => Math.min(6, Math.max(0, v)),
      leakyrelu: (v: number) => v >= 0 ? v : 0.3 * v,
      elu: (v: number) => v >= 0 ? v : Math.exp(v) - 1,
      sigmoid: (v: number) => 1 / (1 + Math.exp(-v)),
    };
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
    assert.ok(relativeError(await read(got), y.map(functions[activation])) < 3e-6);
  });
}

Deno.test("an operand that the device cannot bind is refused by name and size", async () => {
  const gpu = await openGpu();
  const limit = gpu.device.limits.maxStorageBufferBindingSize;
  const shape = [1, 1, limit / 4 + 4, 1];
  const backend = webgpuBackend(await openTfjs());
  const options = { key: "too large", code: () => "", inputs: [], shape, uniforms: [], invocations: 1 };
  assert.throws(() => dispatch(backend, options), /too large: a tensor .* bytes, the device binds at most/);
});

Deno.test("an operand that no texture can hold is refused by its size", async () => {
  const tf = await openTfjs();
  const source = tf.zeros([4]);
  const outer = (await openGpu()).device.limits.maxTextureDimension2D * 2048 + 1;
  const packing = { outer, outerStride: 4, inner: 1, innerPadded: 1, innerStride: 0, channels: 4, channelStride: 1 };
  assert.throws(() => pack(webgpuBackend(tf), source, { ...packing, slot: "x" }), /texels, a texture holds at most/);
  source.dispose();
});

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
  Deno.test(`conv2dTranspose() is the adjoint of conv2d(), and so is its gradient: stride ${stride}, ${channels} channels`, async () => {
    const tf = await openTfjs();
    const [from, to] = channels as [number, number];
    const c: ConvCase = { ...BASE, batch: 3, height: 6, width: 10, inChannels: to, outChannels: from, stride };
    const { outHeight, outWidth, visit } = walk(c);
    const x = random([c.batch, outHeight, outWidth, from], 1);
    const w = random([3, 3, to, from], 2);
    const dy = random([c.batch, c.height, c.width, to], 3);
    const y = new Float64Array(dy.data.length);
    const dx = new Float64Array(x.data.length);
    const dw = new Float64Array(w.data.length);
    visit((o, i, f) => {
      y[i] = y[i]! + x.data[o]! * w.data[f]!;
      dx[o] = dx[o]! + dy.data[i]! * w.data[f]!;
      dw[f] = dw[f]! + dy.data[i]! * x.data[o]!;
    });
    const tensor = ({ data, shape }: Dense) => tf.tensor4d(data, shape as [number, number, number, number]);
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
  ) as [Dense, Dense, Dense, Dense, Dense];
  const four = ({ data, shape }: Dense) => tf.tensor4d(data, shape as [number, number, number, number]);
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
