/** Light taken off and put back by subtraction and addition, as FTIM does (paper, section 3.2). */
import type * as tfjs from "@tensorflow/tfjs";
import type { Tfjs } from "@ftim/gpu/backend";
import type { FtimInput } from "./ftim_input.ts";
import type { Variables } from "./parameters.ts";
import type { TextureModel } from "./texture_model.ts";

/** The light taken off a texture: output − template texture + template albedo. Maps [B,S,S,3]. */
export function removeLighting(
  tf: Tfjs,
  { texture, templateTexture, templateAlbedo }: Record<"texture" | "templateTexture" | "templateAlbedo", tfjs.Tensor4D>,
): tfjs.Tensor4D {
  return tf.add(tf.sub(texture, templateTexture), templateAlbedo);
}

/** A network that completes textures as a model of albedo. */
export function subtractedLight(
  tf: Tfjs,
  { parameters, texture }: Pick<TextureModel, "parameters"> & {
    /** Complete textures [B,S,S,3]. */
    texture(variables: Variables, input: FtimInput): tfjs.Tensor4D;
  },
): TextureModel {
  return {
    parameters,
    albedo: (variables, input) => removeLighting(tf, { ...input, texture: texture(variables, input) }),
    light: ({ albedo, templateAlbedo, shading }) =>
      tf.add(tf.sub(albedo, templateAlbedo), tf.mul(templateAlbedo, shading)),
  };
}
