/**
 * FLAME on the device (Li et al. 2017; `FLAME.py` and `lbs.py` of DECA): heads of a batch from shape, expression and
 * pose by linear blend skinning with pose correctives, and 68 landmarks on them. flame_cpu.ts is the reference.
 *
 * One invocation a head places the joints and gives the coefficients of the correctives; a 1×1 convolution sums mean,
 * components and correctives; one invocation a vertex moves it with the joints. Nothing is read back between.
 */
import type { Tensor, Tensor2D, Tensor3D, Tensor4D } from "@tensorflow/tfjs";
import type { Tfjs } from "@ftim/gpu/backend";
import { convolve } from "@ftim/gpu/ops/convolve";
import { emptyTensor, program, run } from "@ftim/gpu/wgsl";
import { CONTOUR_POINTS, type FlameLandmarks, type FlameModel, JAW, jointsOf, MOST_TURN } from "./flame_model.ts";

/** The model on the device. */
export interface Flame {
  /** Vertices of a head. */
  readonly vertexCount: number;
  /** Coefficients of a head. */
  readonly componentCount: number;
  /**
   * Heads.
   *
   * @param components `[B, K]`, shape and then expression
   * @param pose `[B, 6]`: rotation vectors of the head and of the jaw, radians
   * @throws {RangeError} if a shape is another
   */
  heads(components: Tensor2D, pose: Tensor2D): FlameHeads;
  dispose(): void;
}

/** Heads of a batch. A type and no interface, so that `tf.tidy` takes it. */
export type FlameHeads = {
  /** `[B, V, 3]` */
  readonly vertices: Tensor3D;
  /** `[B, 68, 3]`: the contour is the one that is seen at this turn of the head. */
  readonly landmarks: Tensor3D;
  /** `[B, 68, 3]`: on fixed places of the head. */
  readonly fixedLandmarks: Tensor3D;
};

/** Values of a joint: a rotation row after row, and a shift. */
const JOINT = 12;

/** Puts the model on the device. */
export function uploadFlame(tf: Tfjs, model: FlameModel, landmarks: FlameLandmarks): Flame {
  const { template, components, poseCorrectives, skinning, parents, triangles } = model;
  const size = template.length;
  const [vertexCount, jointCount] = [size / 3, parents.length];
  const [count, correctives] = [components.length / size, 9 * (jointCount - 1)];
  const { rest, moves } = jointsOf(model);
  const filter = tf.tidy(() =>
    tf.concat([
      tf.tensor4d(components, [1, 1, count, size]),
      tf.tensor4d(poseCorrectives, [1, 1, correctives, size]),
    ], 2)
  ) as Tensor4D;
  const mean = tf.tensor1d(template);
  const points = [landmarks.contours, landmarks.inner, landmarks.fixed];
  const corners = points.flatMap((part) =>
    Array.from(part.triangles, (triangle) => [...triangles.subarray(3 * triangle, 3 * triangle + 3)]).flat()
  );
  const constants = {
    rest: tf.tensor1d(rest),
    moves: tf.tensor1d(moves),
    parents: tf.tensor1d([...parents], "int32"),
    skinning: tf.tensor1d(skinning),
    corners: tf.tensor1d(Int32Array.from(corners), "int32"),
    weights: tf.tensor1d(Float32Array.from(points.flatMap((part) => [...part.weights]))),
  };
  const innerCount = landmarks.inner.triangles.length;
  const fixedCount = landmarks.fixed.triangles.length;
  const innerFirst = landmarks.contours.triangles.length;
  return {
    vertexCount,
    componentCount: count,
    heads(code, pose) {
      const [batch] = code.shape;
      if (code.shape[1] !== count || pose.shape[0] !== batch || pose.shape[1] !== 6) {
        throw new RangeError(
          `FLAME takes coefficients [${batch}, ${count}] and poses [${batch}, 6], ` +
            `not [${code.shape}] and [${pose.shape}]`,
        );
      }
      return tf.tidy(() => {
        const joints = emptyTensor(tf, { shape: [batch, jointCount, JOINT], dtype: "float32" });
        const turns = emptyTensor(tf, { shape: [batch], dtype: "int32" });
        const all = run(tf, {
          key: `flame_joints_${jointCount}`,
          code: () => jointsCode(jointCount),
          inputs: [code, pose, constants.rest, constants.moves, constants.parents],
          outputs: [joints, turns],
          shape: [batch, 1, 1, count + correctives],
          uniforms: [batch, count, MOST_TURN],
          invocations: batch,
        }) as Tensor4D;
        const shaped = convolve(tf, all, { filter, bias: mean });
        const vertices = run(tf, {
          key: `flame_skin_${jointCount}`,
          code: () => skinCode(jointCount),
          inputs: [shaped, joints, constants.skinning],
          shape: [batch, vertexCount, 3],
          uniforms: [batch * vertexCount, vertexCount],
          invocations: batch * vertexCount,
        }) as Tensor3D;
        const pointsOf = ({ contour, first, landmarks }: { contour: number; first: number; landmarks: number }) =>
          run(tf, {
            key: "flame_landmarks",
            code: landmarksCode,
            inputs: [vertices, turns, constants.corners, constants.weights],
            shape: [batch, landmarks, 3],
            uniforms: [batch * landmarks, landmarks, vertexCount, contour, first],
            invocations: batch * landmarks,
          }) as Tensor3D;
        return {
          vertices,
          landmarks: pointsOf({ contour: CONTOUR_POINTS, first: innerFirst, landmarks: CONTOUR_POINTS + innerCount }),
          fixedLandmarks: pointsOf({ contour: 0, first: innerFirst + innerCount, landmarks: fixedCount }),
        };
      });
    },
    dispose: () => tf.dispose([filter, mean, ...Object.values<Tensor>(constants)]),
  };
}

