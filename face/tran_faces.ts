/**
 * Faces of Tran et al. on the device (`rendering_ops.py` of tranluan/Nonlinear_Face_3DMM), a batch at once: vertices
 * from the map of shape, normals, light on the map of albedo, and the weak-perspective camera.
 *
 * A camera is eight numbers [x, y, z, 1] × [right, up]: a vertex is at the sums of its column, in pixels of the crop
 * from the lower left corner, where a pixel's centre is at 1, 2, …. Its rows' directions turn the normals.
 */
import type { Tensor, Tensor2D, Tensor3D, Tensor4D } from "@tensorflow/tfjs";
import type { Tfjs } from "@ftim/gpu/backend";
import { readBack } from "@ftim/gpu/ops/read-back";
import { program, run } from "@ftim/gpu/wgsl";
import { uploadRings } from "./ring_normals.ts";
import type { TranModel } from "./tran_model.ts";

/** What the network says of a batch. A type and no interface, so that `tf.tidy` takes it. */
export type TranMaps = {
  /** `[B, 8]`, normalised */
  readonly camera: Tensor2D;
  /**
   * `[B, 3, 9]`: each colour's bands 1, z, y, x, 2z²−x²−y², yz, xz, xy, x²−y², with the factors of face/light.ts
   */
  readonly light: Tensor;
  /** `[B, H, W, 3]`: from the mean face, in units of 10⁴ micrometres */
  readonly shape: Tensor4D;
  /** `[B, H, W, 3]`: 0..1 */
  readonly albedo: Tensor4D;
};

/** Faces of a batch. A type and no interface, so that `tf.tidy` takes it. */
export type TranFaces = {
  /** `[B, V, 3]`: pixels of the crop, x right, y down, z away; centres at +0.5. */
  readonly vertices: Tensor3D;
  /** `[B, H, W, 3]`: the lit texture, RGB 0..1; outside of the chart the light of band 0 is on it. */
  readonly texture: Tensor4D;
  /** `[B, V, 3]`: the lit texture at the vertices. */
  readonly colours: Tensor3D;
};

/** The mesh on the device. */
export interface TranMesh {
  /** `[F, 3]`: counter-clockwise seen from outside. */
  readonly triangles: Uint32Array<ArrayBuffer>;
  /** `[V, 2]`: u to the right and v down in the texture, 0..1. */
  readonly uvs: Float32Array<ArrayBuffer>;
  /**
   * @param maps what the network says
   * @param options.size side of the crops in pixels
   * @throws {RangeError} if a map has another size than the chart
   */
  faces(maps: TranMaps, options: { size: number }): TranFaces;
  dispose(): void;
}

/** Micrometres that the map of shape is in units of. */
const SHAPE_UNIT = 1e4;
/** Values of a camera: rotation, right and up with their shifts, scale. */
const CAMERA = 18;

