// UV Render of many faces at once on the GPU: what `unwrap` does, with one submission and one read-back. Values agree with the CPU's to f32
// rounding but where a depth or a border is decided the other way.
import type { Gpu } from "../gpu/device.ts";
import type { RgbImage } from "./image.ts";
import type { Topology } from "./topology.ts";
import { depthFrame, type UnwrapOptions, type UnwrappedTexture } from "./unwrap.ts";
import { COLUMNS, DEPTH, MESH_FLOATS, NORMALS, ROWS, SHRINK, TEXELS } from "./unwrap_wgsl.ts";
import { uvMap } from "./uv_map.ts";

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
 * @throws {RangeError} if images differ in size, or there are more than the device has texture layers
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
  if (faces.length > device.limits.maxTextureArrayLayers) {
    throw new RangeError(
      `Cannot unwrap ${faces.length} images at once: at most ${device.limits.maxTextureArrayLayers}`,
    );
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
    const positions = new Float32Array(4 * vertexCount * count);
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
    const texture = (
      format: GPUTextureFormat,
      { width, height, usage }: { width: number; height: number; usage: number },
    ) => keep(device.createTexture({ label: "unwrap", size: [width, height, layersFor(count)], format, usage }));
    const depth = texture("depth32float", {
      width: side,
      height: side,
      usage: GPUTextureUsage.RENDER_ATTACHMENT | GPUTextureUsage.TEXTURE_BINDING,
    });
    const images = texture("rgba32float", {
      width,
      height,
      usage: GPUTextureUsage.TEXTURE_BINDING | GPUTextureUsage.COPY_DST,
    });
    faces.forEach(({ image }, layer) => {
      device.queue.writeTexture(
        { texture: images, origin: [0, 0, layer] },
        withAlpha(image),
        { bytesPerRow: 16 * width, rowsPerImage: height },
        [width, height, 1],
      );
    });
    const shared = [upload(options, UNIFORM), upload(meshes)];
    const points = upload(positions);
    const [triangles, offsets, around] = [topology.triangles, chart.offsets, chart.around].map((x) => upload(x));
    const indices = upload(topology.triangles, INDEX);
    const normals = empty(4 * vertexCount * count);
    const [rows, counts] = [empty(side * side * count), empty(side * side * count)];
    const texels = size * size * count;
    const [colors, seen, shrunk] = [
      empty(3 * texels, STORAGE | COPY_SRC),
      empty(texels),
      empty(texels, STORAGE | COPY_SRC),
    ];
    const answer = empty(4 * texels, MAP_READ | COPY_DST);

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
    const [depths, pictures] = [depth, images].map((x) => x.createView({ dimension: "2d-array" })) as [
      GPUTextureView,
      GPUTextureView,
    ];
    const [uniform] = shared as [GPUBuffer];
    run(NORMALS, {
      bound: [uniform, null, points, triangles!, offsets!, around!, normals],
      threads: vertexCount * count,
    });
    run(ROWS, { bound: [uniform, null, depths, rows], threads: side * count });
    run(COLUMNS, { bound: [uniform, null, rows, counts], threads: side * count });
    const maps = [upload(chart.texels), upload(chart.steps)];
    run(TEXELS, {
      bound: [...shared, points, normals, ...maps, counts, depths, pictures, colors, seen],
      threads: texels,
    });
    run(SHRINK, { bound: [uniform, null, seen, shrunk], threads: texels });
    encoder.copyBufferToBuffer(colors, 0, answer, 0, 12 * texels);
    encoder.copyBufferToBuffer(shrunk, 0, answer, 12 * texels, 4 * texels);
    device.queue.submit([encoder.finish()]);
    await answer.mapAsync(GPUMapMode.READ);
    const values = new Float32Array(answer.getMappedRange());
    await gpu.assertHealthy("unwrap");
    const one = size * size;
    return faces.map((_, i) => ({
      texture: values.slice(3 * one * i, 3 * one * (i + 1)),
      visibility: values.slice(3 * texels + one * i, 3 * texels + one * (i + 1)),
    }));
  } finally {
    for (const resource of owned) resource.destroy();
  }
}

/** At least so many layers, and a number from which OpenGL drivers do not conclude that the texture is a single image or a cube. */
function layersFor(count: number): number {
  return count < 2 ? 2 : count % 6 === 0 ? count + 1 : count;
}

interface Chart {
  /** Per texel: three vertices and the triangle, then as floats the weights of the vertices and 1 inside the chart. */
  readonly texels: Uint32Array;
  /** Per triangle: the parts of its two edges in one texel's step across and down. */
  readonly steps: Float32Array;
  /** The triangles around vertex i: `around[offsets[i]]` up to `around[offsets[i + 1]]`. */
  readonly offsets: Uint32Array;
  readonly around: Uint32Array;
}

const charts = new WeakMap<Topology, Map<number, Chart>>();

function chartOf(topology: Topology, size: number): Chart {
  const known = charts.get(topology) ?? new Map<number, Chart>();
  charts.set(topology, known);
  let chart = known.get(size);
  if (chart === undefined) known.set(size, chart = makeChart(topology, size));
  return chart;
}

function makeChart({ triangles, uvs, vertexCount, ...rest }: Topology, size: number): Chart {
  const map = uvMap({ triangles, uvs, vertexCount, ...rest }, size);
  const texels = new Uint32Array(8 * size * size);
  const weights = new Float32Array(texels.buffer);
  for (let i = 0; i < size * size; i++) {
    const t = map.triangle[i]!;
    texels.set([triangles[3 * t]!, triangles[3 * t + 1]!, triangles[3 * t + 2]!, t], 8 * i);
    const [a, b] = [map.weights[2 * i]!, map.weights[2 * i + 1]!];
    weights.set([a, b, 1 - a - b, map.inside[i]!], 8 * i + 4);
  }
  const steps = new Float32Array(4 * triangles.length / 3);
  const offsets = new Uint32Array(vertexCount + 1);
  for (const vertex of triangles) offsets[vertex + 1]!++;
  for (let i = 0; i < vertexCount; i++) offsets[i + 1]! += offsets[i]!;
  const next = offsets.slice();
  const around = new Uint32Array(triangles.length);
  for (let t = 0; t < triangles.length / 3; t++) {
    const [a, b, c] = [0, 1, 2].map((k) => triangles[3 * t + k]!) as [number, number, number];
    for (const vertex of [a, b, c]) around[next[vertex]!++] = t;
    const [bu, bv] = [uvs[2 * b]! - uvs[2 * a]!, uvs[2 * b + 1]! - uvs[2 * a + 1]!];
    const [cu, cv] = [uvs[2 * c]! - uvs[2 * a]!, uvs[2 * c + 1]! - uvs[2 * a + 1]!];
    const area = (bu * cv - bv * cu) * size;
    if (area !== 0) steps.set([cv / area, -bv / area, -cu / area, bu / area], 4 * t);
  }
  return { texels, steps, offsets, around };
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
