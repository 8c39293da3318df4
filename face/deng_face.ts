/**
 * A batch of faces of the Basel Face Model on the device, as Deng et al. 2019 pose, light and project them
 * (`compute_for_render` of `models/bfm.py` in Deep3DFaceRecon_pytorch). Albedo, light and colours are sRGB values as
 * stored, as there.
 */
import type { Tensor, Tensor1D, Tensor2D, Tensor3D, Tensor4D } from "@tensorflow/tfjs";
import type { Tfjs } from "@ftim/gpu/backend";
import { convolve } from "@ftim/gpu/ops/convolve";
import { emptyTensor, program, run } from "@ftim/gpu/wgsl";
import { BFM_AROUND, type BfmModel } from "./bfm_model.ts";
import { DENG_CENTRE, DENG_DISTANCE, DENG_FOCAL, DENG_NEAREST } from "./deng_camera.ts";

/** What the encoder says of faces. `DengCode` of nets/deng_encoder.ts is one. */
export type DengParameters = {
  /** `[B, I]` */
  readonly identity: Tensor2D;
  /** `[B, E]`; I + E are the model's components of shape. */
  readonly expression: Tensor2D;
  /** `[B, A]` */
  readonly albedo: Tensor2D;
  /** `[B, 3]`: pitch, yaw, roll in radians; the rotation is Rz·Ry·Rx. */
  readonly angles: Tensor2D;
  /** `[B, 3, 9]`: bands of light of each colour, less 0.8 in the first. */
  readonly light: Tensor3D;
  /** `[B, 3]`: decimetres, x right, y up, z to the viewer. */
  readonly translation: Tensor2D;
};

/** Faces. A type and no interface, so that `tf.tidy` takes it. */
export type DengFaces = {
  /**
   * `[B, V, 3]`: pixels of the crop, x right, y down, z away, centres at +0.5. Depth is that of a picture in
   * perspective, 1 − 10/z times the focal length: linear along a triangle in the picture, and in pixels near the face.
   */
  readonly vertices: Tensor3D;
  /** `[B, V, 3]`: lit, RGB about 0..1. */
  readonly colours: Tensor3D;
};

/** A model on the device. */
export interface DeviceBfm {
  /**
   * @throws {RangeError} if the parameters are not of the model's components
   */
  faces(parameters: DengParameters): DengFaces;
  dispose(): void;
}

/** Numbers of a face beside its components: angles, light, translation. */
const OTHERS = 3 + 27 + 3;

/** Takes a model to the device. It stays there until `dispose`. */
export function uploadBfm(tf: Tfjs, model: BfmModel): DeviceBfm {
  const size = model.mean.length;
  const layer = (components: Float32Array, mean: Float32Array) => ({
    filter: tf.tensor4d(components, [1, 1, components.length / size, size]),
    bias: tf.tensor1d(mean) as Tensor1D,
  });
  const shape = layer(model.components, model.mean);
  const tone = layer(model.albedoComponents, model.albedo);
  const corners = tf.tensor1d(Int32Array.from(model.triangles), "int32");
  const around = tf.tensor1d(Int32Array.from(model.around), "int32");
  const vertices = size / 3;
  const triangles = model.triangles.length / 3;
  return {
    faces: ({ identity, expression, albedo, angles, light, translation }) =>
      tf.tidy(() => {
        const [batch] = identity.shape;
        const code = tf.concat([identity, expression], 1);
        for (const [given, { filter }] of [[code, shape], [albedo, tone]] as const) {
          if (given.shape[0] === batch && given.shape[1] === filter.shape[2]) continue;
          throw new RangeError(`The model takes [${batch}, ${filter.shape[2]}] components, not [${given.shape}]`);
        }
        const of = (components: Tensor, by: typeof shape) =>
          convolve(tf, tf.reshape(components, [batch, 1, 1, by.filter.shape[2]]) as Tensor4D, by);
        const others = tf.concat([angles, tf.reshape(light, [batch, 27]), translation], 1);
        const colours = emptyTensor(tf, { shape: [batch, vertices, 3], dtype: "float32" }) as Tensor3D;
        const posed = run(tf, {
          key: "deng_face",
          code: faceCode,
          inputs: [of(code, shape), of(albedo, tone), others, around, corners],
          outputs: [colours],
          shape: [batch, vertices, 3],
          uniforms: [batch * vertices, vertices, triangles],
          invocations: batch * vertices,
        }) as Tensor3D;
        return { vertices: posed, colours };
      }),
    dispose: () => tf.dispose([shape.filter, shape.bias, tone.filter, tone.bias, corners, around]),
  };
}

