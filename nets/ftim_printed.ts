/**
 * FTIM, the Facial Texture Inpainting Module, as the paper prints it (section 3.2): an encoder-decoder reads two maps,
 * the template UV albedo and the incomplete UV texture, and takes expression and pose in its latent code. Its output is
 * the complete UV texture; the albedo is output − template texture + template albedo, which removes the light by
 * subtraction. Visibility is no input, there is no first guess, and what was seen is not put back into the output.
 *
 * What the paper does not print, we decide:
 * - The encoder-decoder is that of `unet.ts`, of the sizes of our own FTIM (`ftim.ts`).
 * - The output is the template texture plus a tenth of the network's result, which starts at zero, so training starts
 *   from the lit template. The albedo is then the template's plus that residual, whatever the light. A network that
 *   starts from grey spends its first steps on the colour of skin: after 60 it was 3 dB worse (docs/departures.md).
 */
import type * as tfjs from "@tensorflow/tfjs";
import type { Tfjs } from "@ftim/gpu/backend";
import type { FtimInput } from "./ftim_input.ts";
import type { ParameterSpec, Variables } from "./parameters.ts";
import { subtractedLight } from "./subtracted_light.ts";
import type { TextureModel } from "./texture_model.ts";
import { unet, unetParameters, type UnetShape } from "./unet.ts";

/** Template albedo and incomplete texture. */
const CHANNELS = 6;
/** Factor on the network's result. */
const RESIDUAL = 0.1;

/** The shapes of its parameters by name. */
export function ftimPrintedParameters(shape: UnetShape): Record<string, ParameterSpec> {
  return unetParameters({ ...shape, channels: CHANNELS });
}

/**
 * Completes UV textures.
 *
 * @returns complete textures [B,S,S,3]; about 0..1, not clamped, so that the losses see how far out they are
 */
export function ftimPrinted(
  tf: Tfjs,
  variables: Variables,
  { widths, incomplete, templateAlbedo, templateTexture, code }:
    & Pick<FtimInput, "incomplete" | "templateAlbedo" | "templateTexture" | "code">
    & Pick<UnetShape, "widths">,
): tfjs.Tensor4D {
  return tf.tidy(() => {
    const maps = tf.concat([templateAlbedo, incomplete], 3) as tfjs.Tensor4D;
    return tf.add(templateTexture, tf.mul(RESIDUAL, unet(tf, maps, { variables, code, widths })));
  });
}

/** FTIM as printed, as a model to train. */
export function ftimPrintedModel(tf: Tfjs, shape: UnetShape): TextureModel {
  return subtractedLight(tf, {
    parameters: ftimPrintedParameters(shape),
    texture: (variables, input) => ftimPrinted(tf, variables, { ...input, ...shape }),
  });
}
