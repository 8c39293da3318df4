/** The templates of one face as pictures, for Figure 1: nothing else stores them. */
import type { Tree } from "@ftim/pipeline";
import { readBack } from "@ftim/gpu/ops/read-back";
import { templateMaps } from "../../../face/template_maps.ts";
import { encodePng } from "../../faces/photograph.ts";
import type { Regression } from "../../faces/regression.ts";
import { closeFaceModel, openFaceModel } from "../../faces/face_model.ts";

/** The template albedo of a face, and the template texture, which is that albedo in the face's light, as PNG. */
export async function templatePictures(
  regression: Regression,
  inputs: { readonly model: Tree; readonly topology: Tree },
): Promise<Record<"templateAlbedo" | "templateTexture", Uint8Array>> {
  const model = await openFaceModel(inputs);
  try {
    const { tf, size } = model;
    const { albedo, shading } = templateMaps(tf, [regression], model);
    const texture = tf.mul(albedo, shading);
    shading.dispose();
    const [albedoValues, textureValues] = await readBack([albedo, texture], "figure1");
    const png = (data: Float32Array) => encodePng({ width: size, height: size, data });
    return { templateAlbedo: await png(albedoValues!), templateTexture: await png(textureValues!) };
  } finally {
    closeFaceModel(model);
  }
}
