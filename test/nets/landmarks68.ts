/**
 * The 68 points of the iBUG annotation (Sagonas et al. 2013) on a face, as the package faceplugin-face-recognition-js finds them,
 * `model/fr_landmark.onnx`. Quick and coarse (a grey picture of 64×64); the mesh of facemesh.ts is more exact.
 */
import type { RgbImage } from "../face/image.ts";
import { openSession } from "@ftim/gpu/onnx";
import { greyPlane } from "./planes.ts";
import { resampleCpu } from "./resample_cpu.ts";
import type { Box } from "./resample_taps.ts";

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
      const crop = resampleCpu(image, { box, width: SIZE, height: SIZE });
      const data = greyPlane(crop).map((grey) => grey * 255 / 256);
      const { output } = await session.run({ input: { data, dims: [1, 1, SIZE, SIZE] } });
      if (!output) throw new TypeError("Cannot find landmarks: the model has no output named output");
      return output.data.map((v, i) => i % 2 === 0 ? box.left + v * box.width : box.top + v * box.height);
    },
    dispose: () => session.release(),
  };
}

/** The square as high as the face and centred on it: what the package cuts out. */
function landmarkBox({ left, top, width, height }: Box): Box {
  return { left: left + (width - height) / 2, top, width: height, height };
}
