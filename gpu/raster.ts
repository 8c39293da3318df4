/**
 * Which triangle of a mesh each pixel shows, for a batch of meshes of one topology on the device. What is found is
 * what `rasteriseCpu` finds, by the same rules: orthographic; a pixel belongs to a triangle if its centre is inside or
 * on the border; the nearest has it, and of two at one depth the first. In single precision a centre within about 1e-4
 * pixels of an edge may go to the other side of it, but never to none of the two.
 */
import type { Tensor, Tensor1D, Tensor3D, Tensor4D } from "@tensorflow/tfjs";
import { type Tfjs, webgpuBackend } from "./backend.ts";
import type { Dispatch } from "./kernels/dispatch.ts";
import { emptyTensor, run } from "./ops/run.ts";
import type { Raster, RasterOptions } from "./raster_cpu.ts";
import { listsCode, RECORD, recordsCode, TILE, walkProgram, WORD } from "./raster_wgsl.ts";

/** Meshes of one topology. */
export interface Meshes {
  /** xyz triples of each mesh, x and y in pixels (y down), z larger = farther. */
  readonly vertices: readonly Float32Array[];
  /** Three vertex indices each. */
  readonly triangles: Uint32Array;
}

/** Which triangles each tile of a raster can show. On the device until `disposeLists`. */
export interface TriangleLists {
  readonly records: Tensor;
  readonly marks: Tensor;
  readonly words: Tensor;
  /** Number of meshes. */
  readonly meshes: number;
  /** Invocations that walk along one mesh: 64 for each tile. */
  readonly invocations: number;
  /** The first of the program's. */
  readonly uniforms: readonly number[];
}

/** What a raster is divided into, and how. */
export interface ListOptions extends RasterOptions {
  /** Samples along each side of the block that one invocation computes. */
  readonly block: number;
  /** What the vertices are multiplied by. Default 1. */
  readonly scale?: number;
}

/** A batch of rasters on the device, as `Raster` has them. */
export interface DeviceRaster {
  /** [B, H, W], −1 where there is none. */
  readonly triangle: Tensor3D;
  /** [B, H, W, 2] */
  readonly weights: Tensor4D;
  /** [B, H, W], Infinity where there is no triangle. */
  readonly depth: Tensor3D;
}

/** No coordinate may be larger: beyond it pixels are no whole numbers in single precision. */
const FARTHEST = 2 ** 20;

/** Samples along each side of the block that an invocation of `rasterise` computes. */
const BLOCK = 2;

/**
 * Rasterises a batch of meshes. The results stay on the device and belong to the caller, or to the `tidy` around.
 *
 * @throws {RangeError} if a mesh has another number of vertices than the first, or a vertex is no finite number or
 *   lies more than 2²⁰ pixels away; the message names the mesh's index
 * @throws {GpuError} if the device can bind no buffer as large as a result
 */
export function rasterise(tf: Tfjs, meshes: Meshes, options: RasterOptions): DeviceRaster {
  const { width, height } = options;
  const count = meshes.vertices.length;
  const lists = listTriangles(tf, meshes, { ...options, block: BLOCK });
  const weights = emptyTensor(tf, { shape: [count, height, width, 2], dtype: "float32" }) as Tensor4D;
  const depth = emptyTensor(tf, { shape: [count, height, width], dtype: "float32" }) as Tensor3D;
  const triangle = runWalk(tf, lists, {
    key: "rasterise",
    code: rasterCode,
    inputs: [],
    outputs: [weights, depth],
    shape: [count, height, width],
    dtype: "int32",
    uniforms: [width, height, 0x7f800000],
  }) as Tensor3D;
  disposeLists(lists);
  return { triangle, weights, depth };
}

/** Reads rasters back, one a mesh. */
export async function readRaster({ triangle, weights, depth }: DeviceRaster): Promise<Raster[]> {
  const [count, height, width] = triangle.shape;
  const [triangles, pairs, depths] = await Promise.all([
    triangle.data<"int32">(),
    weights.data<"float32">(),
    depth.data<"float32">(),
  ]);
  const area = width * height;
  return Array.from({ length: count }, (_, mesh) => ({
    width,
    height,
    triangle: triangles.slice(mesh * area, (mesh + 1) * area),
    weights: pairs.slice(2 * mesh * area, 2 * (mesh + 1) * area),
    depth: depths.slice(mesh * area, (mesh + 1) * area),
  }));
}

/**
 * Lists the triangles of each tile of a raster, for programs of one's own that walk along them (`runWalk`).
 *
 * @throws {RangeError} as `rasterise` does
 */
