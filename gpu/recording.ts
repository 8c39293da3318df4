/**
 * How a dispatch is recorded: with the bind group and the uniforms of the last time, where they are the same.
 *
 * tfjs makes both anew for each dispatch. On an H200 that takes 30 of the 83 ms of a training step, more than the 20 ms
 * that the GPU computes. The same work runs over the same buffers in each step (buffer_pool.ts), so both can be kept.
 */

import type { TensorInfo } from "@tensorflow/tfjs";
import type { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";
import { type Recent, recent } from "./recent.ts";
import type { Tfjs } from "./backend.ts";
import { layUniforms, type UniformField } from "./uniform_layout.ts";
import { uniformPages, type UniformPlace } from "./uniform_pages.ts";

/** A program as tfjs hands it to `recordAndSubmit`. */
interface Program {
  readonly pipeline: GPUComputePipeline | Promise<GPUComputePipeline>;
  readonly dispatch: readonly [number, number, number];
  /** Set for programs whose uniforms leave out the shapes; 1 draws on a canvas. */
  readonly pixelsOpType?: number;
  /** Whether the number of elements is a uniform. */
  readonly size?: boolean;
  readonly outputShape: readonly number[];
  readonly outputComponent?: number;
}

type RecordAndSubmit = (program: Program, output: TensorInfo, inputs: TensorInfo[], own?: UniformField[]) => void;

// The members of the backend that its type declares private.
interface BackendInternals {
  recordAndSubmit: RecordAndSubmit;
  activeTimers: unknown;
  commandEncoder: GPUCommandEncoder;
  computePassEncoder: GPUComputePassEncoder | null;
  commandQueueOwnedIds: WeakSet<object>;
  dispatchCountInPass: number;
}

// A training step has about a thousand of each. They are small: a uniform has some 100 bytes.
const MOST = 8192;
const DRAW = 1;

/** Lets a backend keep bind groups and uniforms from now on. */
export function recordFromCache(tf: Tfjs, backend: WebGPUBackend): void {
  const internals = backend as unknown as BackendInternals;
  const stock = internals.recordAndSubmit;
  const pages = uniformPages(backend.device);
  const cached: Cached = { names: names(), pages, uniforms: recent(MOST), groups: recent(MOST) };
  internals.recordAndSubmit = (program, output, inputs, own = []) => {
    const { pipeline, dispatch: [x, y, z], pixelsOpType } = program;
    // A timed or drawn program is submitted by itself, and tfjs says what it lacks.
    if (internals.activeTimers != null || pixelsOpType === DRAW || pipeline instanceof Promise) {
      stock.call(backend, program, output, inputs, own);
      return;
    }
    const fields = [...standardFields(tf, program, { output, inputs }), ...own];
    const group = bindGroupFor(backend, cached, { pipeline, tensors: [output, ...inputs], fields });
    // What is recorded must not give its buffer away until it is submitted.
    for (const { dataId } of [output, ...inputs]) internals.commandQueueOwnedIds.add(dataId);
    backend.ensureCommandEncoderReady();
    const pass = internals.computePassEncoder ??= internals.commandEncoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, group);
    pass.dispatchWorkgroups(x, y, z);
    internals.dispatchCountInPass++;
    if (internals.dispatchCountInPass >= tf.env().getNumber("WEBGPU_DEFERRED_SUBMIT_BATCH_SIZE")) {
      backend.endComputePassEncoder();
      backend.submitQueue();
    }
  };
}

/** The fields that tfjs declares at the head of every program's uniforms. */
function standardFields(
  tf: Tfjs,
  { pixelsOpType, size, outputShape, outputComponent }: Program,
  { output, inputs }: { output: TensorInfo; inputs: readonly TensorInfo[] },
): UniformField[] {
  const int = (data: readonly number[]): UniformField => ({ type: "int32", data });
  const strides = ({ shape }: TensorInfo) => int(tf.util.computeStrides(shape));
  const fields: UniformField[] = pixelsOpType === undefined
    ? [
      { type: "float32", data: [NaN] },
      { type: "float32", data: [Infinity] },
      ...[...inputs, output].flatMap((tensor) => [int(tensor.shape), strides(tensor)]),
    ]
    : [strides(output)];
  if (size) fields.push(int([outputShape.reduce((product, dim) => product * dim, 1) / (outputComponent ?? 1)]));
  return fields;
}

interface Cached {
  readonly names: (object: object) => number;
  /** Where a uniform that was not seen lately goes. */
  readonly pages: (bytes: Uint8Array<ArrayBuffer>) => UniformPlace;
  readonly uniforms: Recent<UniformPlace>;
  readonly groups: Recent<GPUBindGroup>;
}

interface Bound {
  readonly pipeline: GPUComputePipeline;
  /** Result and inputs, in the order of their bindings; the uniforms follow. */
  readonly tensors: readonly TensorInfo[];
  readonly fields: readonly UniformField[];
}

function bindGroupFor(
  backend: WebGPUBackend,
  { names, pages, uniforms, groups }: Cached,
  { pipeline, tensors, fields }: Bound,
): GPUBindGroup {
  const { device, tensorMap } = backend;
  const uniform = uniformPlace(layUniforms(fields), { pages, uniforms });
  const resources = tensors.map(({ dataId }) => tensorMap.get(dataId).resource!);
  const key = [pipeline, uniform, ...resources].map(names).join();
  let group = groups.get(key);
  if (group === undefined) {
    group = device.createBindGroup({
      layout: pipeline.getBindGroupLayout(0),
      entries: [...resources.map(bindingOf), uniform].map((resource, binding) => ({ binding, resource })),
    });
    groups.set(key, group);
  }
  return group;
}

function bindingOf(resource: GPUBuffer | GPUTexture | GPUExternalTexture): GPUBindingResource {
  if (resource instanceof GPUBuffer) return { buffer: resource };
  return resource instanceof GPUTexture ? resource.createView() : resource;
}

/** A place that holds these bytes and is never written again. */
function uniformPlace(
  bytes: Uint8Array<ArrayBuffer>,
  { pages, uniforms }: Pick<Cached, "pages" | "uniforms">,
): UniformPlace {
  const key = String.fromCharCode(...new Uint16Array(bytes.buffer, 0, bytes.byteLength / 2));
  let place = uniforms.get(key);
  if (place === undefined) uniforms.set(key, place = pages(bytes));
  return place;
}

/** Numbers objects: another object, another number, never given twice. */
function names(): (object: object) => number {
  const known = new WeakMap<object, number>();
  let next = 0;
  return (object) => {
    let name = known.get(object);
    if (name === undefined) known.set(object, name = next++);
    return name;
  };
}
