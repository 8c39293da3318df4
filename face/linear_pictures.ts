/**
 * The render of each face of a batch as a linear function of its albedo's coefficients, on the device. Geometry and
 * light are fixed, so picture = base + Σ code_k · part_k, and a fit needs no renderer. All parts of a pixel are made at
 * once from the model's rows at its four taps; the K textures that would give them one by one are written nowhere.
 */
import type { Tensor, Tensor3D, Tensor4D } from "@tensorflow/tfjs";
import { itemsAtOnce } from "@ftim/gpu/at-once";
import type { Tfjs } from "@ftim/gpu/backend";
import { clearedTensor, emptyTensor } from "@ftim/gpu/wgsl";
import type { AlbedoBasis } from "./albedo_basis.ts";
import type { DeviceOperator } from "./render_device.ts";
import { runEachPixel } from "./render_pixels.ts";
import { eachChannel, eachPlace } from "./samples_wgsl.ts";

/** Pictures of some faces that are linear in K coefficients, filled up with zeros to Q elements of four. */
export interface LinearPictures {
  /** The mean albedo's render, cut off at 0 and 1; the photograph where no mesh is [B, H, W, 3]. */
  readonly base: Tensor4D;
  /**
   * What one standard deviation of each component adds, of as many faces as a buffer holds after those of the last
   * tensor [F, H, W, 3, 4·Q]; arbitrary where the weight is 0.
   */
  readonly parts: readonly Tensor[];
  /** Weight of each pixel ≥ 0: 0 outside the face, little where there is no skin [B, H, W]. */
  readonly weight: Tensor3D;
}

/** The faces, and what was seen of them. */
export interface LinearScenes {
  /** With one sample a pixel. */
  readonly operator: DeviceOperator;
  /** Shading of each texel [B, S, S, 3]. */
  readonly shading: Tensor4D;
  /** All texels of the model. */
  readonly basis: AlbedoBasis;
  /** The photographs [B, H, W, 3]. */
  readonly photograph: Tensor4D;
  /** Codes [B, 4·Q] in standard deviations, whose render says what is no skin. */
  readonly codes: Tensor;
  /** Mean colour difference beyond which a pixel counts less. */
  readonly huber: number;
}

/**
 * Makes the pictures of a batch. They belong to the caller, or to the `tidy` around.
 *
 * @throws {RangeError} if the operator or the model is not as said above, or the shapes do not fit
 */
export function linearPictures(
  tf: Tfjs,
  { operator, shading, basis, photograph, codes, huber }: LinearScenes,
): LinearPictures {
  const { count, width, height, size, samples } = operator;
  const quads = basis.rows.shape[1]! / 4;
  if (samples !== 1 || basis.samples.length !== size * size) {
    throw new RangeError("A linear picture takes an operator of one sample a pixel, and a model's every texel");
  }
  const fits = [[shading, [count, size, size, 3]], [photograph, [count, height, width, 3]], [codes, [count, 4 * quads]]]
    .every(([tensor, shape]) => `${(tensor as Tensor).shape}` === `${shape}`);
  if (!fits) {
    throw new RangeError(
      `Shading [${shading.shape}], photographs [${photograph.shape}] and codes [${codes.shape}] must be of ${count} ` +
        `faces with ${size}² texels, ${height}×${width} pixels and ${4 * quads} coefficients`,
    );
  }
  const most = itemsAtOnce(tf, 48 * quads * width * height);
  return tf.tidy(() => {
    const weight = clearedTensor(tf, { shape: [count, height, width], dtype: "float32" }) as Tensor3D;
    const base = tf.add<Tensor4D>(photograph, 0);
    const parts = Array.from({ length: Math.ceil(count / most) }, (_, part) => {
      const range = { first: part * most, count: Math.min(most, count - part * most) };
      const into = emptyTensor(tf, { shape: [range.count, height, width, 3, 4 * quads], dtype: "float32" });
      runEachPixel(tf, operator, {
        name: `linear_${quads}`,
        code: () => code(quads),
        inputs: [shading, basis.mean, basis.rows, codes, photograph, tf.tensor1d([huber])],
        outputs: [base, weight],
        into,
        range,
      });
      return into;
    });
    return { base, parts, weight };
  });
}

function code(quads: number): string {
  const numbers = Array.from({ length: quads }, (_, k) => k);
  const eachPart = (line: (c: number, k: number) => string) =>
    eachChannel(3, (c) => numbers.map((k) => line(c, k)).join(" "));
  const axis = (c: number) => "xyz"[c];
  return eachPlace(1, {
    result: "vec4<f32>",
    inputs: [
      ["shading", "f32"],
      ["mean", "vec4<f32>"],
      ["rows", "vec4<f32>"],
      ["codes", "vec4<f32>"],
      ["photograph", "f32"],
      ["huber", "f32"],
    ],
    outputs: [["base", "f32"], ["weight", "f32"]],
    before: `
  var plain = vec3<f32>();
  var cut = vec3<f32>();
  ${eachPart((c, k) => `var part${c}_${k} = vec4<f32>();`)}`,
    one: `
    let taps = bilinear(at);
    // A software adapter computes what stands in an "if" for all pixels, but leaves a loop that none of them takes.
    let count = select(0, 4, covered > 0.0);
    for (var tap = 0; tap < count; tap++) {
      let texel = taps.texels[tap];
      let first = 3 * (mesh * u.size * u.size + texel);
      let light = vec3<f32>(shading[first], shading[first + 1], shading[first + 2]);
      let lit = mean[texel].xyz * light;
      let own = taps.weights[tap];
      plain += own * lit;
      cut += own * clamp(lit, vec3<f32>(), vec3<f32>(1.0));
      let factor = own * light;
      let row = 3 * texel * ${quads};
      ${eachPart((c, k) => `part${c}_${k} += factor.${axis(c)} * rows[row + ${c * quads + k}];`)}
    }`,
    after: `
  if (covered > 0.0) {
    ${numbers.map((k) => `let code${k} = codes[mesh * ${quads} + ${k}];`).join(" ")}
    let start = plain + vec3<f32>(${
      [0, 1, 2].map((c) => numbers.map((k) => `dot(code${k}, part${c}_${k})`).join(" + ")).join(", ")
    });
    let seen = vec3<f32>(photograph[3 * pixel], photograph[3 * pixel + 1], photograph[3 * pixel + 2]);
    let error = dot(abs(start - seen), vec3<f32>(1.0)) / 3.0;
    weight[pixel] = min(1.0, huber[0] / max(error, 1e-6));
    ${eachChannel(3, (c) => `base[3 * pixel + ${c}] = cut.${axis(c)};`)}
    let local = pixel - u.firstMesh * u.width * u.height;
    ${eachPart((c, k) => `result[(3 * local + ${c}) * ${quads} + ${k}] = part${c}_${k};`)}
  }`,
  });
}
