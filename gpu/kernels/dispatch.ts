/**
 * Runs our own WGSL through the tfjs backend, so that our kernels and tfjs's share buffers, command encoder and timers.
 *
 * tfjs generates the declarations of its shaders itself. Ours are complete WGSL with shapes passed as uniforms, so one
 * pipeline serves every layer of a network: on a software adapter a pipeline costs 0.3 to 1 s to compile the first
 * time.
 */

import type { DataType, TensorInfo } from "@tensorflow/tfjs";
import type { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";
import { GpuError } from "../device.ts";

/** Threads in a workgroup. The flat index of an invocation is `id`. */
export const WORKGROUP = 64;

/** One run of a WGSL program. */
export interface Dispatch {
  /** Names the program. Two programs with one key must have the same code. */
  readonly key: string;
  /** The body, as `program` makes it. Called once per key and device. */
  readonly code: () => string;
  /** Bound read-only from binding 1 on. */
  readonly inputs: readonly TensorInfo[];
  /** Bound read-write after the inputs: further outputs. */
  readonly outputs?: readonly TensorInfo[];
  /** Shape of the result (binding 0). */
  readonly shape: readonly number[];
  readonly dtype?: DataType;
  /** Write here instead of into a new tensor. */
  readonly into?: TensorInfo;
  /** Values of the uniform struct in the order of its fields: 4 bytes each. */
  readonly uniforms: readonly Uniform[];
  /** How many invocations are needed. More run, up to a multiple of `WORKGROUP`. */
  readonly invocations: number;
}

/** A field of the uniform struct: an integer, or a float. */
export type Uniform = number | { readonly f32: number };

/** What `program` needs to write the declarations. */
export interface ProgramOptions {
  /** WGSL element type of the result, e.g. "vec4<f32>"; "texture" for a write-only texture of four floats a texel. */
  readonly result: string;
  /** Name and element type of each input, in binding order; "texture" for a storage texture of four floats a texel. */
  readonly inputs: readonly (readonly [name: string, element: string])[];
  /** Name and element type of each further output. */
  readonly outputs?: readonly (readonly [name: string, element: string])[];
  /** Names of the uniform fields, in order; a field that ends in ":f32" is a float, the others are i32. */
  readonly uniforms: readonly string[];
  /** WGSL features that the program needs, e.g. "f16". */
  readonly enable?: readonly string[];
  /** Declarations before the entry point. */
  readonly functions?: string;
  /**
   * Statements of the entry point. `id : i32` is the invocation's flat index, `u` the uniforms, `result` the output.
   * Workgroups are consecutive.
   */
  readonly body: string;
}

/** Writes a complete WGSL program around a body. */
export function program(options: ProgramOptions): string {
  const { result, inputs, outputs = [], uniforms, enable = [], functions = "", body } = options;
  const fields = uniforms.map((field) => field.endsWith(":f32") ? `${field.slice(0, -4)} : f32,` : `${field} : i32,`);
  return `${enable.map((feature) => `enable ${feature};`).join(" ")}
struct Uniforms { reserved : i32, ${fields.join(" ")} }
${
    result === "texture"
      ? "@group(0) @binding(0) var result : texture_storage_2d<rgba32float, write>;"
      : `@group(0) @binding(0) var<storage, read_write> result : array<${result}>;`
  }
${
    inputs.map(([name, type], i) =>
      type === "texture"
        ? `@group(0) @binding(${i + 1}) var ${name} : texture_storage_2d<rgba32float, read>;`
        : `@group(0) @binding(${i + 1}) var<storage, read> ${name} : array<${type}>;`
    ).join("\n")
  }
${
    outputs.map(([name, type], i) =>
      `@group(0) @binding(${inputs.length + i + 1}) var<storage, read_write> ${name} : array<${type}>;`
    ).join("\n")
  }
@group(0) @binding(${inputs.length + outputs.length + 1}) var<uniform> u : Uniforms;
${functions}
@compute @workgroup_size(${WORKGROUP})
fn main(@builtin(global_invocation_id) global : vec3<u32>, @builtin(num_workgroups) groups : vec3<u32>) {
  let id = i32(global.x + global.y * groups.x * ${WORKGROUP}u);
${body}
}
`;
}

// The members of the backend that its type declares private.
interface BackendInternals {
  recordAndSubmit(
    program: object,
    output: TensorInfo,
    inputs: TensorInfo[],
    uniforms: { type: string; data: number[] }[],
  ): void;
}

const pipelines = new WeakMap<GPUDevice, Map<string, GPUComputePipeline>>();

/**
 * Records one dispatch. The result is ready in queue order, like that of any tfjs kernel.
 *
 * @returns the result; the caller owns it
 * @throws {GpuError} if a tensor is larger than what the device can bind
 */
export function dispatch(backend: WebGPUBackend, options: Dispatch): TensorInfo {
  const { key, code, inputs, outputs = [], shape, dtype = "float32", into, uniforms, invocations } = options;
  const limit = backend.device.limits.maxStorageBufferBindingSize;
  for (const bound of [{ shape }, ...inputs, ...outputs]) {
    const bytes = 4 * sizeOf(bound.shape);
    if (bytes > limit && into === undefined) {
      throw new GpuError(key, [
        `a tensor [${bound.shape}] has ${bytes} bytes, the device binds at most ${limit}; use a smaller batch or image`,
      ]);
    }
  }
  const result = into ?? backend.makeTensorInfo([...shape], dtype);
  if (sizeOf(shape) === 0) return result;
  for (const tensor of [result, ...inputs, ...outputs]) backend.uploadToGPU(tensor.dataId);
  const isTexture = (tensor: TensorInfo) => backend.tensorMap.get(tensor.dataId).resource instanceof GPUTexture;
  const bindings: Binding[] = [
    isTexture(result) ? "texture" : "storage",
    ...inputs.map((tensor) => isTexture(tensor) ? "read-only-texture" as const : "read-only-storage" as const),
    ...outputs.map(() => "storage" as const),
    "uniform",
  ];

  const groups = Math.ceil(invocations / WORKGROUP);
  const columns = Math.min(groups, backend.device.limits.maxComputeWorkgroupsPerDimension);
  const recorded = {
    pipeline: pipelineFor(backend.device, { key, code, bindings }),
    dispatch: [columns, Math.ceil(groups / columns), 1],
    // With this set, tfjs passes one placeholder and then our uniforms, in place of all shapes. The value means nothing
    // else here.
    pixelsOpType: 0,
    // The name that tf.profile shows.
    constructor: { name: key },
  };
  (backend as unknown as BackendInternals).recordAndSubmit(
    recorded,
    { dataId: result.dataId, shape: [sizeOf(shape)], dtype },
    [...inputs, ...outputs],
    uniforms.map((value) =>
      typeof value === "number" ? { type: "int32", data: [value] } : { type: "float32", data: [value.f32] }
    ),
  );
  return result;
}

/** The number of elements of a shape. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, dim) => product * dim, 1);
}

type Binding = GPUBufferBindingType | "texture" | "read-only-texture";

interface PipelineOptions {
  readonly key: string;
  readonly code: () => string;
  readonly bindings: readonly Binding[];
}

function pipelineFor(device: GPUDevice, { key, code, bindings }: PipelineOptions): GPUComputePipeline {
  let known = pipelines.get(device);
  if (known === undefined) pipelines.set(device, known = new Map());
  let pipeline = known.get(key);
  if (pipeline !== undefined) return pipeline;
  const layout = device.createBindGroupLayout({
    label: key,
    entries: bindings.map((type, binding) => ({ binding, visibility: GPUShaderStage.COMPUTE, ...bindingLayout(type) })),
  });
  pipeline = device.createComputePipeline({
    label: key,
    layout: device.createPipelineLayout({ label: key, bindGroupLayouts: [layout] }),
    compute: { module: device.createShaderModule({ label: key, code: code() }), entryPoint: "main" },
  });
  known.set(key, pipeline);
  return pipeline;
}

function bindingLayout(type: Binding): Omit<GPUBindGroupLayoutEntry, "binding" | "visibility"> {
  if (type === "read-only-texture") return { storageTexture: { access: "read-only", format: "rgba32float" } };
  if (type === "texture") return { storageTexture: { access: "write-only", format: "rgba32float" } };
  return { buffer: { type } };
}
