/**
 * Whether two pictures show the same person, by two recognition networks. The cosine of the 1024-d embedding
 * (`nets/faceres.ts`) is in the tables, and the 512-d one gives a second opinion. Neither may be the one that trains:
 * the identity loss uses the 128-d network, which costs a third of the time to train with and tells people apart least
 * by its cosine.
 */
import type { RgbImage } from "../../../face/image.ts";
import { openTfjs } from "@ftim/gpu/tfjs";
import { openFeatures512 } from "../../../nets/features512.ts";
import { fivePointsOfMesh } from "../../../nets/five_points.ts";
import { openFaceRes } from "../../../nets/faceres.ts";
import type { Tree } from "@ftim/pipeline";
import { readGraphModel } from "../../faces/graph_models.ts";
import { meshSquare } from "../../../nets/mesh_square.ts";

/**
 * The open networks. Pictures are crops that show one face in one place; `vertices` its mesh in pixels of the crop
 * [3·468].
 */
export interface Recognition {
  /** Embeddings by the 1024-d network, one a picture; the pictures are of one size. */
  embed1024(pictures: readonly RgbImage[], vertices: Float32Array): Promise<Float32Array[]>;
  /** Embedding by the 512-d network, if it was given. */
  embed512?(picture: RgbImage, vertices: Float32Array): Promise<Float32Array>;
  dispose(): Promise<void>;
}

/**
 * Opens the networks.
 *
 * @param assets `recognition`: the graph model (.json, .bin) of the 1024-d network; `features`: the 512-d one (.onnx),
 *   optional
 */
export async function openRecognition(
  assets: { recognition: Tree; features?: Tree | undefined },
): Promise<Recognition> {
  const tf = await openTfjs();
  const network = await openFaceRes(await readGraphModel(assets.recognition));
  const features = assets.features && await openFeatures512(await bytesOf(assets.features, ".onnx"));
  return {
    async embed1024(pictures, vertices) {
      const [first] = pictures;
      if (first === undefined) return [];
      const box = meshSquare(vertices, MARGIN);
      const batch = new Float32Array(pictures.length * first.data.length);
      for (const [i, { data }] of pictures.entries()) batch.set(data, i * first.data.length);
      const tensor = tf.tidy(() =>
        network.embed(tf.tensor4d(batch, [pictures.length, first.height, first.width, 3]), { box })
      );
      const flat = await tensor.data() as Float32Array;
      tensor.dispose();
      const length = flat.length / pictures.length;
      return pictures.map((_, i) => flat.slice(i * length, (i + 1) * length));
    },
    ...(features === undefined ? {} : {
      embed512: (picture, vertices) => features.embed(picture, fivePointsOfMesh(vertices)),
    }),
    async dispose() {
      network.dispose();
      await features?.dispose();
    },
  };
}

/** The picture where the mask is 1, mid-grey where it is 0: then hair and background cannot vouch for the face. */
export function greyOutside({ width, height, data }: RgbImage, mask: Float32Array): RgbImage {
  return { width, height, data: data.map((value, i) => 0.5 + (value - 0.5) * mask[Math.floor(i / 3)]!) };
}

/** Side of the square that a recognition network sees over the longer side of the mesh. */
const MARGIN = 1.1;

async function bytesOf(tree: Tree, ending: string): Promise<Uint8Array> {
  const found = tree.paths.filter((path) => path.endsWith(ending));
  if (found.length !== 1) {
    throw new Error(`A recognition network has one ${ending} file, but there are ${found.length}`);
  }
  return await tree.bytes(found[0]!);
}
