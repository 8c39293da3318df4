/**
 * FTIM, the Facial Texture Inpainting Module (paper, section 3.2): an encoder-decoder that completes a UV texture.
 *
 * The paper's network reads two maps, the template UV albedo and the incomplete UV texture, and takes expression and
 * pose in its latent code. Its output is the complete UV texture, and the albedo is output − template texture +
 * template albedo, which removes the light by subtraction.
 *
 * This network departs from it (docs/departures.md):
 * - The visibility and its mirror image are inputs too, since a black texel and one that was not seen are different
 *   things.
 * - A first guess is an input too: what is seen, else its mirror image matched in colour, else the template texture
 *   (`face/fill.ts`). A convolution cannot reach the other cheek, so symmetry is handed to it.
 * - The output is the first guess plus a residual.
 * - The residual counts by how little of a texel was seen, so what the photograph shows stays as it is (I_comp of Liu
 *   et al. 2018). Without this, training bends what is seen as well.
 *
 * What the paper does not print, we decide:
 * - Five stride-2 convolutions, then nearest-neighbour upsampling with skip connections (a U-Net).
 * - Instance normalisation follows every convolution but the last. Without it the network learns half as much or less
 *   in as many steps.
 * - Expression and pose shift the latent map between its normalisation and its rectifier. A normalisation would take
 *   out a shift before it.
 * - The last convolution starts at zero, so training starts from the first guess and not from noise. Its result counts
 *   a tenth, because a first step of Adam would otherwise throw all texels off at once.
 */
import type * as tfjs from "@tensorflow/tfjs";
import { convolve } from "@ftim/gpu/ops/convolve";
import { normalize } from "@ftim/gpu/ops/normalize";
import { upsampleConvolve } from "@ftim/gpu/ops/upsample-convolve";
import type { Tfjs } from "@ftim/gpu/backend";
import type { FtimInput } from "./ftim_input.ts";
import type { ParameterSpec, Variables } from "./parameters.ts";
import type { TextureModel } from "./texture_model.ts";

/** Sizes of the network. */
export interface FtimShape {
  /** Channels after each stride-2 convolution, finest first; the input's side must be divisible by 2^length. */
  widths: readonly number[];
  /** Channels at full resolution, before the output. */
  fullWidth: number;
  /** Length of the vector of expression and pose. */
  codeLength: number;
}

/** Incomplete texture, visibility, its mirror image, template albedo, first guess, and a constant. */
const INPUT_CHANNELS = 12;
/** Slope of the leaky rectifier below zero. */
const LEAK = 0.2;
/** Factor on the last convolution's result. */
const RESIDUAL = 0.1;

/** The shapes of FTIM's parameters by name. */
export function ftimParameters({ widths, fullWidth, codeLength }: FtimShape): Record<string, ParameterSpec> {
  const specs: Record<string, ParameterSpec> = {};
  const scale = (name: string, to: number) => {
    specs[`${name}.gamma`] = { shape: [to], fan: 0, start: 1 };
    specs[`${name}.beta`] = { shape: [to], fan: 0 };
  };
  const conv = (name: string, from: number, to: number) => {
    specs[`${name}.weight`] = { shape: [3, 3, from, to], fan: 9 * from };
    scale(name, to);
  };
  // One convolution of the coarse map, doubled, beside the encoder's map.
  const join = (name: string, coarse: number, fine: number, to: number) => {
    const fan = 9 * (coarse + fine);
    specs[`${name}.coarse`] = { shape: [3, 3, coarse, to], fan };
    specs[`${name}.skip`] = { shape: [3, 3, fine, to], fan };
    scale(name, to);
  };
  let from = INPUT_CHANNELS;
  widths.forEach((width, level) => {
    conv(`down${level}`, from, width);
    from = width;
  });
  specs["code.weight"] = { shape: [codeLength, from], fan: codeLength, gain: 0.1 };
  specs["code.bias"] = { shape: [from], fan: 0 };
  conv("latent", from, from);
  for (let level = widths.length - 2; level >= 0; level--) {
    const width = widths[level] as number;
    join(`up${level}`, from, width, width);
    from = width;
  }
  join("full", from, INPUT_CHANNELS, fullWidth);
  specs["output.weight"] = { shape: [3, 3, fullWidth, 3], fan: 0 };
  specs["output.bias"] = { shape: [3], fan: 0 };
  return specs;
}

