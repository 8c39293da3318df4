// UV Render of many faces at once on the GPU: what `unwrap` does, with one submission and one read-back. Values agree with the CPU's to f32
// rounding but where a depth or a border is decided the other way.
import type { Gpu } from "../gpu/device.ts";
import { arrayLayers } from "../gpu/layers.ts";
import type { RgbImage } from "./image.ts";
import type { Topology } from "./topology.ts";
import { chartOf, rowsOf } from "./unwrap_chart.ts";
import { depthFrame, type UnwrapOptions, type UnwrappedTexture } from "./unwrap.ts";
import { COLUMNS, DEPTH, MESH_FLOATS, NORMALS, ROW, ROWS, SHRINK, TEXELS } from "./unwrap_wgsl.ts";

/** One face. */
export interface Unwrapping {
  /** All of a batch have one size. */
  readonly image: RgbImage;
  /** Posed: x right, y down, z larger = farther; in pixels of the image. */
  readonly vertices: Float32Array;
  /** See `UnwrapOptions.bounds`. */
  readonly bounds?: UnwrapOptions["bounds"];
}

/** Options of the batch, as of `unwrap`. */
export interface UnwrapBatchOptions extends Omit<UnwrapOptions, "depth" | "bounds"> {
  readonly topology: Topology;
}

/**
 * Unwraps images onto meshes of one topology.
 *
 * @throws {RangeError} if images differ in size
 * @throws {GpuError} if the device reports an error
 */
