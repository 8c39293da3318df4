/**
 * Identity of a face as 512 numbers, a network of the ArcFace family as the package faceplugin-face-recognition-js
 * ships it, `model/fr_feature.onnx`. Not differentiable here: it is the third opinion in the scores, never a loss.
 */
import type { RgbImage } from "../face/image.ts";
import { openSession } from "@ftim/gpu/onnx";
import type { Tfjs } from "@ftim/gpu/tfjs";
import { ALIGNED_SIZE, alignedSquare, alignFace, type FivePoints } from "./five_points.ts";
import { withPicture } from "./network_input.ts";
import { cutTurnedSquares } from "./turned_squares.ts";

const NORMALISATION = { mean: 127 / 255, deviation: 128 / 255 };

/** An open feature network. */
export interface Features512 {
  /**
   * The descriptor of one face; faces are compared by the cosine of their descriptors.
   *
   * @param points eyes, nose tip and mouth corners in pixels of `image`, see five_points.ts
   * @returns `[512]`, of length 1
   */
  embed(image: RgbImage, points: FivePoints): Promise<Float32Array>;
  dispose(): Promise<void>;
}

/**
 * Opens the network.
 *
 * @param model `model/fr_feature.onnx` of the package
 */
export async function openFeatures512(model: Uint8Array): Promise<Features512> {
  const session = await openSession(model, { name: "512 features" });
  return {
    async embed(image, points) {
      const picture = {
        onCpu: () => alignFace(image, points),
        onDevice: (tf: Tfjs) => cutTurnedSquares(tf, [{ image, ...alignedSquare(points) }], { side: ALIGNED_SIZE }),
        normalisation: NORMALISATION,
      };
      const { output } = await withPicture(session, picture, (input) => session.run({ input }));
      if (!output) throw new TypeError("Cannot embed a face: the model has no output named output");
      const length = Math.hypot(...output.data);
      return output.data.map((value) => value / length);
    },
    dispose: () => session.release(),
  };
}