/** Puts the mesh on the device, and looks which way its triangles are wound. */
export async function uploadTran(
  tf: Tfjs,
  model: TranModel,
  { height, width }: { height: number; width: number },
): Promise<TranMesh> {
  const { mean, places, texels } = model;
  const vertexCount = mean.length / 3;
  const texelCorners = new Int32Array(4 * texels.length);
  texels.forEach((triangle, texel) => {
    for (let k = 0; k < 3; k++) texelCorners[4 * texel + k] = triangle < 0 ? -1 : model.triangles[3 * triangle + k]!;
  });
  const constants = {
    mean: tf.tensor3d(mean, [1, vertexCount, 3]),
    places: tf.tensor1d(places),
    texelCorners: tf.tensor1d(texelCorners, "int32"),
    weights: tf.tensor1d(model.weights),
    cameraMean: tf.tensor2d(model.camera.mean, [1, 8]),
    cameraDeviation: tf.tensor2d(model.camera.deviation, [1, 8]),
  };
  const rings = uploadRings(tf, { triangles: model.triangles, vertexCount }, {
    weights: "equal",
    around: ringsOf(model.around, vertexCount),
  });
  const texelCount = height * width;

  /** Values of a map at the vertices: bilinear, as the authors' `bilinear_sampler`. */
  const atVertices = (map: Tensor4D) =>
    run(tf, {
      key: "tran_at_vertices",
      code: atVerticesCode,
      inputs: [map, constants.places],
      shape: [map.shape[0], vertexCount, 3],
      uniforms: [map.shape[0] * vertexCount, vertexCount, height, width],
      invocations: map.shape[0] * vertexCount,
    }) as Tensor3D;
  /** [B, 1]: 1 where normals point outward along most axes, −1 where they point inward. */
  const outward = (vertices: Tensor3D, normals: Tensor3D) =>
    tf.tidy(() => {
      const along = tf.sum(tf.mul(tf.sub(vertices, tf.mean(vertices, 1, true)), normals), 1);
      return tf.sub(tf.mul(tf.cast(tf.greater(tf.sum(tf.sign(along), 1, true), 0), "float32"), 2), 1);
    });

  const signs = tf.tidy(() => outward(constants.mean, rings.normals(constants.mean)));
  const [sign] = await readBack([signs], "Tran's mesh");
  const triangles = Uint32Array.from(model.triangles);
  if (sign![0]! < 0) { for (let t = 0; t < triangles.length; t += 3) triangles.subarray(t + 1, t + 3).reverse(); }
  const sides = [height, width];
  return {
    triangles,
    uvs: Float32Array.from({ length: 2 * vertexCount }, (_, i) => (places[i ^ 1]! + 0.5) / sides[1 - i % 2]!),
    faces({ camera, light, shape, albedo }, { size }) {
      const batch = camera.shape[0];
      for (const map of [shape, albedo]) {
        if (String(map.shape) === String([batch, height, width, 3])) continue;
        throw new RangeError(`A map of Tran's faces must be [${[batch, height, width, 3]}], not [${map.shape}]`);
      }
      return tf.tidy((): TranFaces => {
        const space: Tensor3D = tf.add(tf.mul(atVertices(shape), SHAPE_UNIT), constants.mean);
        const cameras = run(tf, {
          key: "tran_cameras",
          code: camerasCode,
          inputs: [tf.add(tf.mul(camera, constants.cameraDeviation), constants.cameraMean)],
          shape: [batch, CAMERA],
          uniforms: [batch],
          invocations: batch,
        });
        const vertices = run(tf, {
          key: "tran_project",
          code: projectCode,
          inputs: [space, cameras],
          shape: space.shape,
          uniforms: [batch * vertexCount, vertexCount, { f32: size }],
          invocations: batch * vertexCount,
        }) as Tensor3D;
        const normals = rings.normals(space);
        const texture = run(tf, {
          key: "tran_texture",
          code: textureCode,
          inputs: [
            tf.mul(normals, tf.expandDims(outward(space, normals), 2)),
            constants.texelCorners,
            constants.weights,
            cameras,
            light,
            albedo,
          ],
          shape: albedo.shape,
          uniforms: [batch * texelCount, texelCount, vertexCount],
          invocations: batch * texelCount,
        }) as Tensor4D;
        return { vertices, texture, colours: atVertices(texture) };
      });
    },
    dispose() {
      rings.dispose();
      tf.dispose(Object.values<Tensor>(constants));
    },
  };
}

function ringsOf(around: Int32Array, vertexCount: number): number[][] {
  const most = around.length / vertexCount;
  return Array.from(
    { length: vertexCount },
    (_, v) => [...around.subarray(most * v, most * (v + 1))].filter((t) => t >= 0),
  );
}

const atVerticesCode = () =>
  program({
    result: "f32",
    inputs: [["map", "f32"], ["places", "vec2<f32>"]],
    uniforms: ["count", "vertices", "height", "width"],
    functions: /* wgsl */ `
fn texel(first : i32, row : i32, column : i32) -> vec3<f32> {
  let at = 3 * (first + row * u.width + column);
  return vec3<f32>(map[at], map[at + 1], map[at + 2]);
}`,
    body: `
  if (id >= u.count) { return; }
  let place = places[id % u.vertices];
  let first = id / u.vertices * u.height * u.width;
  let most = vec2<i32>(u.height - 1, u.width - 1);
  let least = vec2<i32>(floor(place));
  let low = clamp(least, vec2<i32>(0), most);
  let high = clamp(least + 1, vec2<i32>(0), most);
  // Both come from the clamped texels, as the authors' do.
  let before = vec2<f32>(high) - place;
  let behind = place - vec2<f32>(low);
  let value = before.x * (before.y * texel(first, low.x, low.y) + behind.y * texel(first, low.x, high.y)) +
    behind.x * (before.y * texel(first, high.x, low.y) + behind.y * texel(first, high.x, high.y));
  result[3 * id] = value.x;
  result[3 * id + 1] = value.y;
  result[3 * id + 2] = value.z;`,
  });