export async function unwrapBatch(
  gpu: Gpu,
  faces: readonly Unwrapping[],
  { topology, size = 256, facing = [0.2, 0.6], outline = 0.015, erode = 1 }: UnwrapBatchOptions,
): Promise<UnwrappedTexture[]> {
  const [face] = faces;
  if (face === undefined) return [];
  const { width, height } = face.image;
  const { device } = gpu;
  if (faces.some(({ image }) => image.width !== width || image.height !== height)) {
    throw new RangeError("Cannot unwrap images of different sizes in one batch");
  }
  // So many that a dispatch holds them.
  const most = Math.max(1, Math.floor(64 * device.limits.maxComputeWorkgroupsPerDimension / (size * size)));
  if (faces.length > most) {
    const [first, rest] = [faces.slice(0, most), faces.slice(most)];
    const options = { topology, size, facing, outline, erode };
    return [...await unwrapBatch(gpu, first, options), ...await unwrapBatch(gpu, rest, options)];
  }
  const owned: { destroy(): void }[] = [];
  const keep = <T extends { destroy(): void }>(resource: T): T => {
    owned.push(resource);
    return resource;
  };
  const { STORAGE, UNIFORM, COPY_DST, COPY_SRC, MAP_READ, INDEX } = GPUBufferUsage;
  const empty = (floats: number, usage: number = STORAGE) =>
    keep(device.createBuffer({ label: "unwrap", size: 4 * Math.max(4, floats), usage }));
  const upload = (data: Float32Array | Uint32Array, usage: number = STORAGE) => {
    const buffer = empty(data.length, usage | COPY_DST);
    device.queue.writeBuffer(buffer, 0, data as Float32Array<ArrayBuffer>);
    return buffer;
  };
  try {
    const count = faces.length;
    const { vertexCount } = topology;
    const frames = faces.map(({ vertices }) => depthFrame(vertices));
    const side = frames[0]!.side;
    const positions = new Float32Array(4 * rowsOf(vertexCount * count));
    const meshes = new Float32Array(MESH_FLOATS * count);
    faces.forEach(({ vertices, bounds }, mesh) => {
      let [near, far] = [Infinity, -Infinity];
      for (let i = 0; i < vertexCount; i++) {
        for (let k = 0; k < 3; k++) positions[4 * (mesh * vertexCount + i) + k] = vertices[3 * i + k]!;
        near = Math.min(near, vertices[3 * i + 2]!);
        far = Math.max(far, vertices[3 * i + 2]!);
      }
      // Room behind, so that the farthest triangle is nearer than where nothing is.
      const range = 1.01 * (far - near) + 1e-6;
      const { left, top, scale } = frames[mesh]!;
      const { left: l, top: t, width: w, height: h } = bounds ?? { left: 0, top: 0, width, height };
      meshes.set([left, top, scale, near, 1 / range, l, t, l + w, t + h], MESH_FLOATS * mesh);
    });
    const radius = Math.round(outline * side);
    const options = new Uint32Array(12);
    options.set([size, side, vertexCount, count, width, height, radius, erode]);
    new Float32Array(options.buffer).set(facing, 8);
    options[10] = outline > 0 ? 1 : 0;

    const chart = chartOf(topology, size);
    const { RENDER_ATTACHMENT, TEXTURE_BINDING, STORAGE_BINDING, COPY_DST: FILLED } = GPUTextureUsage;
    const texture = (format: GPUTextureFormat, { size, usage }: { size: number[]; usage: number }) =>
      keep(device.createTexture({ label: "unwrap", size, format, usage: usage | TEXTURE_BINDING }));
    const flat = (length: number, usage: number) =>
      texture("rgba32float", { size: [ROW, rowsOf(length) / ROW], usage });
    const fill = (into: GPUTexture, data: Float32Array | Uint32Array, layer = 0) => {
      const [wide, high] = [into.width, into.height];
      const bytes = data as Float32Array<ArrayBuffer>;
      device.queue.writeTexture({ texture: into, origin: [0, 0, layer] }, bytes, { bytesPerRow: 16 * wide }, [
        wide,
        high,
      ]);
      return into;
    };
    const layers = arrayLayers(count);
    const depth = texture("depth32float", { size: [side, side, layers], usage: RENDER_ATTACHMENT });
    const images = texture("rgba32float", { size: [width, height, layers], usage: FILLED });
    faces.forEach(({ image }, layer) => fill(images, withAlpha(image), layer));
    const [texels, weights] = chart.texels;
    const atlas = texture("rgba32uint", { size: [size, size, 2], usage: FILLED });
    fill(atlas, texels);
    fill(atlas, weights, 1);
    const points = fill(flat(vertexCount * count, FILLED), positions).createView();
    const steps = fill(flat(chart.steps.length / 4, FILLED), chart.steps).createView();
    const shared = [upload(options, UNIFORM), upload(meshes)];
    const [triangles, offsets, around] = [topology.triangles, chart.offsets, chart.around].map((x) => upload(x));
    const indices = upload(topology.triangles, INDEX);
    const normals = flat(vertexCount * count, STORAGE_BINDING).createView();
    const [rows, counts] = [empty(side * side * count), empty(side * side * count)];
    const total = size * size * count;
    const seen = flat(total, STORAGE_BINDING).createView();
    const shrunk = empty(4 * total, STORAGE | COPY_SRC);
    const answer = empty(4 * total, MAP_READ | COPY_DST);

    const encoder = device.createCommandEncoder({ label: "unwrap" });
    const drawing = drawingOf(device);
    const bindings = bind(device, drawing, [...shared, points]);
    for (let mesh = 0; mesh < count; mesh++) {
      const pass = encoder.beginRenderPass({
        colorAttachments: [],
        depthStencilAttachment: {
          view: depth.createView({ dimension: "2d", baseArrayLayer: mesh, arrayLayerCount: 1 }),
          depthClearValue: 1,
          depthLoadOp: "clear",
          depthStoreOp: "store",
        },
      });
      pass.setPipeline(drawing);
      pass.setBindGroup(0, bindings);
      pass.setIndexBuffer(indices, "uint32");
      pass.drawIndexed(topology.triangles.length, 1, 0, 0, mesh);
      pass.end();
    }
    const run = (code: string, { bound, threads }: { bound: Bound; threads: number }) => {
      const pipeline = pipelineOf(device, code);
      const pass = encoder.beginComputePass();
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, bind(device, pipeline, bound));
      pass.dispatchWorkgroups(Math.ceil(threads / 64));
      pass.end();
    };
    const [depths, pictures, maps] = [depth, images, atlas].map((x) => x.createView({ dimension: "2d-array" }));
    const [uniform] = shared as [GPUBuffer];
    run(NORMALS, {
      bound: [uniform, null, points, triangles!, offsets!, around!, normals],
      threads: vertexCount * count,
    });
    run(ROWS, { bound: [uniform, null, depths!, rows], threads: side * count });
    run(COLUMNS, { bound: [uniform, null, rows, counts], threads: side * count });
    run(TEXELS, {
      bound: [...shared, points, normals, maps!, steps, counts, depths!, pictures!, seen],
      threads: total,
    });
    run(SHRINK, { bound: [uniform, null, seen, shrunk], threads: total });
    encoder.copyBufferToBuffer(shrunk, 0, answer, 0, 16 * total);
    device.queue.submit([encoder.finish()]);
    await answer.mapAsync(GPUMapMode.READ);
    const values = new Float32Array(answer.getMappedRange());
    await gpu.assertHealthy("unwrap");
    return faces.map((_, i) => split(values.subarray(4 * size * size * i, 4 * size * size * (i + 1))));
  } finally {
    for (const resource of owned) resource.destroy();
  }
}

