/**
 * Faces of Chen et al. 2020 on the device (`basis_utils.py` and `render_utils.py` of cyj907/unsupervised-detail-layer),
 * a batch at once: the Basel Face Model, an orthographic camera of which the scale and the shifts are in pixels of a
 * crop of 300, and light on normals in the camera's space.
 *
 * The authors interpolate albedo and normals between the vertices and light each pixel. Here the vertices are lit, and
 * their colours are interpolated: with 53,215 vertices a triangle is about a pixel large.
 */
import type { Tensor, Tensor2D, Tensor3D, Tensor4D } from "@tensorflow/tfjs";
import type { Tfjs } from "@ftim/gpu/backend";
import { convolve } from "@ftim/gpu/ops/convolve";
import { program, run } from "@ftim/gpu/wgsl";
import type { ChenModel } from "./chen_model.ts";
import { uploadRings } from "./ring_normals.ts";

/** What the network says of a batch. A type and no interface, so that `tf.tidy` takes it. */
export type ChenParameters = {
  /** `[B, 80]` */
  readonly shape: Tensor2D;
  /** `[B, 29]` */
  readonly expression: Tensor2D;
  /** `[B, 80]` */
  readonly albedo: Tensor2D;
  /** `[B, 6]`: pitch, yaw, roll in radians; shift to the right and up in pixels; logarithm of the scale. */
  readonly pose: Tensor2D;
  /** `[B, 3, 9]`: each colour's bands 1, z, x, y, 3z²−1, xz, yz, x²−y², xy, orthonormal ones. */
  readonly light: Tensor;
};

/** Faces of a batch. A type and no interface, so that `tf.tidy` takes it. */
export type ChenFaces = {
  /** `[B, V, 3]`: before they are posed; x right, y up, z to the viewer. */
  readonly space: Tensor3D;
  /** `[B, V, 3]`: pixels of the crop, x right, y down, z away; centres at +0.5. */
  readonly vertices: Tensor3D;
  /** `[B, V, 3]`: RGB 0..1, without light. */
  readonly albedo: Tensor3D;
  /** `[B, V, 3]`: RGB 0..1, lit. */
  readonly colours: Tensor3D;
};

/** The model on the device. */
export interface ChenMesh {
  /** `[F, 3]`: counter-clockwise seen from outside. */
  readonly triangles: Uint32Array;
  /** `[V]`: how much of each vertex the authors draw, 0..1. */
  readonly mask: Float32Array;
  /** @throws {RangeError} if there are not as many parameters as components */
  faces(parameters: ChenParameters): ChenFaces;
  dispose(): void;
}

/** Side of the crop in pixels: the camera's middle is half of it to the right and up. */
export const CHEN_CROP = 300;
/** The camera enlarges the model by so much at a scale of 1. */
const ENLARGED = 1.5;
/** What is added to the depth: `tz_init`. */
const DEPTH = -20;

/** Puts the model on the device. */
export function uploadChen(tf: Tfjs, model: ChenModel): ChenMesh {
  const size = model.mean.length;
  const vertexCount = size / 3;
  const space = (mean: Float32Array, components: Float32Array) => ({
    filter: tf.tensor4d(components, [1, 1, components.length / size, size]),
    bias: tf.tensor1d(mean),
  });
  const shapes = space(model.mean, model.components);
  const albedos = space(model.albedoMean, model.albedoComponents);
  const rings = uploadRings(tf, { triangles: model.triangles, vertexCount }, { weights: "area" });
  return {
    triangles: model.triangles,
    mask: model.mask,
    faces({ shape, expression, albedo, pose, light }) {
      const batch = shape.shape[0];
      const counts = [shapes.filter.shape[2], albedos.filter.shape[2]];
      if (shape.shape[1] + expression.shape[1] !== counts[0] || albedo.shape[1] !== counts[1]) {
        throw new RangeError(
          `Chen's model has ${counts[0]} components of shape and expression and ${counts[1]} of albedo, not ` +
            `${shape.shape[1]} + ${expression.shape[1]} and ${albedo.shape[1]}`,
        );
      }
      return tf.tidy((): ChenFaces => {
        const sum = (code: Tensor, of: typeof shapes): Tensor3D =>
          tf.reshape(convolve(tf, tf.reshape(code, [batch, 1, 1, -1]) as Tensor4D, of), [batch, vertexCount, 3]);
        const still = sum(tf.concat([shape, expression], 1), shapes);
        const unlit: Tensor3D = tf.clipByValue(sum(albedo, albedos), 0, 1);
        const { camera, vertices } = poseChen(tf, still, pose);
        const colours = lightChen(tf, rings.normals(camera), { albedo: unlit, light });
        return { space: still, vertices, albedo: unlit, colours };
      });
    },
    dispose() {
      rings.dispose();
      for (const { filter, bias } of [shapes, albedos]) tf.dispose([filter, bias]);
    },
  };
}