/** Declares `point`, a vertex or a normal of three floats. */
const POINT = /* wgsl */ `
fn point(i : i32) -> vec3<f32> { return vec3<f32>(points[3 * i], points[3 * i + 1], points[3 * i + 2]); }`;

const camerasCode = () =>
  program({
    result: "f32",
    inputs: [["camera", "f32"]],
    uniforms: ["count"],
    functions: /* wgsl */ `
fn put(at : i32, row : vec3<f32>) {
  result[at] = row.x;
  result[at + 1] = row.y;
  result[at + 2] = row.z;
}`,
    body: `
  if (id >= u.count) { return; }
  let m = 8 * id;
  let right = vec3<f32>(camera[m], camera[m + 2], camera[m + 4]);
  let up = vec3<f32>(camera[m + 1], camera[m + 3], camera[m + 5]);
  let first = ${CAMERA} * id;
  put(first, normalize(right));
  put(first + 3, normalize(up));
  put(first + 6, cross(normalize(right), normalize(up)));
  put(first + 9, right);
  put(first + 12, up);
  put(first + 15, vec3<f32>(camera[m + 6], camera[m + 7], length(right)));`,
  });

/** Declares `direction`, a row of a camera. */
const DIRECTION = /* wgsl */ `
fn direction(face : i32, row : i32) -> vec3<f32> {
  let at = ${CAMERA} * face + 3 * row;
  return vec3<f32>(cameras[at], cameras[at + 1], cameras[at + 2]);
}`;

const projectCode = () =>
  program({
    result: "f32",
    inputs: [["points", "f32"], ["cameras", "f32"]],
    uniforms: ["count", "vertices", "size:f32"],
    functions: POINT + DIRECTION,
    body: `
  if (id >= u.count) { return; }
  let face = id / u.vertices;
  let place = point(id);
  let rest = direction(face, 5);
  result[3 * id] = dot(direction(face, 3), place) + rest.x - 0.5;
  result[3 * id + 1] = u.size - dot(direction(face, 4), place) - rest.y + 0.5;
  result[3 * id + 2] = -rest.z * dot(direction(face, 2), place);`,
  });

const textureCode = () =>
  program({
    result: "f32",
    inputs: [
      ["points", "f32"],
      ["texelCorners", "vec4<i32>"],
      ["weights", "f32"],
      ["cameras", "f32"],
      ["light", "f32"],
      ["albedo", "f32"],
    ],
    uniforms: ["count", "texels", "vertices"],
    functions: POINT + DIRECTION,
    body: `
  if (id >= u.count) { return; }
  let face = id / u.texels;
  let texel = id % u.texels;
  var corners = texelCorners[texel];
  var normal = vec3<f32>();
  if (corners.x >= 0) {
    for (var k = 0; k < 3; k++) {
      normal += weights[3 * texel + k] * point(face * u.vertices + corners[k]);
    }
  }
  // The mean of three unit vectors is shorter than 1, and stays so.
  let n = vec3<f32>(dot(direction(face, 0), normal), dot(direction(face, 1), normal), dot(direction(face, 2), normal));
  var bands = array<f32, 9>(
    0.28209479, 1.02332671 * n.z, 1.02332671 * n.y, 1.02332671 * n.x,
    0.24770796 * (2 * n.z * n.z - n.x * n.x - n.y * n.y),
    0.85808553 * n.y * n.z, 0.85808553 * n.x * n.z, 0.85808553 * n.x * n.y,
    0.42904277 * (n.x * n.x - n.y * n.y));
  for (var c = 0; c < 3; c++) {
    var shade = 0.0;
    for (var k = 0; k < 9; k++) { shade += light[27 * face + 9 * c + k] * bands[k]; }
    result[3 * id + c] = clamp(albedo[3 * id + c] * shade, 0.0, 1.0);
  }`,
  });