/**
 * Of one head: its coefficients, then what each rotation but the first has more than the identity; how each joint moves
 * the vertices; and the row of the contour.
 */
function jointsCode(joints: number): string {
  return program({
    result: "f32",
    inputs: [["code", "f32"], ["pose", "f32"], ["rest", "f32"], ["moves", "f32"], ["parents", "i32"]],
    outputs: [["joints", "f32"], ["turns", "i32"]],
    uniforms: ["count", "components", "most"],
    functions: /* wgsl */ `
fn rotation(v : vec3<f32>) -> mat3x3<f32> {
  let angle = length(v + vec3<f32>(1e-8));
  let d = v / angle;
  // columns
  let k = mat3x3<f32>(0, d.z, -d.y, -d.z, 0, d.x, d.y, -d.x, 0);
  return mat3x3<f32>(1, 0, 0, 0, 1, 0, 0, 0, 1) + k * sin(angle) + k * k * (1 - cos(angle));
}`,
    body: `
  if (id >= u.count) { return; }
  let stride = u.components + ${9 * (joints - 1)};
  for (var k = 0; k < u.components; k++) { result[id * stride + k] = code[id * u.components + k]; }
  var place : array<vec3<f32>, ${joints}>;
  for (var j = 0; j < ${joints}; j++) {
    var at = vec3<f32>(rest[3 * j], rest[3 * j + 1], rest[3 * j + 2]);
    for (var k = 0; k < u.components; k++) {
      let source = (k * ${joints} + j) * 3;
      let moved = vec3<f32>(moves[source], moves[source + 1], moves[source + 2]);
      at = fma(vec3<f32>(code[id * u.components + k]), moved, at);
    }
    place[j] = at;
  }
  var turn : array<mat3x3<f32>, ${joints}>;
  var at : array<vec3<f32>, ${joints}>;
  for (var j = 0; j < ${joints}; j++) {
    var own = mat3x3<f32>(1, 0, 0, 0, 1, 0, 0, 0, 1);
    if (j == 0) { own = rotation(vec3<f32>(pose[6 * id], pose[6 * id + 1], pose[6 * id + 2])); }
    if (j == ${JAW}) { own = rotation(vec3<f32>(pose[6 * id + 3], pose[6 * id + 4], pose[6 * id + 5])); }
    if (j == 0) {
      turn[0] = own;
      at[0] = place[0];
      let yaw = degrees(atan2(-own[0].z, length(own[0].xy)));
      let turned = clamp(i32(round(yaw)), -u.most, u.most);
      turns[id] = select(turned, u.most - turned, turned < 0);
    } else {
      let parent = parents[j];
      turn[j] = turn[parent] * own;
      at[j] = turn[parent] * (place[j] - place[parent]) + at[parent];
      for (var i = 0; i < 9; i++) {
        let more = own[i % 3][i / 3] - select(0.0, 1.0, i % 4 == 0);
        result[id * stride + u.components + 9 * (j - 1) + i] = more;
      }
    }
    let to = (id * ${joints} + j) * ${JOINT};
    for (var i = 0; i < 9; i++) { joints[to + i] = turn[j][i % 3][i / 3]; }
    let shift = at[j] - turn[j] * place[j];
    joints[to + 9] = shift.x;
    joints[to + 10] = shift.y;
    joints[to + 11] = shift.z;
  }`,
  });
}

/** A vertex, moved by all joints by their weights. */
function skinCode(joints: number): string {
  return program({
    result: "f32",
    inputs: [["shaped", "f32"], ["joints", "vec4<f32>"], ["skinning", "f32"]],
    uniforms: ["count", "vertices"],
    body: `
  if (id >= u.count) { return; }
  let vertex = id % u.vertices;
  let first = id / u.vertices * ${joints * JOINT / 4};
  var a = vec4<f32>();
  var b = vec4<f32>();
  var c = vec4<f32>();
  for (var j = 0; j < ${joints}; j++) {
    let weight = vec4<f32>(skinning[vertex * ${joints} + j]);
    a = fma(weight, joints[first + 3 * j], a);
    b = fma(weight, joints[first + 3 * j + 1], b);
    c = fma(weight, joints[first + 3 * j + 2], c);
  }
  let p = vec3<f32>(shaped[3 * id], shaped[3 * id + 1], shaped[3 * id + 2]);
  result[3 * id] = dot(a.xyz, p) + c.y;
  result[3 * id + 1] = dot(vec3<f32>(a.w, b.xy), p) + c.z;
  result[3 * id + 2] = dot(vec3<f32>(b.zw, c.x), p) + c.w;`,
  });
}

/** A landmark: of the contour that is seen, or of those after it. */
const landmarksCode = () =>
  program({
    result: "f32",
    inputs: [["vertices", "f32"], ["turns", "i32"], ["corners", "i32"], ["weights", "f32"]],
    uniforms: ["count", "landmarks", "vertexCount", "contour", "first"],
    body: `
  if (id >= u.count) { return; }
  let head = id / u.landmarks;
  let own = id % u.landmarks;
  let place = 3 * select(u.first + own - u.contour, turns[head] * u.contour + own, own < u.contour);
  var sum = vec3<f32>();
  for (var corner = 0; corner < 3; corner++) {
    let source = 3 * (head * u.vertexCount + corners[place + corner]);
    let at = vec3<f32>(vertices[source], vertices[source + 1], vertices[source + 2]);
    sum = fma(vec3<f32>(weights[place + corner]), at, sum);
  }
  result[3 * id] = sum.x;
  result[3 * id + 1] = sum.y;
  result[3 * id + 2] = sum.z;`,
  });
