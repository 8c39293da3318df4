/**
 * Pictures that are linear in some coefficients, and the gradient of what is asked of them. One pass over the pixels
 * each: all that a step of a fit reads are the parts.
 */
import type { Tensor, Tensor1D, Tensor4D } from "@tensorflow/tfjs";
import type { Tfjs } from "@ftim/gpu/backend";
import { clearedTensor, emptyTensor, program, run } from "@ftim/gpu/wgsl";
import type { LinearPictures } from "../face/linear_pictures.ts";
import { addLanes, LANES } from "../face/weighted_sums.ts";

/**
 * base + Σ code_k · part_k.
 *
 * @param codes [B, 4·Q]
 * @returns [B, H, W, 3]
 */
export function renderLinear(tf: Tfjs, { base, parts, weight }: LinearPictures, codes: Tensor): Tensor4D {
  const [, height, width] = base.shape;
  const picture = emptyTensor(tf, { shape: base.shape, dtype: "float32" }) as Tensor4D;
  eachPart(parts, (part, first) => {
    const pixels = part.shape[0]! * height * width;
    run(tf, {
      key: "render_linear",
      code: renderCode,
      inputs: [base, part, weight, codes],
      into: picture,
      shape: picture.shape,
      uniforms: [pixels, height * width, codes.shape[1]! / 4, first],
      invocations: pixels,
    });
  });
  return picture;
}

/** Calls with each tensor of parts and the first of its faces. */
function eachPart(parts: readonly Tensor[], use: (part: Tensor, first: number) => void): void {
  let first = 0;
  for (const part of parts) {
    use(part, first);
    first += part.shape[0]!;
  }
}

function renderCode(): string {
  return program({
    result: "f32",
    inputs: [["base", "f32"], ["parts", "vec4<f32>"], ["weight", "f32"], ["codes", "vec4<f32>"]],
    uniforms: ["total", "pixels", "quads", "firstFace"],
    body: `
  if (id >= u.total) { return; }
  let pixel = u.firstFace * u.pixels + id;
  var sum = vec3<f32>(base[3 * pixel], base[3 * pixel + 1], base[3 * pixel + 2]);
  let face = pixel / u.pixels * u.quads;
  let first = 3 * id * u.quads;
  // Outside the face there are no parts to read.
  let count = select(0, u.quads, weight[pixel] > 0.0);
  for (var k = 0; k < count; k++) {
    let code = codes[face + k];
    sum += vec3<f32>(
      dot(code, parts[first + k]), dot(code, parts[first + u.quads + k]), dot(code, parts[first + 2 * u.quads + k]));
  }
  result[3 * pixel] = sum.x;
  result[3 * pixel + 1] = sum.y;
  result[3 * pixel + 2] = sum.z;`,
  });
}

/** Where a gradient is taken, and of what. */
export interface LinearGradientOptions {
  /** `renderLinear` of the codes [B, H, W, 3]. */
  readonly picture: Tensor4D;
  /** [B, H, W, 3] */
  readonly photograph: Tensor4D;
  /** Sum of the weights of each face's pixels [B]. */
  readonly total: Tensor1D;
  /** Weight of the mean over a face of the norm of a pixel's colour difference. */
  readonly photometric: number;
  /** The gradient of all other terms in the picture [B, H, W, 3]. Default: 0. */
  readonly slope?: Tensor;
}

/**
 * The gradient in the codes. Pixels without weight do not count. Every sum has a fixed order, which does not depend on
 * the number of faces.
 *
 * @returns [B, 4·Q]
 */
export function linearGradient(
  tf: Tfjs,
  { parts, weight }: LinearPictures,
  { picture, photograph, total, photometric, slope }: LinearGradientOptions,
): Tensor {
  const [batch, height, width] = picture.shape;
  const quads = parts[0]!.shape[4]! / 4;
  return tf.tidy(() => {
    const others = slope ?? clearedTensor(tf, { shape: picture.shape, dtype: "float32" });
    const partial = emptyTensor(tf, { shape: [batch * quads, LANES, 4], dtype: "float32" });
    eachPart(parts, (part, first) => {
      const invocations = part.shape[0]! * LANES;
      run(tf, {
        key: `linear_gradient_${quads}`,
        code: () => gradientCode(quads),
        inputs: [part, weight, picture, photograph, total, others],
        into: partial,
        shape: partial.shape,
        uniforms: [invocations, height * width, first, { f32: photometric }],
        invocations,
      });
    });
    return tf.reshape(addLanes(tf, partial), [batch, 4 * quads]);
  });
}

function gradientCode(quads: number): string {
  const eachQuad = (line: (k: number) => string) => Array.from({ length: quads }, (_, k) => line(k)).join("\n    ");
  return program({
    result: "vec4<f32>",
    inputs: [
      ["parts", "vec4<f32>"],
      ["weight", "f32"],
      ["picture", "f32"],
      ["photograph", "f32"],
      ["total", "f32"],
      ["slope", "f32"],
    ],
    uniforms: ["count", "pixels", "firstFace", "photometric:f32"],
    functions: `
fn slopeAt(at : i32, factor : f32) -> vec3<f32> {
  let difference = vec3<f32>(
    picture[at] - photograph[at], picture[at + 1] - photograph[at + 1], picture[at + 2] - photograph[at + 2]);
  // The small number keeps the norm's slope finite where there is no difference.
  let norm = sqrt(dot(difference, difference) + 1e-8);
  return vec3<f32>(slope[at], slope[at + 1], slope[at + 2]) + factor / norm * difference;
}`,
    body: `
  if (id >= u.count) { return; }
  let face = u.firstFace + id / ${LANES};
  let lane = id % ${LANES};
  let factor = u.photometric / (total[face] + 1e-6);
  ${eachQuad((k) => `var sum${k} = vec4<f32>();`)}
  for (var i = lane; i < u.pixels; i += ${LANES}) {
    let pixel = face * u.pixels + i;
    // A loop and no condition: a software adapter would compute the body of an "if" for every pixel.
    for (var own = weight[pixel]; own > 0.0; own = 0.0) {
    let s = slopeAt(3 * pixel, factor * own);
    let first = 3 * (pixel - u.firstFace * u.pixels) * ${quads};
    ${
      eachQuad((k) =>
        `sum${k} += s.x * parts[first + ${k}] + s.y * parts[first + ${quads + k}] + s.z * parts[first + ${
          2 * quads + k
        }];`
      )
    }
    }
  }
  ${eachQuad((k) => `result[(face * ${quads} + ${k}) * ${LANES} + lane] = sum${k};`)}`,
  });
}