export function listTriangles(
  tf: Tfjs,
  { vertices, triangles }: Meshes,
  { width, height, cullBack = false, block, scale = 1 }: ListOptions,
): TriangleLists {
  checkVertices(vertices, scale);
  const backend = webgpuBackend(tf);
  const meshes = vertices.length;
  const vertexCount = (vertices[0]?.length ?? 0) / 3;
  const triangleCount = triangles.length / 3;
  const wordCount = Math.ceil(triangleCount / WORD);
  const groups = Math.ceil(wordCount / WORD);
  const side = TILE * block;
  const across = Math.ceil(width / side);
  const tiles = across * Math.ceil(height / side);
  const positions = new Float32Array(3 * vertexCount * meshes);
  for (const [mesh, values] of vertices.entries()) positions.set(values, 3 * vertexCount * mesh);
  return tf.tidy(() => {
    const corners: Tensor1D = tf.tensor1d(new Int32Array(triangles), "int32");
    const boxes = emptyTensor(tf, { shape: [meshes, triangleCount, 4], dtype: "int32" });
    const chunks = emptyTensor(tf, { shape: [meshes, wordCount, 4], dtype: "int32" });
    const records = run(tf, {
      key: "raster_records",
      code: recordsCode,
      inputs: [tf.tensor1d(positions), corners],
      outputs: [boxes, chunks],
      shape: [meshes, triangleCount, RECORD],
      uniforms: [meshes * wordCount, vertexCount, triangleCount, wordCount, width, height, cullBack ? 1 : 0, {
        f32: scale,
      }],
      invocations: meshes * wordCount,
    });
    const words = emptyTensor(tf, { shape: [meshes, tiles, wordCount], dtype: "int32" });
    const marks = run(tf, {
      key: "raster_lists",
      code: listsCode,
      inputs: [boxes, chunks],
      outputs: [words],
      shape: [meshes, tiles, groups],
      dtype: "int32",
      uniforms: [meshes * tiles * groups, triangleCount, wordCount, groups, tiles, across, side],
      invocations: meshes * tiles * groups,
    });
    for (const tensor of [records, marks, words]) tf.keep(tensor);
    return {
      records,
      marks,
      words,
      meshes,
      invocations: tiles * TILE ** 2,
      uniforms: [triangleCount, wordCount, groups, tiles, across],
    };
  });
}

/** Frees lists. */
export function disposeLists({ records, marks, words }: TriangleLists): void {
  for (const tensor of [records, marks, words]) tensor.dispose();
}

/** Neighbouring meshes of a batch. */
export interface MeshRange {
  readonly first: number;
  readonly count: number;
}

/** A dispatch that walks. */
export interface Walk extends Omit<Dispatch, "invocations"> {
  /** The meshes to look at. Default: all. */
  readonly range?: MeshRange;
  /** What `walkProgram` makes. */
  readonly code: () => string;
}

/** Runs a program of `walkProgram` over lists that were made for its block. */
export function runWalk(tf: Tfjs, lists: TriangleLists, walk: Walk): Tensor {
  const { records, marks, words, meshes, uniforms, invocations } = lists;
  const { range = { first: 0, count: meshes }, ...others } = walk;
  const walking = invocations * range.count;
  return run(tf, {
    ...others,
    inputs: [records, marks, words, ...walk.inputs],
    uniforms: [walking, range.first, ...uniforms, ...walk.uniforms],
    invocations: walking,
  });
}

function rasterCode(): string {
  const samples = Array.from({ length: BLOCK ** 2 }, (_, k) => k);
  return walkProgram({
    result: "i32",
    inputs: [],
    outputs: [["weights", "vec2<f32>"], ["depths", "f32"]],
    uniforms: ["width", "height", "nothing"],
    walk: {
      block: BLOCK,
      state: samples.map((k) => `var shown${k} = -1; var part${k} = vec2<f32>();`).join("\n  "),
      sample: (k) => `shown${k} = select(shown${k}, t, hit); part${k} = select(part${k}, w.xy, hit);`,
    },
    after: samples.map((k) =>
      `{
    let at = corner + vec2<i32>(${k % BLOCK}, ${Math.floor(k / BLOCK)});
    if (at.x < u.width && at.y < u.height) {
      let to = (mesh * u.height + at.y) * u.width + at.x;
      result[to] = shown${k};
      weights[to] = part${k};
      depths[to] = select(nearest${k}, bitcast<f32>(u.nothing), shown${k} < 0);
    }
  }`
    ).join("\n  "),
  });
}

function checkVertices(meshes: readonly Float32Array[], scale: number): void {
  const most = FARTHEST / scale;
  for (const [mesh, vertices] of meshes.entries()) {
    if (vertices.length !== meshes[0]!.length || vertices.length % 3 !== 0) {
      throw new RangeError(
        `Cannot rasterise mesh ${mesh}: it has ${vertices.length / 3} vertices, the first has ${meshes[0]!.length / 3}`,
      );
    }
    for (let i = 0; i < vertices.length; i++) {
      if (Math.abs(vertices[i]!) <= most) continue;
      throw new RangeError(
        `Cannot rasterise mesh ${mesh}: vertex ${Math.floor(i / 3)} has the coordinate ${vertices[i]}`,
      );
    }
  }
}
