/**
 * Which triangle of a mesh each pixel shows, for a batch of meshes of one topology on the device. What is found is
 * what `rasteriseCpu` finds, by the same rules: orthographic; a pixel belongs to a triangle if its centre is inside or
 * on the border; the nearest has it, and of two at one depth the first. In single precision a centre within about 1e-4
 * pixels of an edge may go to the other side of it, but never to none of the two.
 */
import type { Tensor, Tensor3D, Tensor4D } from "@tensorflow/tfjs";
import type { Tfjs } from "./backend.ts";
import { roomFor } from "./buffer_room.ts";
import { clearedTensor, emptyTensor, type Run, run } from "./ops/run.ts";
import type { Raster, RasterOptions } from "./raster_options.ts";
import { RECORD, recordsCode, TILE, walkProgram, WORD } from "./raster_wgsl.ts";

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
  /** The samples that are looked at: whole tiles, which may reach beyond the raster. */
  readonly box: { readonly left: number; readonly top: number; readonly width: number; readonly height: number };
  /** Invocations that walk along one mesh: 8 for each tile. */
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
  /** Whether to look at all blocks, not only where a mesh can be. Elsewhere nothing is written. Default false. */
  readonly whole?: boolean;
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
 * @throws {RangeError} if there are no meshes or no triangles, if a mesh has another number of vertices than the first,
 *   or if a vertex is no finite number or lies more than 2²⁰ pixels away; the message names the mesh's index
 * @throws {GpuError} if the device can bind no buffer as large as a result
 */
export function rasterise(tf: Tfjs, meshes: Meshes, options: RasterOptions): DeviceRaster {
  const { width, height } = options;
  const count = meshes.vertices.length;
  const lists = listTriangles(tf, meshes, { ...options, block: BLOCK, whole: true });
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
  { width, height, cullBack = false, block, scale = 1, whole = false }: ListOptions,
): TriangleLists {
  checkMeshes({ vertices, triangles }, scale);
  const meshes = vertices.length;
  const vertexCount = (vertices[0]?.length ?? 0) / 3;
  const triangleCount = triangles.length / 3;
  const wordCount = Math.ceil(triangleCount / WORD);
  const groups = Math.ceil(wordCount / WORD);
  const side = { width: TILE.width * block, height: TILE.height * block };
  const box = whole ? { left: 0, top: 0, right: width, bottom: height } : boxOf(vertices, { width, height, scale });
  const [left, top] = [Math.floor(box.left / side.width), Math.floor(box.top / side.height)];
  const across = Math.max(1, Math.ceil(box.right / side.width) - left);
  const down = Math.max(1, Math.ceil(box.bottom / side.height) - top);
  const positions = new Float32Array(3 * vertexCount * meshes);
  for (const [mesh, values] of vertices.entries()) positions.set(values, 3 * vertexCount * mesh);
  return tf.tidy(() => {
    const bits = (length: number) =>
      clearedTensor(tf, { shape: [roomFor(meshes * down * across * length)], dtype: "int32" });
    const [marks, words] = [tf.keep(bits(groups)), tf.keep(bits(wordCount))];
    const records = run(tf, {
      key: "raster_records",
      code: recordsCode,
      inputs: [tf.tensor1d(positions), tf.tensor1d(new Int32Array(triangles), "int32")],
      outputs: [marks, words],
      shape: [meshes, triangleCount, RECORD],
      uniforms: [
        meshes * triangleCount,
        vertexCount,
        ...[triangleCount, wordCount, groups, left, top, across, down, block, width, height],
        cullBack ? 1 : 0,
        { f32: scale },
      ],
      invocations: meshes * triangleCount,
    });
    return {
      records: tf.keep(records),
      marks,
      words,
      meshes,
      box: {
        left: left * side.width,
        top: top * side.height,
        width: across * side.width,
        height: down * side.height,
      },
      invocations: across * down * TILE.width * TILE.height,
      uniforms: [triangleCount, wordCount, groups, left, top, across, down],
    };
  });
}

/** The part of a raster that some mesh can be seen in. */
function boxOf(
  meshes: readonly Float32Array[],
  { width, height, scale }: { width: number; height: number; scale: number },
): { left: number; top: number; right: number; bottom: number } {
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const vertices of meshes) {
    for (let i = 0; i < vertices.length; i += 3) {
      const [x, y] = [vertices[i]!, vertices[i + 1]!];
      if (x < left) left = x;
      if (x > right) right = x;
      if (y < top) top = y;
      if (y > bottom) bottom = y;
    }
  }
  const within = (value: number, most: number) => Math.min(Math.max(value, 0), most);
  return {
    left: within(Math.floor(left * scale) - 1, width),
    top: within(Math.floor(top * scale) - 1, height),
    right: within(Math.ceil(right * scale) + 1, width),
    bottom: within(Math.ceil(bottom * scale) + 1, height),
  };
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
export interface Walk extends Omit<Run, "invocations"> {
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
      sample: (k) => `shown${k} = select(shown${k}, t, hit); part${k} = select(part${k}, e.xy * inverse, hit);`,
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

function checkMeshes({ vertices: meshes, triangles }: Meshes, scale: number): void {
  const most = FARTHEST / scale;
  if (meshes.length === 0 || triangles.length === 0) {
    throw new RangeError(`Cannot rasterise ${meshes.length} meshes of ${triangles.length / 3} triangles`);
  }
  const bad = triangles.find((vertex) => 3 * vertex >= meshes[0]!.length);
  if (bad !== undefined) {
    throw new RangeError(`A triangle names vertex ${bad}, but the meshes have ${meshes[0]!.length / 3}`);
  }
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
