/**
 * Tran et al. as a whole: crops of a batch become faces in the crop, with the authors' geometry, camera and light.
 *
 * | what | how |
 * |---|---|
 * | crop | by the height of the landmarks to the mean camera's, 224² (face/tran_crop.ts); no recipe is published |
 * | network | RGB, −1..1; encoder and two decoders (nets/tran_network.ts) |
 * | geometry | a map of 192×224, from the mean face, at 53,215 vertices (face/tran_faces.ts) |
 * | camera | weak perspective, eight numbers |
 * | light | nine bands a colour on the turned normals, interpolated in the chart and not made unit vectors again |
 * | colours | a map of albedo times light; sRGB values as stored |
 */
import type * as tfjs from "@tensorflow/tfjs";
import { openTfjs } from "@ftim/gpu/tfjs";
import type { CropTransform, Rectangle } from "../face/crop.ts";
import { landmarkBox } from "../face/landmark_box.ts";
import { tranCrop, tranFrame } from "../face/tran_crop.ts";
import { type TranFaces, type TranMesh, uploadTran } from "../face/tran_faces.ts";
import type { TensorSource } from "./files/source.ts";
import { TRAN_MAP } from "./tran_decoder.ts";
import { readTranDefinition } from "./tran_definition.ts";
import { openTranNetwork, TRAN_SIZE } from "./tran_network.ts";

/** The authors' files. */
export interface TranFiles {
  /** The `.index` of the checkpoint. */
  readonly network: TensorSource;
  /** Opens a file of `3DMM_definition`, or `mean_m.npy` and `std_m.npy` of the repository, by its name. */
  readonly definition: (name: string) => Promise<TensorSource>;
}

/** An open regressor. */
export interface TranRegressor {
  /** Triangles and chart of all faces. */
  readonly mesh: Pick<TranMesh, "triangles" | "uvs">;
  /**
   * Places the crop of a face.
   *
   * @param box a detector's, in pixels of the photograph
   * @throws {FaceCropError} if the box is empty
   */
  place(box: Rectangle, photograph: CropTransform["photograph"]): CropTransform;
  /** @param x `[B, 224, 224, 3]`, RGB, 0..1 */
  reconstruct(x: tfjs.Tensor4D): TranFaces;
  dispose(): void;
}

/**
 * Opens the regressor.
 *
 * @throws {TensorFileError} if a file is damaged, absent or of another kind
 */
export async function openTranRegressor({ network: source, definition }: TranFiles): Promise<TranRegressor> {
  const tf = await openTfjs();
  const model = await readTranDefinition(definition);
  const network = await openTranNetwork(source);
  const mesh = await uploadTran(tf, model, TRAN_MAP);
  const frame = tranFrame(model);
  return {
    mesh,
    place: (box, photograph) => tranCrop(landmarkBox(box), { frame, photograph }),
    reconstruct: (x) => tf.tidy((): TranFaces => mesh.faces(network.encode(x), { size: TRAN_SIZE })),
    dispose() {
      network.dispose();
      mesh.dispose();
    },
  };
}
