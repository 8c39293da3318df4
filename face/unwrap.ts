/**
 * UV Render of the paper for many faces at once on the GPU, with one submission and one read-back: the photograph,
 * sampled at every texel's place on the posed mesh, and how well the camera saw it. DECA and FFHQ-UV accept a texel by
 * its normal alone, so the nose lands on the cheek behind it; here a depth test decides.
 *
 * Values agree with the reference's (unwrap_cpu.ts) to f32 rounding but where a depth or a border is decided the other
 * way.
 */
import type { Gpu } from "@ftim/gpu/device";
import { type DepthFrame, frameOf } from "./depth_frame.ts";
import type { RgbImage } from "./image.ts";
import { STRICT, type UnwrapOptions, type UnwrappedTexture, type Unwrapping } from "./unwrap_options.ts";
import { giveBack, rowsOf, takeResources } from "./unwrap_resources.ts";
import { COLUMNS, DEPTH, MESH_FLOATS, NORMALS, ROW, ROWS, SHRINK, TEXELS } from "./unwrap_wgsl.ts";

/**
 * Unwraps images onto meshes of one topology.
 *
 * @throws {RangeError} if images differ in size, or if `outline` is more than 0.283
 * @throws {GpuError} if the device reports an error
 */
export async function unwrap(
  gpu: Gpu,
  faces: readonly Unwrapping[],
  { topology, size = 256, facing = STRICT.facing, outline = STRICT.outline, erode = 1 }: UnwrapOptions,
): Promise<UnwrappedTexture[]> {
  const [face] = faces;
  if (face === undefined) return [];
  const { width, height } = face.image;
  const { device } = gpu;
  if (faces.some(({ image }) => image.width !== width || image.height !== height)) {
    throw new RangeError("Cannot unwrap images of different sizes in one batch");
  }
  // So many that a texture has a layer for each.
  const most = Math.max(1, device.limits.maxTextureArrayLayers - 1);
  if (faces.length > most) {
    const [first, rest] = [faces.slice(0, most), faces.slice(most)];
    const options = { topology, size, facing, outline, erode };
    return [...await unwrap(gpu, first, options), ...await unwrap(gpu, rest, options)];
  }
  const count = faces.length;
  const { vertexCount } = topology;
  const frames = faces.map(({ vertices }) => frameOf(vertices));
  const { side } = frames[0]!;
  const radius = Math.round(outline * side);
  if ((2 * radius + 1) ** 2 > 0xffff) {
    throw new RangeError(
      `Cannot unwrap with an outline of ${outline}: at most ${Math.floor(1000 * 127 / side) / 1000}`,
    );
  }
  const use = takeResources(gpu, topology, { size, side, width, height, count });
  try {
    const { meshes, positions } = pack(faces, { frames, vertexCount, width, height });
    const options = new Uint32Array(16);
    const outlined = outline > 0 ? 1 : 0;
    options.set([size, side, vertexCount, count, width, height, radius, erode]);
    new Float32Array(options.buffer).set(facing, 8);
    options.set([outlined, use.inside, topology.triangles.length / 3], 10);
    const { queue } = device;
    queue.writeBuffer(use.options, 0, options);
    queue.writeTexture({ texture: use.meshes }, meshes, { bytesPerRow: 4 * MESH_FLOATS }, [MESH_FLOATS / 4, count]);
    queue.writeTexture({ texture: use.positions }, positions, { bytesPerRow: 16 * ROW }, [
      ROW,
      positions.length / 4 / ROW,
    ]);
    const texels = new Float32Array(4 * width * height);
    for (const [layer, { image }] of faces.entries()) {
      const [rows, area] = [{ bytesPerRow: 16 * width }, [width, height]];
      queue.writeTexture({ texture: use.images, origin: [0, 0, layer] }, withAlpha(image, texels), rows, area);
    }

    const encoder = device.createCommandEncoder({ label: "unwrap" });
    encoder.clearBuffer(use.nearness);
    const pass = encoder.beginComputePass();
    const run = (code: string, { bound, groups }: { bound: Bound; groups: readonly [number, number, number?] }) => {
      const pipeline = pipelineOf(device, code);
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, bind(device, pipeline, [use.options, ...bound]));
      pass.dispatchWorkgroups(...groups);
    };
    const each = (threads: number) => [Math.ceil(threads / 64), count] as const;
    const { meshes: frame, triangles, ring, corners, places, steps } = use.views;
    const { positions: points, normals, images, visibility } = use.views;
    run(DEPTH, { bound: [frame, points, triangles, use.nearness], groups: each(topology.triangles.length / 3) });
    run(NORMALS, { bound: [points, use.offsets, ring, normals], groups: each(vertexCount) });
    if (outlined === 1) {
      run(ROWS, { bound: [use.nearness, use.counts], groups: each(side) });
      run(COLUMNS, { bound: [use.counts], groups: each(side / 4) });
    }
    const seeing = [points, normals, corners, places, steps, use.counts, use.nearness, images, visibility, use.colors];
    run(TEXELS, { bound: [frame, ...seeing], groups: each(use.inside) });
    run(SHRINK, { bound: [visibility, use.shrunk], groups: [Math.ceil(size / 64), Math.ceil(size / 16), count] });
    pass.end();
    const area = size * size;
    encoder.copyBufferToBuffer(use.colors, 0, use.answer, 0, 12 * area * count);
    encoder.copyBufferToBuffer(use.shrunk, 0, use.answer, 12 * area * count, 4 * area * count);
    queue.submit([encoder.finish()]);
    await Promise.all([use.answer.mapAsync(GPUMapMode.READ, 0, 16 * area * count), gpu.assertHealthy("unwrap")]);
    const values = new Float32Array(use.answer.getMappedRange(0, 16 * area * count));
    const part = (first: number, length: number) => values.slice(first, first + length);
    const textures = faces.map((_, i) => ({
      texture: part(3 * area * i, 3 * area),
      visibility: part(area * (3 * count + i), area),
    }));
    use.answer.unmap();
    giveBack(gpu, topology, use);
    return textures;
  } catch (error) {
    use.destroy();
    throw error;
  }
}

