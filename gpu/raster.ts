// Triangle meshes through the graphics pipeline: a depth-tested draw whose fragments say which triangle they belong to.
// Hardware snaps vertices to a sub-pixel grid, so barycentrics are not the interpolated ones: each fragment computes its
// own from the vertices at the exact pixel centre. Only on borders can the result differ from the CPU's.
import type { Gpu } from "./device.ts";
import type { Raster, RasterOptions } from "./raster_cpu.ts";

const SHADER = /* wgsl */ `
struct View { size: vec2f, nearest: f32, inverseRange: f32, cullBack: u32 }
@group(0) @binding(0) var<storage, read> vertices: array<f32>;
@group(0) @binding(1) var<storage, read> triangles: array<u32>;
@group(0) @binding(2) var<uniform> view: View;

struct Corner { @builtin(position) position: vec4f, @location(0) @interpolate(flat) triangle: u32 }

fn vertexAt(index: u32) -> vec3f {
  let at = 3u * triangles[index];
  return vec3f(vertices[at], vertices[at + 1u], vertices[at + 2u]);
}

@vertex fn corner(@builtin(vertex_index) index: u32) -> Corner {
  let p = vertexAt(index);
  let z = clamp((p.z - view.nearest) * view.inverseRange, 0.0, 1.0);
  return Corner(vec4f(2.0 * p.x / view.size.x - 1.0, 1.0 - 2.0 * p.y / view.size.y, z, 1.0), index / 3u);
}

fn cross2(a: vec2f, b: vec2f) -> f32 { return a.x * b.y - a.y * b.x; }

@fragment fn pixel(in: Corner) -> @location(0) vec4u {
  let a = vertexAt(3u * in.triangle);
  let b = vertexAt(3u * in.triangle + 1u);
  let c = vertexAt(3u * in.triangle + 2u);
  let p = in.position.xy;
  let area = cross2(b.xy - a.xy, c.xy - a.xy);
  if (view.cullBack != 0u && area > 0.0) { discard; }
  var w = vec3f(cross2(b.xy - p, c.xy - p), cross2(c.xy - p, a.xy - p), cross2(a.xy - p, b.xy - p)) / area;
  w = max(w, vec3f(0.0));
  w /= w.x + w.y + w.z;
  return vec4u(in.triangle + 1u, bitcast<u32>(w.x), bitcast<u32>(w.y), bitcast<u32>(dot(w, vec3f(a.z, b.z, c.z))));
}
`;

const pipelines = new WeakMap<GPUDevice, GPURenderPipeline>();

/**
 * Rasterises meshes that share one topology, each into its own raster, with one submission and one read-back.
 *
 * @param gpu The process's device.
 * @param scene.meshes For each mesh its vertices: xyz triples, x and y in pixels (y down), z larger = farther.
 * @param scene.triangles Three vertex indices each.
 * @throws GpuError if the device reports an error; RangeError on a size it cannot draw.
 */
