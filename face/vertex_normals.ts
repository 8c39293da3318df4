/**
 * Unit normals of the vertices of a batch of meshes on the device, area-weighted over the adjoining triangles and
 * summed in their order: `vertexNormals` of normals.ts, for meshes of any size in a space of y up and z to the viewer.
 */
import type { Tensor1D, Tensor3D } from "@tensorflow/tfjs";
import type { Tfjs } from "@ftim/gpu/backend";
import { program, run } from "@ftim/gpu/wgsl";

/** The triangles around each vertex, on the device. */
export interface DeviceFans {
  readonly vertexCount: number;
  /** `[V + 1]`: where each vertex's triangles begin. */
  readonly offsets: Tensor1D;
  /** `[3·F]` triangles, by vertex. */
  readonly fans: Tensor1D;
  /** `[3·F]` vertices, by triangle. */
  readonly corners: Tensor1D;
}

/** Takes a topology to the device. It stays there until `disposeFans`. */
export function uploadFans(
  tf: Tfjs,
  { vertexCount, triangles }: { vertexCount: number; triangles: Uint32Array },
): DeviceFans {
  const offsets = new Int32Array(vertexCount + 1);
  for (const vertex of triangles) offsets[vertex + 1] = offsets[vertex + 1]! + 1;
  for (let i = 0; i < vertexCount; i++) offsets[i + 1] = offsets[i + 1]! + offsets[i]!;
  const next = offsets.slice();
  const fans = new Int32Array(triangles.length);
  for (const [corner, vertex] of triangles.entries()) {
    fans[next[vertex]!] = Math.floor(corner / 3);
    next[vertex] = next[vertex]! + 1;
  }
  return {
    vertexCount,
    offsets: tf.tensor1d(offsets, "int32"),
    fans: tf.tensor1d(fans, "int32"),
    corners: tf.tensor1d(Int32Array.from(triangles), "int32"),
  };
}

/** Frees what `uploadFans` took there. */
export function disposeFans({ offsets, fans, corners }: DeviceFans): void {
  for (const tensor of [offsets, fans, corners]) tensor.dispose();
}

/**
 * The normals.
 *
 * @param vertices `[B, V, 3]`: x right, y up, z to the viewer; triangles run counter-clockwise seen from outside
 * @returns `[B, V, 3]`; (0, 0, 0) for a vertex without area around it, as `F.normalize` of PyTorch has it
 * @throws {RangeError} if the meshes are not of this topology
 */
export function deviceNormals(
  tf: Tfjs,
  vertices: Tensor3D,
  { vertexCount, offsets, fans, corners }: DeviceFans,
): Tensor3D {
  const [batch, count] = vertices.shape;
  if (count !== vertexCount) throw new RangeError(`Meshes of ${count} vertices; the triangles are of ${vertexCount}`);
  return run(tf, {
    key: "head_vertex_normals",
    code: normalsCode,
    inputs: [vertices, offsets, fans, corners],
    shape: vertices.shape,
    uniforms: [batch * count, count],
    invocations: batch * count,
  }) as Tensor3D;
}

const normalsCode = () =>
  program({
    result: "f32",
    inputs: [["places", "f32"], ["offsets", "i32"], ["fans", "i32"], ["corners", "i32"]],
    uniforms: ["count", "vertices"],
    functions: `
fn place(first : i32, vertex : i32) -> vec3<f32> {
  let at = 3 * (first + vertex);
  return vec3<f32>(places[at], places[at + 1], places[at + 2]);
}`,
    body: `
  if (id >= u.count) { return; }
  let vertex = id % u.vertices;
  let first = id - vertex;
  var sum = vec3<f32>();
  for (var k = offsets[vertex]; k < offsets[vertex + 1]; k++) {
    let t = 3 * fans[k];
    let a = place(first, corners[t]);
    sum += cross(place(first, corners[t + 1]) - a, place(first, corners[t + 2]) - a);
  }
  let normal = sum / max(length(sum), 1e-6);
  result[3 * id] = normal.x;
  result[3 * id + 1] = normal.y;
  result[3 * id + 2] = normal.z;`,
  });
