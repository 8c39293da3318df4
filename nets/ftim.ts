/**
 * FTIM with a first guess, our form of the paper's Facial Texture Inpainting Module (section 3.2). The module as the
 * paper prints it is `ftim_printed.ts`.
 *
 * It departs from the printed one (docs/departures.md):
 * - The visibility and its mirror image are inputs too, since a black texel and one that was not seen are different
 *   things.
 * - A first guess is an input too: what is seen, else its mirror image matched in colour, else the template texture
 *   (`face/complete_textures.ts`). A convolution cannot reach the other cheek, so symmetry is handed to it.
 * - The output is the first guess plus a residual. The residual counts a tenth, because a first step of Adam would
 *   otherwise throw all texels off at once.
 * - The residual counts by how little of a texel was seen, so what the photograph shows stays as it is (I_comp of Liu
 *   et al. 2018). Without this, training bends what is seen as well.
 *
 * The encoder-decoder is that of `unet.ts`. The albedo is output − template texture + template albedo, as printed.
 */
import type * as tfjs from "@tensorflow/tfjs";
import type { Tfjs } from "@ftim/gpu/backend";
import type { FtimInput } from "./ftim_input.ts";
import type { ParameterSpec, Variables } from "./parameters.ts";
import { subtractedLight } from "./subtracted_light.ts";
import type { TextureModel } from "./texture_model.ts";
import { unet, unetParameters, type UnetShape } from "./unet.ts";

/** Incomplete texture, visibility, its mirror image, template albedo, first guess, and a constant. */
const CHANNELS = 12;
/** Factor on the network's result. */
const RESIDUAL = 0.1;

/** The shapes of its parameters by name. */
export function ftimParameters(shape: UnetShape): Record<string, ParameterSpec> {
  return unetParameters({ ...shape, channels: CHANNELS });
}

/**
 * Completes UV textures.
 *
 * @returns complete textures [B,S,S,3]; about 0..1, not clamped, so that the losses see how far out they are
 */
export function ftim(
  tf: Tfjs,
  variables: Variables,
  { widths, ...input }: FtimInput & Pick<UnetShape, "widths">,
): tfjs.Tensor4D {
  return tf.tidy(() => {
    const { incomplete, visibility, templateAlbedo, guess, code } = input;
    // The constant lets the zero-padded border be told from the chart.
    const known = [incomplete, visibility, tf.reverse(visibility, 2), templateAlbedo, guess, tf.onesLike(visibility)];
    const residual = unet(tf, tf.concat(known, 3) as tfjs.Tensor4D, { variables, code, widths });
    return tf.add(guess, tf.mul(tf.mul(RESIDUAL, residual), tf.sub(1, visibility)));
  });
}

/** FTIM with a first guess as a model to train. */
export function ftimModel(tf: Tfjs, shape: UnetShape): TextureModel {
  return subtractedLight(tf, {
    parameters: ftimParameters(shape),
    texture: (variables, input) => ftim(tf, variables, { ...input, ...shape }),
  });
}