export async function rasterise(
  gpu: Gpu,
  { meshes, triangles, width, height, cullBack = false }: RasterOptions & {
    readonly meshes: readonly Float32Array[];
    readonly triangles: Uint32Array;
  },
): Promise<Raster[]> {
  const { device } = gpu;
  const limit = device.limits.maxTextureDimension2D;
  const padded = Math.ceil(width / 16) * 16; // rows of a copy are multiples of 256 bytes
  if (!(width > 0 && height > 0 && padded <= limit && height <= limit)) {
    throw new RangeError(`Cannot rasterise ${width}×${height}: sides must be 1..${limit} pixels`);
  }
  if (meshes.length === 0) return [];
  const pipeline = pipelineOf(device);
  const layerBytes = 16 * padded * height;
  const owned: { destroy(): void }[] = [];
  const keep = <T extends { destroy(): void }>(resource: T): T => {
    owned.push(resource);
    return resource;
  };
  const upload = (data: Float32Array | Uint32Array, usage: number): GPUBuffer => {
    const buffer = keep(device.createBuffer({ size: data.byteLength, usage: usage | GPUBufferUsage.COPY_DST }));
    device.queue.writeBuffer(buffer, 0, data as Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>);
    return buffer;
  };
  try {
    const target = (format: GPUTextureFormat, usage: number) =>
      keep(device.createTexture({ size: [padded, height], format, usage: usage | GPUTextureUsage.RENDER_ATTACHMENT }));
    const ids = target("rgba32uint", GPUTextureUsage.COPY_SRC);
    const depths = target("depth32float", 0);
    const answer = keep(
      device.createBuffer({
        size: layerBytes * meshes.length,
        usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ,
      }),
    );
    const indices = upload(triangles, GPUBufferUsage.STORAGE);
    const encoder = device.createCommandEncoder();
    meshes.forEach((vertices, layer) => {
      const bindings = device.createBindGroup({
        layout: pipeline.getBindGroupLayout(0),
        entries: [
          upload(vertices, GPUBufferUsage.STORAGE),
          indices,
          upload(viewOf(vertices, { padded, height, cullBack }), GPUBufferUsage.UNIFORM),
        ]
          .map((buffer, binding) => ({ binding, resource: { buffer } })),
      });
      const pass = encoder.beginRenderPass({
        colorAttachments: [{ view: ids.createView(), clearValue: [0, 0, 0, 0], loadOp: "clear", storeOp: "store" }],
        depthStencilAttachment: {
          view: depths.createView(),
          depthClearValue: 1,
          depthLoadOp: "clear",
          depthStoreOp: "discard",
        },
      });
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, bindings);
      pass.draw(triangles.length);
      pass.end();
      encoder.copyTextureToBuffer(
        { texture: ids },
        { buffer: answer, offset: layer * layerBytes, bytesPerRow: 16 * padded },
        [padded, height],
      );
    });
    device.queue.submit([encoder.finish()]);
    await answer.mapAsync(GPUMapMode.READ);
    const words = new Uint32Array(answer.getMappedRange().slice(0));
    answer.unmap();
    await gpu.assertHealthy("rasterise");
    const layerWords = layerBytes / 4;
    return meshes.map((_, i) =>
      unpack(words.subarray(i * layerWords, (i + 1) * layerWords), { width, height, padded })
    );
  } finally {
    for (const resource of owned) resource.destroy();
  }
}

function pipelineOf(device: GPUDevice): GPURenderPipeline {
  let pipeline = pipelines.get(device);
  if (pipeline === undefined) {
    const module = device.createShaderModule({ code: SHADER, label: "raster" });
    pipeline = device.createRenderPipeline({
      label: "raster",
      layout: "auto",
      vertex: { module, entryPoint: "corner" },
      fragment: { module, entryPoint: "pixel", targets: [{ format: "rgba32uint" }] },
      primitive: { topology: "triangle-list", cullMode: "none" },
      depthStencil: { format: "depth32float", depthWriteEnabled: true, depthCompare: "less" },
    });
    pipelines.set(device, pipeline);
  }
  return pipeline;
}

/** The uniform: size in pixels, and the depth range of this mesh with a little room at both ends. */
function viewOf(
  vertices: Float32Array,
  { padded, height, cullBack }: { padded: number; height: number; cullBack: boolean },
): Float32Array {
  let [near, far] = [Infinity, -Infinity];
  for (let i = 2; i < vertices.length; i += 3) {
    near = Math.min(near, vertices[i]!);
    far = Math.max(far, vertices[i]!);
  }
  const room = 0.01 * (far - near) + 1e-6;
  const view = new Float32Array(8);
  view.set([padded, height, near - room, 1 / (far - near + 2 * room)]);
  new Uint32Array(view.buffer)[4] = cullBack ? 1 : 0;
  return view;
}

function unpack(
  words: Uint32Array,
  { width, height, padded }: { width: number; height: number; padded: number },
): Raster {
  const floats = new Float32Array(words.buffer, words.byteOffset, words.length);
  const triangle = new Int32Array(width * height);
  const weights = new Float32Array(2 * width * height);
  const depth = new Float32Array(width * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const from = 4 * (y * padded + x);
      const to = y * width + x;
      const id = words[from]!;
      triangle[to] = id - 1;
      weights[2 * to] = floats[from + 1]!;
      weights[2 * to + 1] = floats[from + 2]!;
      depth[to] = id === 0 ? Infinity : floats[from + 3]!;
    }
  }
  return { width, height, triangle, weights, depth };
}