/** Constants of the light: band k is `a · c` times its polynomial, a and c as in the authors' class `SH`. */
const LIGHT = (() => {
  const a = [Math.PI, 2 * Math.PI / Math.sqrt(3), 2 * Math.PI / Math.sqrt(8)] as const;
  const c = [
    1 / Math.sqrt(4 * Math.PI),
    Math.sqrt(3 / (4 * Math.PI)),
    3 * Math.sqrt(5) / Math.sqrt(12 * Math.PI),
  ] as const;
  return { ambient: a[0] * c[0], first: a[1] * c[1], second: a[2] * c[2] };
})();
/** What is added to the first band of each colour: the light that the network starts from. */
const START = 0.8;

/** A vertex: its normal from the triangles around it, turned; its colour; its place. */
const faceCode = () =>
  program({
    result: "f32",
    inputs: [["shapes", "f32"], ["tones", "f32"], ["others", "f32"], ["around", "i32"], ["corners", "i32"]],
    outputs: [["colours", "f32"]],
    uniforms: ["count", "vertices", "triangles"],
    functions: /* wgsl */ `
fn unit(v : vec3<f32>) -> vec3<f32> { return v / max(length(v), 1e-12); }
fn turned(p : vec3<f32>, angles : vec3<f32>) -> vec3<f32> {
  let s = sin(angles);
  let c = cos(angles);
  let x = vec3<f32>(p.x, c.x * p.y - s.x * p.z, s.x * p.y + c.x * p.z);
  let y = vec3<f32>(c.y * x.x + s.y * x.z, x.y, c.y * x.z - s.y * x.x);
  return vec3<f32>(c.z * y.x - s.z * y.y, s.z * y.x + c.z * y.y, y.z);
}
fn place(head : i32, vertex : i32) -> vec3<f32> {
  let at = 3 * (head * u.vertices + vertex);
  return vec3<f32>(shapes[at], shapes[at + 1], shapes[at + 2]);
}`,
    body: `
  if (id >= u.count) { return; }
  let head = id / u.vertices;
  let vertex = id % u.vertices;
  let own = ${OTHERS} * head;
  let angles = vec3<f32>(others[own], others[own + 1], others[own + 2]);
  var sum = vec3<f32>();
  for (var k = 0; k < ${BFM_AROUND}; k++) {
    let t = around[${BFM_AROUND} * vertex + k];
    if (t < u.triangles) {
      let b = place(head, corners[3 * t + 1]);
      sum += unit(cross(place(head, corners[3 * t]) - b, b - place(head, corners[3 * t + 2])));
    }
  }
  let n = turned(unit(sum), angles);
  var bands = array<f32, 9>(
    ${LIGHT.ambient},
    ${-LIGHT.first} * n.y,
    ${LIGHT.first} * n.z,
    ${-LIGHT.first} * n.x,
    ${LIGHT.second} * n.x * n.y,
    ${-LIGHT.second} * n.y * n.z,
    ${LIGHT.second / 2 / Math.sqrt(3)} * (3 * n.z * n.z - 1),
    ${-LIGHT.second} * n.x * n.z,
    ${LIGHT.second / 2} * (n.x * n.x - n.y * n.y));
  for (var c = 0; c < 3; c++) {
    var light = ${START} * bands[0];
    for (var k = 0; k < 9; k++) { light = fma(others[own + 3 + 9 * c + k], bands[k], light); }
    colours[3 * id + c] = light * tones[3 * id + c] / 255;
  }
  let at = turned(place(head, vertex), angles) + vec3<f32>(others[own + 30], others[own + 31], others[own + 32]);
  let depth = max(${DENG_DISTANCE} - at.z, ${DENG_NEAREST});
  result[3 * id] = ${DENG_CENTRE} + ${DENG_FOCAL} * at.x / depth;
  result[3 * id + 1] = ${DENG_CENTRE} - ${DENG_FOCAL} * at.y / depth;
  result[3 * id + 2] = ${DENG_FOCAL} * (1 - ${DENG_DISTANCE} / depth);`,
  });
