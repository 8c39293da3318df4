/** What the adapter can do at most, measured: multiply-adds on registers, and a copy from buffer to buffer. */

import type { Gpu } from "@ftim/gpu/device";

/** GFLOP/s of fused multiply-adds: registers only, 32 independent chains of vec4. */
export async function measurePeak(gpu: Gpu): Promise<number> {
  const chains = [...Array(32).keys()];
  const code = `@group(0) @binding(0) var<storage, read_write> y : array<vec4<f32>>;
@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) g : vec3<u32>) {
  let s = f32(g.x) * 1e-6; let k = vec4<f32>(s, 1.0 - s, s, 0.5);
  ${chains.map((i) => `var a${i} = vec4<f32>(${i}.0) + s;`).join(" ")}
  for (var j = 0; j < 128; j++) { ${chains.map((i) => `a${i} = fma(a${i}, k, k);`).join(" ").repeat(4)} }
  y[g.x] = ${chains.map((i) => `a${i}`).join(" + ")};
}`;
  const groups = gpu.info.software ? 128 : 8192;
  const result = gpu.device.createBuffer({ size: groups * 64 * 16, usage: GPUBufferUsage.STORAGE });
  const milliseconds = await run(gpu, { code, buffers: [result], groups });
  result.destroy();
  return groups * 64 * 128 * 4 * 32 * 4 * 2 / milliseconds / 1e6;
}

/** GB/s of a copy by a compute shader, bytes read and bytes written together. */
export async function measureBandwidth(gpu: Gpu): Promise<number> {
  const bytes = gpu.info.software ? 1 << 26 : 1 << 29;
  const code = `@group(0) @binding(0) var<storage, read_write> y : array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> x : array<vec4<f32>>;
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) g : vec3<u32>, @builtin(num_workgroups) n : vec3<u32>) {
  let i = g.x + g.y * n.x * 64u;
  y[i] = x[i];
}`;
  const buffers = [0, 1].map(() => gpu.device.createBuffer({ size: bytes, usage: GPUBufferUsage.STORAGE }));
  const milliseconds = await run(gpu, { code, buffers, groups: bytes / 16 / 64 });
  for (const buffer of buffers) buffer.destroy();
  return 2 * bytes / milliseconds / 1e6;
}

interface Program {
  readonly code: string;
  readonly buffers: readonly GPUBuffer[];
  readonly groups: number;
}

/**
 * Milliseconds of a dispatch, the least of some. A GPU is done long before Deno looks, which it does every 10 ms: there
 * it is the difference between many dispatches and one.
 */
async function run({ device, info: { software } }: Gpu, { code, buffers, groups }: Program): Promise<number> {
  const module = device.createShaderModule({ code });
  const pipeline = device.createComputePipeline({ layout: "auto", compute: { module, entryPoint: "main" } });
  const bindings = device.createBindGroup({
    layout: pipeline.getBindGroupLayout(0),
    entries: buffers.map((buffer, binding) => ({ binding, resource: { buffer } })),
  });
  const columns = Math.min(groups, 1 << 15);
  const several = async (count: number) => {
    const start = performance.now();
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, bindings);
    for (let i = 0; i < count; i++) pass.dispatchWorkgroups(columns, groups / columns);
    pass.end();
    device.queue.submit([encoder.finish()]);
    await device.queue.onSubmittedWorkDone();
    return performance.now() - start;
  };
  const least = async (count: number) => {
    let milliseconds = Infinity;
    for (let round = 0; round < (software ? 10 : 3); round++) {
      milliseconds = Math.min(milliseconds, await several(count));
    }
    return milliseconds;
  };
  return software ? await least(1) : (await least(65) - await least(1)) / 64;
}