/**
 * Poses vertices.
 *
 * @param space `[B, V, 3]`
 * @param pose `[B, 6]`
 * @returns `camera`: in pixels about the middle of the crop, y up, z to the viewer; `vertices`: as of `ChenFaces`
 */
export function poseChen(tf: Tfjs, space: Tensor3D, pose: Tensor): { camera: Tensor3D; vertices: Tensor3D } {
  const [batch, vertexCount] = space.shape;
  const camera = run(tf, {
    key: "chen_pose",
    code: poseCode,
    inputs: [space, pose],
    shape: space.shape,
    uniforms: [batch * vertexCount, vertexCount],
    invocations: batch * vertexCount,
  }) as Tensor3D;
  const half = CHEN_CROP / 2;
  return { camera, vertices: tf.tidy(() => tf.add(tf.mul(camera, [1, -1, -1]), [half, half, 0])) };
}

/**
 * Lit colours 0..1.
 *
 * @param normals `[B, V, 3]`, in the camera's space
 * @param options.albedo `[B, V, 3]`
 * @param options.light `[B, 3, 9]`
 */
export function lightChen(
  tf: Tfjs,
  normals: Tensor3D,
  { albedo, light }: { albedo: Tensor3D; light: Tensor },
): Tensor3D {
  const [batch, vertexCount] = normals.shape;
  return run(tf, {
    key: "chen_light",
    code: lightCode,
    inputs: [normals, albedo, light],
    shape: normals.shape,
    uniforms: [batch * vertexCount, vertexCount],
    invocations: batch * vertexCount,
  }) as Tensor3D;
}

const poseCode = () =>
  program({
    result: "f32",
    inputs: [["points", "f32"], ["pose", "f32"]],
    uniforms: ["count", "vertices"],
    body: `
  if (id >= u.count) { return; }
  let at = 6 * (id / u.vertices);
  let c = vec3<f32>(cos(pose[at]), cos(pose[at + 1]), cos(pose[at + 2]));
  let s = vec3<f32>(sin(pose[at]), sin(pose[at + 1]), sin(pose[at + 2]));
  // columns
  let pitch = mat3x3<f32>(1, 0, 0, 0, c.x, -s.x, 0, s.x, c.x);
  let yaw = mat3x3<f32>(c.y, 0, s.y, 0, 1, 0, -s.y, 0, c.y);
  let roll = mat3x3<f32>(c.z, -s.z, 0, s.z, c.z, 0, 0, 0, 1);
  let place = vec3<f32>(points[3 * id], points[3 * id + 1], points[3 * id + 2]);
  let turned = pitch * (yaw * (roll * place)) * exp(pose[at + 5]) * ${ENLARGED};
  result[3 * id] = turned.x + pose[at + 3];
  result[3 * id + 1] = turned.y + pose[at + 4];
  result[3 * id + 2] = turned.z + ${DEPTH};`,
  });

const lightCode = () =>
  program({
    result: "f32",
    inputs: [["normals", "f32"], ["albedo", "f32"], ["light", "f32"]],
    uniforms: ["count", "vertices"],
    body: `
  if (id >= u.count) { return; }
  let first = 27 * (id / u.vertices);
  let n = vec3<f32>(normals[3 * id], normals[3 * id + 1], normals[3 * id + 2]);
  var bands = array<f32, 9>(
    0.28209479, 0.48860251 * n.z, 0.48860251 * n.x, 0.48860251 * n.y,
    0.31539157 * (3 * n.z * n.z - 1), 1.09254843 * n.x * n.z, 1.09254843 * n.y * n.z,
    0.54627422 * (n.x * n.x - n.y * n.y), 1.09254843 * n.x * n.y);
  for (var colour = 0; colour < 3; colour++) {
    var shade = 0.0;
    for (var k = 0; k < 9; k++) { shade += light[first + 9 * colour + k] * bands[k]; }
    result[3 * id + colour] = clamp(albedo[3 * id + colour] * shade, 0.0, 1.0);
  }`,
  });
