/** Convolution, its two gradients, depthwise convolution and matrix product: ours beside tfjs's own kernels. */

import type { NamedAttrMap, Tensor, TensorInfo } from "@tensorflow/tfjs";
import { stockKernels } from "@ftim/gpu/fast-kernels";
import { measurePeak } from "./adapter.ts";
import { chooseFamilies, type Lab, rounded, type Row, time, timeOnGpu } from "./lab.ts";

interface Layer {
  readonly batch: number;
  readonly size: number;
  readonly inChannels: number;
  readonly outChannels: number;
  readonly kernel: number;
  readonly stride: number;
}

const LAYERS: readonly Layer[] = [
  { batch: 1, size: 64, inChannels: 64, outChannels: 64, kernel: 3, stride: 1 },
  { batch: 1, size: 256, inChannels: 16, outChannels: 16, kernel: 3, stride: 1 },
  { batch: 3, size: 128, inChannels: 32, outChannels: 64, kernel: 4, stride: 2 },
  { batch: 1, size: 16, inChannels: 256, outChannels: 256, kernel: 3, stride: 1 },
  { batch: 1, size: 56, inChannels: 128, outChannels: 128, kernel: 1, stride: 1 },
];

/** Enough to fill a large GPU; minutes of work for a CPU. */
const LARGE: Layer = { batch: 8, size: 64, inChannels: 256, outChannels: 256, kernel: 3, stride: 1 };

/** One row for each layer and kernel. */
export async function benchConvolution(lab: Lab): Promise<Row[]> {
  const { tf, gpu } = lab;
  const rows: Row[] = [];
  for (const layer of gpu.info.software ? LAYERS : [...LAYERS, LARGE]) {
    const { batch, size, inChannels, outChannels, kernel, stride } = layer;
    const out = Math.ceil(size / stride);
    const x = tf.randomUniform([batch, size, size, inChannels], -1, 1);
    const filter = tf.randomUniform([kernel, kernel, inChannels, outChannels], -1, 1);
    const dy = tf.randomUniform([batch, out, out, outChannels], -1, 1);
    const flops = 2 * batch * out * out * outChannels * inChannels * kernel * kernel;
    const shared = { strides: [stride, stride], pad: "same", dataFormat: "NHWC", dilations: [1, 1] };
    const kernels: Work[] = [
      { name: "Conv2D", inputs: { x, filter }, attrs: shared },
      { name: "Conv2DBackpropInput", inputs: { dy, filter }, attrs: { ...shared, inputShape: x.shape } },
      { name: "Conv2DBackpropFilter", inputs: { x, dy }, attrs: { ...shared, filterShape: filter.shape } },
    ];
    const label = `${batch}×${size}² ${inChannels}→${outChannels} ${kernel}×${kernel}/${stride}`;
    for (const work of kernels) rows.push({ work: label, ...await compare(lab, { ...work, flops }) });
    tf.dispose([x, filter, dy]);
  }
  rows.push(...await depthwise(lab), await matMul(lab));
  return rows;
}

async function depthwise(lab: Lab): Promise<Row[]> {
  const { tf } = lab;
  const [size, channels] = [96, 64];
  const x = tf.randomUniform([1, size, size, channels], -1, 1);
  const filter = tf.randomUniform([3, 3, channels, 1], -1, 1);
  const shared = { strides: [1, 1], pad: "same", dataFormat: "NHWC", dilations: [1, 1] };
  const flops = 2 * 9 * size * size * channels;
  const work = `1×${size}² ${channels} 3×3/1`;
  const rows = [
    { work, ...await compare(lab, { name: "DepthwiseConv2dNative", inputs: { x, filter }, attrs: shared, flops }) },
    {
      work,
      ...await compare(lab, {
        name: "DepthwiseConv2dNativeBackpropInput",
        inputs: { dy: x, filter },
        attrs: { ...shared, inputShape: x.shape },
        flops,
      }),
    },
  ];
  tf.dispose([x, filter]);
  return rows;
}

async function matMul(lab: Lab): Promise<Row> {
  const { tf } = lab;
  const [a, b] = [tf.randomUniform([1, 512, 512], -1, 1), tf.randomUniform([1, 512, 512], -1, 1)];
  const attrs = { transposeA: false, transposeB: false };
  const row = await compare(lab, { name: "BatchMatMul", inputs: { a, b }, attrs, flops: 2 * 512 ** 3 });
  tf.dispose([a, b]);
  return { work: "512×512×512", ...row };
}

interface Work {
  readonly name: string;
  readonly inputs: Record<string, Tensor>;
  readonly attrs: object;
}

async function compare(lab: Lab, { name, inputs, attrs, flops }: Work & { readonly flops: number }): Promise<Row> {
  const { tf, gpu, backend } = lab;
  const run = (config: ReturnType<typeof tf.getKernel>) => () =>
    config.kernelFunc({ inputs, backend, attrs: attrs as NamedAttrMap }) as TensorInfo;
  const own = tf.getKernel(name, "webgpu");
  const other = stockKernels.get(name) ?? own;
  backend.disposeData(run(own)().dataId);
  await chooseFamilies(lab);
  // Measured anew beside each kernel, for other work on the machine comes and goes.
  const before = await measurePeak(gpu);
  const ours = await time(lab, run(own));
  const peak = Math.max(before, await measurePeak(gpu));
  const stock = await time(lab, run(other), { rounds: 2, budget: 60 });
  const row = (ours: number, stock: number) => ({
    "ours GFLOP/s": rounded(flops / ours / 1e6, 1),
    "share of peak": rounded(flops / ours / 1e6 / peak, 3),
    "stock GFLOP/s": rounded(flops / stock / 1e6),
    speedup: rounded(stock / ours, 1),
  });
  const onGpu = [await timeOnGpu(lab, run(own)), await timeOnGpu(lab, run(other))] as const;
  // A GPU is done with most of these before the next is recorded, so there its own time tells kernels apart.
  return {
    kernel: name,
    "ours ms": rounded(ours, 3),
    ...onGpu[0] !== null && onGpu[1] !== null
      ? { "stock ms": rounded(stock, 3), "ours GPU ms": rounded(onGpu[0], 4), ...row(onGpu[0], onGpu[1]) }
      : row(ours, stock),
  };
}
