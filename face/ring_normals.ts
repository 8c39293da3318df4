/**
 * Unit normals of the vertices of a batch of meshes on the device, for the face models of other authors: some let the
 * triangles around a vertex count by their areas, as `vertexNormals` of normals.ts does, some alike. Each sum is in the
 * order of the triangles, so a face's bits depend neither on the run nor on the other faces. Normals of our own
 * topology, one for all vertices at a place of a seam, are those of normal_maps.ts.
 */
import type { Tensor, Tensor3D } from "@tensorflow/tfjs";
import type { Tfjs } from "@ftim/gpu/backend";
import { program, run } from "@ftim/gpu/wgsl";

/** The triangles around each vertex, on the device. */
export interface Rings {
  /**
   * Unit normals to the side from which the triangles run counter-clockwise.
   *
   * @param vertices `[B, V, 3]`, x right, y up, z to the viewer
   * @returns `[B, V, 3]`; 0 for a vertex without area around it
   * @throws {RangeError} if the meshes are not of this topology
   */
  normals(vertices: Tensor3D): Tensor3D;
  dispose(): void;
}

/** How the normals are made. */
export interface RingOptions {
  /** Whether triangles count by their areas, or all alike. */
  readonly weights: "area" | "equal";
  /** Which triangles are around each vertex; default all that name it. */
  readonly around?: readonly (readonly number[])[];
}

/** Puts a mesh's triangles on the device. */
export function uploadRings(
  tf: Tfjs,
  { triangles, vertexCount }: { triangles: Uint32Array; vertexCount: number },
  { weights, around = trianglesAround(triangles, vertexCount) }: RingOptions,
): Rings {
  const offsets = new Int32Array(vertexCount + 1);
  around.forEach((ring, vertex) => offsets[vertex + 1] = offsets[vertex]! + ring.length);
  const constants = {
    corners: tf.tensor1d(Int32Array.from(triangles), "int32"),
    offsets: tf.tensor1d(offsets, "int32"),
    around: tf.tensor1d(Int32Array.from(around.flat()), "int32"),
  };
  return {
    normals(vertices) {
      const [batch, count] = vertices.shape;
      if (count !== vertexCount) {
        throw new RangeError(`Meshes of ${count} vertices; the triangles are of ${vertexCount}`);
      }
      return run(tf, {
        key: `ring_normals_${weights}`,
        code: () => normalsCode(weights),
        inputs: [vertices, constants.corners, constants.offsets, constants.around],
        shape: vertices.shape,
        uniforms: [batch * count, count],
        invocations: batch * count,
      }) as Tensor3D;
    },
    dispose: () => tf.dispose(Object.values<Tensor>(constants)),
  };
}

function trianglesAround(triangles: Uint32Array, vertexCount: number): number[][] {
  const around = Array.from({ length: vertexCount }, (): number[] => []);
  triangles.forEach((vertex, i) => around[vertex]!.push(Math.floor(i / 3)));
  return around;
}

/** TensorFlow's and PyTorch's normalisations divide by no less than this. */
const LEAST = 1e-12;

const normalsCode = (weights: RingOptions["weights"]) =>
  program({
    result: "f32",
    inputs: [["points", "f32"], ["corners", "i32"], ["offsets", "i32"], ["around", "i32"]],
    uniforms: ["count", "vertices"],
    functions: /* wgsl */ `
fn point(i : i32) -> vec3<f32> { return vec3<f32>(points[3 * i], points[3 * i + 1], points[3 * i + 2]); }
fn unit(v : vec3<f32>) -> vec3<f32> { return v * inverseSqrt(max(dot(v, v), ${LEAST})); }`,
    body: `
  if (id >= u.count) { return; }
  let vertex = id % u.vertices;
  let first = id - vertex;
  var sum = vec3<f32>();
  for (var k = offsets[vertex]; k < offsets[vertex + 1]; k++) {
    let corner = 3 * around[k];
    let a = point(first + corners[corner]);
    let flat = cross(point(first + corners[corner + 1]) - a, point(first + corners[corner + 2]) - a);
    sum += ${weights === "area" ? "flat" : "unit(flat)"};
  }
  let normal = unit(sum);
  result[3 * id] = normal.x;
  result[3 * id + 1] = normal.y;
  result[3 * id + 2] = normal.z;`,
  });