/**
 * Completes UV textures.
 *
 * @returns complete textures [B,S,S,3]; about 0..1, not clamped, so that the losses see how far out they are
 */
export function ftim(
  tf: Tfjs,
  variables: Variables,
  { widths, ...input }: FtimInput & Pick<FtimShape, "widths">,
): tfjs.Tensor4D {
  return tf.tidy(() => {
    const filter = (name: string) => parameter(variables, name) as tfjs.Tensor4D;
    const normal = (x: tfjs.Tensor4D, name: string, slope = LEAK) =>
      normalize(tf, x, {
        gamma: parameter(variables, `${name}.gamma`) as tfjs.Tensor1D,
        beta: parameter(variables, `${name}.beta`) as tfjs.Tensor1D,
        slope,
      });
    const join = (coarse: tfjs.Tensor4D, fine: tfjs.Tensor4D, name: string) =>
      normal(
        tf.add(
          upsampleConvolve(tf, coarse, { filter: filter(`${name}.coarse`) }),
          convolve(tf, fine, { filter: filter(`${name}.skip`) }),
        ),
        name,
      );
    const { incomplete, visibility, templateAlbedo, guess } = input;
    // The constant lets the zero-padded border be told from the chart.
    const known = [incomplete, visibility, tf.reverse(visibility, 2), templateAlbedo, guess, tf.onesLike(visibility)];
    const stack = tf.concat(known, 3) as tfjs.Tensor4D;

    const skips: tfjs.Tensor4D[] = [];
    let x = stack;
    widths.forEach((_, level) => {
      skips.push(x);
      x = normal(convolve(tf, x, { filter: filter(`down${level}.weight`), stride: 2 }), `down${level}`);
    });
    const code = tf.add(
      tf.matMul(input.code, parameter(variables, "code.weight") as tfjs.Tensor2D),
      parameter(variables, "code.bias"),
    );
    const latent = normal(convolve(tf, x, { filter: filter("latent.weight") }), "latent", 1);
    x = tf.leakyRelu(tf.add(latent, tf.reshape(code, [input.code.shape[0], 1, 1, -1])), LEAK);
    for (let level = widths.length - 2; level >= 0; level--) {
      x = join(x, skips[level + 1] as tfjs.Tensor4D, `up${level}`);
    }
    x = join(x, stack, "full");
    const residual = convolve(tf, x, {
      filter: filter("output.weight"),
      bias: parameter(variables, "output.bias") as tfjs.Tensor1D,
    });
    return tf.add(guess, tf.mul(tf.mul(RESIDUAL, residual), tf.sub(1, visibility)));
  });
}

/** Removes the lighting: output − template texture + template albedo (paper, section 3.2). */
export function removeLighting(
  tf: Tfjs,
  { texture, templateTexture, templateAlbedo }: Record<"texture" | "templateTexture" | "templateAlbedo", tfjs.Tensor4D>,
): tfjs.Tensor4D {
  return tf.add(tf.sub(texture, templateTexture), templateAlbedo);
}

function parameter(variables: Variables, name: string): tfjs.Variable {
  const variable = variables[name];
  if (variable === undefined) throw new TypeError(`Cannot run the network: parameter "${name}" is absent`);
  return variable;
}

/** FTIM as a model to train. */
export function ftimModel(tf: Tfjs, shape: FtimShape): TextureModel {
  return {
    parameters: ftimParameters(shape),
    albedo: (variables, input) =>
      removeLighting(tf, { ...input, texture: ftim(tf, variables, { ...input, ...shape }) }),
    light: ({ albedo, templateAlbedo, shading }) =>
      tf.add(tf.sub(albedo, templateAlbedo), tf.mul(templateAlbedo, shading)),
  };
}