/** Colour and visibility of each texel, apart. */
function split(values: Float32Array): UnwrappedTexture {
  const texture = new Float32Array(3 * values.length / 4);
  const visibility = new Float32Array(values.length / 4);
  for (let i = 0, from = 0, to = 0; i < visibility.length; i++) {
    texture[to++] = values[from++]!;
    texture[to++] = values[from++]!;
    texture[to++] = values[from++]!;
    visibility[i] = values[from++]!;
  }
  return { texture, visibility };
}

/** RGBA floats for a texture. */
function withAlpha({ data, width, height }: RgbImage): Float32Array<ArrayBuffer> {
  const out = new Float32Array(4 * width * height);
  for (let i = 0, from = 0; i < out.length; i += 4, from += 3) {
    out[i] = data[from]!;
    out[i + 1] = data[from + 1]!;
    out[i + 2] = data[from + 2]!;
  }
  return out;
}

/** Resources by binding; null for one that the program does not use. */
type Bound = readonly (GPUBuffer | GPUTextureView | null)[];

function bind(
  device: GPUDevice,
  pipeline: GPURenderPipeline | GPUComputePipeline,
  bound: Bound,
): GPUBindGroup {
  const entries = bound.flatMap((resource, binding) =>
    resource === null ? [] : [{ binding, resource: resource instanceof GPUBuffer ? { buffer: resource } : resource }]
  );
  return device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries });
}

const pipelines = new WeakMap<GPUDevice, Map<string, GPUComputePipeline>>();
const drawings = new WeakMap<GPUDevice, GPURenderPipeline>();

function pipelineOf(device: GPUDevice, code: string): GPUComputePipeline {
  const known = pipelines.get(device) ?? new Map<string, GPUComputePipeline>();
  pipelines.set(device, known);
  let pipeline = known.get(code);
  if (pipeline === undefined) {
    const module = device.createShaderModule({ code, label: "unwrap" });
    pipeline = device.createComputePipeline({
      label: "unwrap",
      layout: "auto",
      compute: { module, entryPoint: "main" },
    });
    known.set(code, pipeline);
  }
  return pipeline;
}

function drawingOf(device: GPUDevice): GPURenderPipeline {
  let pipeline = drawings.get(device);
  if (pipeline === undefined) {
    const module = device.createShaderModule({ code: DEPTH, label: "unwrap depth" });
    pipeline = device.createRenderPipeline({
      label: "unwrap depth",
      layout: "auto",
      vertex: { module, entryPoint: "corner" },
      primitive: { topology: "triangle-list", cullMode: "none" },
      depthStencil: { format: "depth32float", depthWriteEnabled: true, depthCompare: "less" },
    });
    drawings.set(device, pipeline);
  }
  return pipeline;
}
