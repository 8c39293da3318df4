/**
 * What is left of the method without FTIM, for the ablation: where a face was not seen it has the lit template and, on
 * it, one map that is the same for every face. The map is trained with all losses on all triplets, so a row with it
 * says what losses and data give without a network that looks at the face.
 *
 * The paper's column is of a "network trained without FTIM but with all losses"; what that network is it does not say.
 */
import type * as tfjs from "@tensorflow/tfjs";
import type { Tfjs } from "@ftim/gpu/backend";
import { subtractedLight } from "./subtracted_light.ts";
import type { TextureModel } from "./texture_model.ts";

/** The lit template with a learned map on it, where nothing was seen, as a model to train; `size`: the map's side. */
export function learnedMapModel(tf: Tfjs, { size }: { size: number }): TextureModel {
  return subtractedLight(tf, {
    parameters: { map: { shape: [1, size, size, 3], fan: 0 } },
    texture: ({ map }, { incomplete, visibility, templateTexture }) => {
      if (map === undefined) throw new TypeError('Cannot complete textures: parameter "map" is absent');
      return tf.tidy(() => {
        const unseen = tf.add(templateTexture, map as tfjs.Tensor);
        return tf.add<tfjs.Tensor4D>(incomplete, tf.mul(tf.sub(1, visibility), unseen));
      });
    },
  });
}
