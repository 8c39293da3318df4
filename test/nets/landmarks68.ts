/**
 * The 68 points of the iBUG annotation (Sagonas et al. 2013) on a face, as the package faceplugin-face-recognition-js finds them,
 * `model/fr_landmark.onnx`: a second opinion, by a network of its own, on where the mesh networks find eyes, nose and mouth.
 * Quick and coarse, for it sees a grey picture of 64×64.
 */
import type { RgbImage } from "../../face/image.ts";
import { openSession } from "@ftim/gpu/onnx";
import type { FivePoints } from "../../nets/five_points.ts";
import { type Box, resample } from "../../nets/resample.ts";

/** An open landmark network. */
export interface Landmarks68 {
  /**
   * The landmarks of one face.
   *
   * @param face the detector's box in pixels of `image`
   * @returns `[68, 2]`: x, y in pixels of `image`; 0–16 jaw from the image's left, 17–26 brows, 27–35 nose, 36–47 eyes, 48–67 mouth
   */
  predict(image: RgbImage, face: Box): Promise<Float32Array>;
  dispose(): Promise<void>;
}

const SIZE = 64;

/**
 * Opens the network.
 *
 * @param model `model/fr_landmark.onnx` of the package
 */
export async function openLandmarks68(model: Uint8Array): Promise<Landmarks68> {
  const session = await openSession(model, { name: "68 landmarks" });
  return {
    async predict(image, face) {
      const box = landmarkBox(face);
      const crop = resample(image, { box, width: SIZE, height: SIZE });
      const data = greyLevels(crop).map((grey) => grey * 255 / 256);
      const { output } = await session.run({ input: { data, dims: [1, 1, SIZE, SIZE] } });
      if (!output) throw new TypeError("Cannot find landmarks: the model has no output named output");
      return output.data.map((v, i) => i % 2 === 0 ? box.left + v * box.width : box.top + v * box.height);
    },
    dispose: () => session.release(),
  };
}

/**
 * The five points of 68 landmarks.
 *
 * @param landmarks `[68, 2]`
 * @returns `[5, 2]`, eyes, nose tip and mouth corners, the image's left first
 */
export function fivePointsOf68(landmarks: Float32Array): FivePoints {
  const groups = [[36, 37, 38, 39, 40, 41], [42, 43, 44, 45, 46, 47], [30], [48, 60], [54, 64]];
  const mean = (group: readonly number[], axis: number) =>
    group.reduce((sum, i) => sum + landmarks[2 * i + axis]! / group.length, 0);
  return Float32Array.from(groups.flatMap((group) => [mean(group, 0), mean(group, 1)]));
}

/** Grey levels `[1, H, W]` in 0..1 with the weights of ITU-R BT.601. */
function greyLevels({ data, width, height }: RgbImage): Float32Array {
  const weights = [0.299, 0.587, 0.114];
  return Float32Array.from(
    { length: width * height },
    (_, i) => weights.reduce((sum, weight, c) => sum + weight * data[3 * i + c]!, 0),
  );
}

/** The square as high as the face and centred on it: what the package cuts out. */
function landmarkBox({ left, top, width, height }: Box): Box {
  return { left: left + (width - height) / 2, top, width: height, height };
}
