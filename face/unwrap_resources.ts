/**
 * The device's buffers and textures behind unwrap.ts. They are kept from batch to batch: what depends on the topology
 * is uploaded once, and WebGPU clears new memory, which took as long as the work.
 */
import type { Gpu } from "@ftim/gpu/device";
import { arrayLayers } from "@ftim/gpu/array-layers";
import type { Topology } from "./topology.ts";
import { chartOf } from "./unwrap_chart.ts";
import { BEYOND } from "./unwrap_options.ts";
import { MESH_FLOATS, ROW } from "./unwrap_wgsl.ts";
import { uvMap } from "./uv_map.ts";

/**
 * What resources are made for. `count` is the most faces of a batch, `side` that of the depth map, `width` and `height`
 * those of the images.
 */

export interface UnwrapShape {
  readonly size: number;
  readonly side: number;
  readonly width: number;
  readonly height: number;
  readonly count: number;
}

/**
 * What lies on the device for batches of one shape. Colours and visibility are 0 outside the chart, where nothing
 * writes.
 */
export type UnwrapResources = ReturnType<typeof createResources>;

const pools = new WeakMap<GPUDevice, WeakMap<Topology, UnwrapResources[]>>();

/**
 * Resources that no other batch uses, from the pool of the topology if it holds some. Give them back to the pool after
 * use; batches that overlap in time have each their own.
 */
export function takeResources({ device }: Gpu, topology: Topology, shape: UnwrapShape): UnwrapResources {
  const pool = poolOf(device, topology);
  const fits = pool.findIndex(({ shape: has }) =>
    has.size === shape.size && has.side === shape.side && has.width === shape.width && has.height === shape.height &&
    has.count >= shape.count
  );
  if (fits >= 0) return pool.splice(fits, 1)[0]!;
  // Of another shape: not needed any more.
  for (const resources of pool.splice(0)) resources.destroy();
  return createResources(device, topology, shape);
}

/** Puts resources back after use. */
export function giveBack({ device }: Gpu, topology: Topology, resources: UnwrapResources): void {
  poolOf(device, topology).push(resources);
}

/** Frees what `unwrap` keeps for a topology. A later batch makes it again. */
export function freeResources({ device }: Gpu, topology: Topology): void {
  for (const resources of poolOf(device, topology).splice(0)) resources.destroy();
}

function poolOf(device: GPUDevice, topology: Topology): UnwrapResources[] {
  const byTopology = pools.get(device) ?? new WeakMap<Topology, UnwrapResources[]>();
  pools.set(device, byTopology);
  const pool = byTopology.get(topology) ?? [];
  byTopology.set(topology, pool);
  return pool;
}

function createResources(device: GPUDevice, topology: Topology, shape: UnwrapShape) {
  const { size, side, width, height, count } = shape;
  const owned: { destroy(): void }[] = [];
  const keep = <T extends { destroy(): void }>(resource: T): T => {
    owned.push(resource);
    return resource;
  };
  const { STORAGE, UNIFORM, COPY_DST, COPY_SRC, MAP_READ } = GPUBufferUsage;
  const { TEXTURE_BINDING, STORAGE_BINDING, COPY_DST: FILLED } = GPUTextureUsage;
  const buffer = (floats: number, usage: number) =>
    keep(device.createBuffer({ label: "unwrap", size: 4 * floats, usage }));
  const texture = (format: GPUTextureFormat, { size, usage }: { size: number[]; usage: number }) =>
    keep(device.createTexture({ label: "unwrap", size, format, usage: usage | TEXTURE_BINDING }));
  const fixed = (data: Uint32Array, usage: number) => {
    const made = buffer(data.length, usage | COPY_DST);
    device.queue.writeBuffer(made, 0, data as Uint32Array<ArrayBuffer>);
    return made;
  };
  const flat = (texels: number, { usage, format = "rgba32float" }: { usage: number; format?: GPUTextureFormat }) =>
    texture(format, { size: [ROW, rowsOf(texels) / ROW], usage });
  const table = (format: GPUTextureFormat, data: Float32Array | Uint32Array) => {
    const texels = data.length / 4;
    const made = flat(texels, { usage: FILLED, format });
    const padded = new Uint32Array(4 * rowsOf(texels));
    padded.set(new Uint32Array(data.buffer, data.byteOffset, data.length));
    device.queue.writeTexture({ texture: made }, padded, { bytesPerRow: 16 * ROW }, [ROW, made.height]);
    return made.createView();
  };
  const chart = chartOf(topology, size);
  const vertices = topology.vertexCount * count;
  const layers = arrayLayers(count);
  const images = texture("rgba32float", { size: [width, height, layers], usage: FILLED });
  const visibility = texture("r32float", { size: [size, size, layers], usage: STORAGE_BINDING | FILLED });
  if (topology.surface !== undefined) {
    // Only texels inside are ever written.
    const outside = Float32Array.from(uvMap(topology, size).inside, (inside) => inside === 1 ? 0 : BEYOND);
    for (let layer = 0; layer < layers; layer++) {
      const [to, rows] = [{ texture: visibility, origin: [0, 0, layer] }, { bytesPerRow: 4 * size }];
      device.queue.writeTexture(to, outside, rows, [size, size]);
    }
  }
  const meshes = texture("rgba32float", { size: [MESH_FLOATS / 4, count], usage: FILLED });
  const positions = flat(vertices, { usage: FILLED });
  const normals = flat(vertices, { usage: STORAGE_BINDING });
  return {
    shape,
    /** Texels inside the chart. */
    inside: chart.count,
    options: buffer(16, UNIFORM | COPY_DST),
    meshes,
    /** xyz and one that is not used, a vertex. */
    positions,
    images,
    nearness: buffer(side * side * count, STORAGE | COPY_DST),
    /** Two counts in each. */
    counts: buffer(side * side * count / 2, STORAGE),
    colors: buffer(3 * size * size * count, STORAGE | COPY_SRC),
    shrunk: buffer(size * size * count, STORAGE | COPY_SRC),
    /** The colours of all faces and then the visibility of all. */
    answer: buffer(4 * size * size * count, MAP_READ | COPY_DST),
    offsets: fixed(chart.offsets, STORAGE),
    views: {
      triangles: table("rgba32uint", chart.triangles),
      ring: table("rgba32uint", chart.ring),
      corners: table("rgba32uint", chart.corners),
      places: table("rgba32uint", chart.places),
      steps: table("rgba32float", chart.steps),
      meshes: meshes.createView(),
      positions: positions.createView(),
      normals: normals.createView(),
      images: images.createView({ dimension: "2d-array" }),
      visibility: visibility.createView({ dimension: "2d-array" }),
    },
    destroy() {
      for (const resource of owned) resource.destroy();
    },
  };
}

/** The texels of whole rows that hold so many. */
export function rowsOf(length: number): number {
  return ROW * Math.ceil(length / ROW);
}
