/**
 * Whether two pictures show the same person, by two recognition networks: cosine of the 1024-d embedding (`nets/faceres.ts`) and of the 512-d
 * one, a second opinion. Neither may be the one that trained: the identity loss uses the 128-d network, which costs a third of the time to train
 * with and tells people apart least by its cosine.
 *
 * @module
 */
import { cosine } from "../face/metrics/cosine.ts";
import type { RgbImage } from "../face/image.ts";
import { openTfjs } from "../gpu/tfjs.ts";
import { type Features512, openFeatures512 } from "../nets/features512.ts";
import { fivePointsOfMesh } from "../nets/five_points.ts";
import { openFaceRes } from "../nets/faceres.ts";
import type { Tree } from "../pipeline/mod.ts";
import { readGraphModel } from "./graph_models.ts";
import { meshSquare } from "../nets/mesh_square.ts";

/** What is compared with the reference: the photograph's crop. */
export interface Pictures {
  /** Of the reference's size, the same face in the same place. */
  readonly pictures: readonly RgbImage[];
  /** The face's mesh in pixels of the crop, `[468, 3]`. */
  readonly vertices: Float32Array;
}

/** The open networks. */
export interface RecognitionScorer {
  /** Cosine with the reference by the 1024-d network, 0..1 for each picture. */
  cosine1024(reference: RgbImage, options: Pictures): Promise<number[]>;
  /** The same by the 512-d network, if it was given; one picture after the other: so the slower of the two. */
  cosine512?(reference: RgbImage, options: Pictures): Promise<number[]>;
  dispose(): Promise<void>;
}

/**
 * Opens the networks.
 *
 * @param assets `recognition`: the graph model (.json, .bin) of the 1024-d network; `features`: the 512-d one (.onnx), optional
 */
export async function openRecognitionScorer(
  assets: { recognition: Tree; features?: Tree | undefined },
): Promise<RecognitionScorer> {
  const tf = await openTfjs();
  const recognition = await openFaceRes(await readGraphModel(assets.recognition));
  const features = assets.features && await openFeatures512(await bytesOf(assets.features, ".onnx"));
  return {
    async cosine1024(reference, { pictures, vertices }) {
      const box = meshSquare(vertices, MARGIN);
      const images = [reference, ...pictures];
      const batch = new Float32Array(images.length * reference.data.length);
      for (const [i, { data }] of images.entries()) batch.set(data, i * reference.data.length);
      const tensor = tf.tidy(() => {
        return recognition.embed(tf.tensor4d(batch, [images.length, reference.height, reference.width, 3]), { box });
      });
      const flat = await tensor.data() as Float32Array;
      tensor.dispose();
      const length = flat.length / images.length;
      return pictures.map((_, i) =>
        cosine(flat.subarray(0, length), flat.subarray((i + 1) * length, (i + 2) * length))
      );
    },
    ...(features === undefined ? {} : { cosine512: (reference, options) => cosines(features, reference, options) }),
    async dispose() {
      recognition.dispose();
      await features?.dispose();
    },
  };
}

async function cosines(
  features: Features512,
  reference: RgbImage,
  { pictures, vertices }: Pictures,
): Promise<number[]> {
  const points = fivePointsOfMesh(vertices);
  const known = await features.embed(reference, points);
  const found: number[] = [];
  for (const picture of pictures) found.push(cosine(known, await features.embed(picture, points)));
  return found;
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
