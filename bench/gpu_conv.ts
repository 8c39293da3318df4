// Convolution on this adapter, in one run: ours and stock tfjs in GFLOP/s, and their share of the adapter's measured multiply-add peak.
//
//   deno run --allow-env --allow-read --allow-sys bench/gpu_conv.ts [--json]

import type { TensorInfo } from "@tensorflow/tfjs";
import { openGpu } from "../gpu/device.ts";
import { stockKernels } from "../gpu/kernels/replace.ts";
import { openTfjs, webgpuBackend } from "../gpu/tfjs.ts";

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

const gpu = await openGpu();
const tf = await openTfjs();
const backend = webgpuBackend(tf);

/** Runs what is recorded and waits until the GPU has done it. */
async function finish(): Promise<void> {
  backend.endComputePassEncoder();
  backend.ensureCommandEncoderReady();
  backend.submitQueue();
  await gpu.device.queue.onSubmittedWorkDone();
}

/** Milliseconds of one run, the least of some rounds. */
async function time(
  run: () => TensorInfo,
  { estimate, rounds }: { estimate: number; rounds: number },
): Promise<number> {
  backend.disposeData(run().dataId);
  await finish();
  const count = Math.max(1, Math.min(40, Math.ceil(200 / estimate)));
  let least = Infinity;
  for (let round = 0; round < rounds; round++) {
    const start = performance.now();
    for (let i = 0; i < count; i++) backend.disposeData(run().dataId);
    await finish();
    least = Math.min(least, (performance.now() - start) / count);
  }
  return least;
}

/** The adapter's multiply-add peak in GFLOP/s: registers only, 32 independent chains. */
async function measurePeak(): Promise<number> {
  const chains = [...Array(32).keys()];
  const code = `@group(0) @binding(0) var<storage, read_write> y : array<vec4<f32>>;
@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) g : vec3<u32>) {
  let s = f32(g.x) * 1e-6; let k = vec4<f32>(s, 1.0 - s, s, 0.5);
  ${chains.map((i) => `var a${i} = vec4<f32>(${i}.0) + s;`).join(" ")}
  for (var j = 0; j < 512; j++) { ${chains.map((i) => `a${i} = fma(a${i}, k, k);`).join(" ").repeat(4)} }
  y[g.x] = ${chains.map((i) => `a${i}`).join(" + ")};
}`;
  const { device, info } = gpu;
  const groups = info.software ? 128 : 8192;
  const result = device.createBuffer({ size: groups * 64 * 16, usage: GPUBufferUsage.STORAGE });
  const pipeline = device.createComputePipeline({
    layout: "auto",
    compute: { module: device.createShaderModule({ code }), entryPoint: "main" },
  });
  const bindings = device.createBindGroup({
    layout: pipeline.getBindGroupLayout(0),
    entries: [{ binding: 0, resource: { buffer: result } }],
  });
  let least = Infinity;
  for (let round = 0; round < 4; round++) {
    const start = performance.now();
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, bindings);
    pass.dispatchWorkgroups(groups);
    pass.end();
    device.queue.submit([encoder.finish()]);
    await device.queue.onSubmittedWorkDone();
    least = Math.min(least, performance.now() - start);
  }
  result.destroy();
  return groups * 64 * 512 * 4 * 32 * 4 * 2 / least / 1e6;
}

const peak = await measurePeak();
const rows: Record<string, string | number>[] = [];
for (const layer of LAYERS) {
  const { batch, size, inChannels, outChannels, kernel, stride } = layer;
  const out = Math.ceil(size / stride);
  const x = tf.randomUniform([batch, size, size, inChannels], -1, 1);
  const filter = tf.randomUniform([kernel, kernel, inChannels, outChannels], -1, 1);
  const dy = tf.randomUniform([batch, out, out, outChannels], -1, 1);
  const flops = 2 * batch * out * out * outChannels * inChannels * kernel * kernel;
  const shared = { strides: [stride, stride], pad: "same", dataFormat: "NHWC", dilations: [1, 1] };
  const kernels = [
    { name: "Conv2D", inputs: { x, filter }, attrs: shared },
    { name: "Conv2DBackpropInput", inputs: { dy, filter }, attrs: { ...shared, inputShape: x.shape } },
    { name: "Conv2DBackpropFilter", inputs: { x, dy }, attrs: { ...shared, filterShape: filter.shape } },
  ];
  for (const { name, inputs, attrs } of kernels) {
    const run = (config = tf.getKernel(name, "webgpu")) => () =>
      config.kernelFunc({ inputs, backend, attrs }) as TensorInfo;
    const ours = await time(run(), { estimate: flops / 30e6, rounds: 3 });
    const stock = await time(run(stockKernels.get(name)), {
      estimate: flops / (name === "Conv2DBackpropFilter" ? 0.5e6 : 4e6),
      rounds: 1,
    });
    rows.push({
      layer: `${batch}×${size}² ${inChannels}→${outChannels} ${kernel}×${kernel}/${stride}`,
      kernel: name,
      "ours ms": +ours.toFixed(2),
      "ours GFLOP/s": +(flops / ours / 1e6).toFixed(1),
      "share of peak": +(flops / ours / 1e6 / peak).toFixed(3),
      "stock GFLOP/s": +(flops / stock / 1e6).toFixed(2),
      speedup: +(stock / ours).toFixed(1),
    });
  }
  tf.dispose([x, filter, dy]);
}
await gpu.assertHealthy("bench/gpu_conv.ts");
if (Deno.args.includes("--json")) {
  console.log(JSON.stringify({ adapter: gpu.info, peak, rows }, null, 2));
} else {
  console.log(`${gpu.info.description}: multiply-add peak ${peak.toFixed(0)} GFLOP/s`);
  console.table(rows);
}