/** What the shaders take of each mesh, and the vertices, xyz and one that is not used, in whole rows of a texture. */
function pack(
  faces: readonly Unwrapping[],
  { frames, vertexCount, width, height }: {
    frames: readonly DepthFrame[];
    vertexCount: number;
    width: number;
    height: number;
  },
): { meshes: Float32Array<ArrayBuffer>; positions: Float32Array<ArrayBuffer> } {
  const positions = new Float32Array(4 * rowsOf(vertexCount * faces.length));
  const meshes = new Float32Array(MESH_FLOATS * faces.length);
  let to = 0;
  faces.forEach(({ vertices, bounds }, mesh) => {
    let [near, far] = [Infinity, -Infinity];
    for (let i = 0; i < 3 * vertexCount; i += 3, to += 4) {
      positions[to] = vertices[i]!;
      positions[to + 1] = vertices[i + 1]!;
      const z = positions[to + 2] = vertices[i + 2]!;
      if (z < near) near = z;
      if (z > far) far = z;
    }
    // Room behind, so that the farthest triangle is nearer than where nothing is.
    const range = 1.01 * (far - near) + 1e-6;
    const { left, top, scale } = frames[mesh]!;
    const { left: l, top: t, width: w, height: h } = bounds ?? { left: 0, top: 0, width, height };
    meshes.set([left, top, scale, near, 1 / range, l, t, l + w, t + h], MESH_FLOATS * mesh);
  });
  return { meshes, positions };
}

/** RGBA floats for a texture, written into `out`. */
function withAlpha({ data }: RgbImage, out: Float32Array<ArrayBuffer>): Float32Array<ArrayBuffer> {
  for (let i = 0, from = 0; i < out.length; i += 4, from += 3) {
    out[i] = data[from]!;
    out[i + 1] = data[from + 1]!;
    out[i + 2] = data[from + 2]!;
  }
  return out;
}

/** Resources by binding. */
type Bound = readonly (GPUBuffer | GPUTextureView)[];

function bind(
  device: GPUDevice,
  pipeline: GPUComputePipeline,
  bound: Bound,
): GPUBindGroup {
  const entries = bound.map((resource, binding) => ({
    binding,
    resource: resource instanceof GPUBuffer ? { buffer: resource } : resource,
  }));
  return device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries });
}

const pipelines = new WeakMap<GPUDevice, Map<string, GPUComputePipeline>>();

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
