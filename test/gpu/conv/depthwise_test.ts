import type { Tensor, Tensor4D } from "@tensorflow/tfjs";
import assert from "node:assert/strict";
import { depthwiseConv2dCpu, depthwiseConv2dInputGradientCpu } from "../../../gpu/conv/depthwise_cpu.ts";
import { geometryOf } from "../../../gpu/conv/geometry.ts";
import { geometryCpu } from "../../../gpu/conv/geometry_cpu.ts";
import { openGpu } from "../../../gpu/device.ts";
import { openTfjs } from "../../../gpu/tfjs.ts";
import { inner, random, relativeError, type Values } from "../arrays.ts";

for (
  const { shape, kernel, stride, dilation, pad } of [
    { shape: [3, 7, 9, 8], kernel: 3, stride: 1, dilation: 1, pad: "same" },
    { shape: [1, 8, 20, 4], kernel: 3, stride: 2, dilation: 1, pad: "same" },
    { shape: [2, 9, 7, 17], kernel: 5, stride: 2, dilation: 1, pad: "valid" },
    { shape: [1, 9, 11, 3], kernel: 3, stride: 1, dilation: 2, pad: "valid" },
    { shape: [3, 1, 1, 5], kernel: 1, stride: 1, dilation: 1, pad: "same" },
  ] as const
) {
  Deno.test(`depthwise convolution equals loops: [${shape}] k${kernel} s${stride} d${dilation} ${pad}`, async () => {
    const tf = await openTfjs();
    const [batch, , , channels] = shape;
    const x = random([...shape], 1);
    const w = random([kernel, kernel, channels, 1], 2);
    const bias = random([channels], 4);
    const attrs = { strides: stride, pad, dilations: dilation };
    const request = { shape: x.shape, filter: w.shape, attrs, depthwise: true };
    const geometry = geometryCpu(request)!;
    assert.deepEqual(geometryOf(tf, request), geometry);
    const dy = random([batch, geometry.outHeight, geometry.outWidth, channels], 3);
    const y = depthwiseConv2dCpu(geometry, { x, filter: w }).data;
    const clipped = depthwiseConv2dCpu(geometry, { x, filter: w, bias, epilogue: { activation: "relu6", alpha: 0 } });
    const dx = depthwiseConv2dInputGradientCpu(geometry, { dy, filter: w }).data;
    const tensor = ({ data, shape }: Values) => tf.tensor4d(data, shape as [number, number, number, number]);
    const run = async () => {
      const [tx, tw, tdy, tb] = [tensor(x), tensor(w), tensor(dy), tf.tensor1d(bias.data)];
      const op = (a: Tensor) => tf.depthwiseConv2d(a as Tensor4D, tw, stride, pad, "NHWC", dilation);
      const fused = tf.fused.depthwiseConv2d({
        x: tx,
        filter: tw,
        strides: stride,
        pad,
        dilations: dilation,
        bias: tb,
        activation: "relu6",
      });
      // tfjs refuses the gradient of a dilated depthwise convolution.
      const tensors = dilation === 1 ? [op(tx), fused, tf.grad(op)(tx, tdy)] : [op(tx), fused];
      const results = await Promise.all(tensors.map((t) => t.data<"float32">()));
      tf.dispose([tensors, tx, tw, tdy, tb]);
      await (await openGpu()).assertHealthy("depthwise test");
      return results;
    };
    const [value = new Float32Array(), fused = new Float32Array(), gradient] = await run();
    assert.ok(relativeError(value, y) < 2e-6);
    assert.ok(relativeError(fused, clipped.data) < 2e-6);
    if (gradient !== undefined) {
      assert.ok(relativeError(gradient, dx) < 2e-6);
      assert.ok(Math.abs(inner(value, dy.data) - inner(x.data, gradient)) < 1e-4);
    }
    assert.deepEqual(await run(), gradient === undefined ? [value, fused] : [value, fused, gradient]);
  });
}
