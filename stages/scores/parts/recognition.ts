/**
 * Whether two pictures show the same person, by two recognition networks. The cosine of the first one's embeddings is
 * in the tables: FaceNet (`nets/facenet.ts`), which the paper names, where the user has its weights, and otherwise the
 * 1024-d network that a package holds (`nets/faceres.ts`). The 512-d one (`nets/features512.ts`) gives a second
 * opinion. None may be the one that trains: the identity loss uses the 128-d network, which costs a third of the time
 * to train with and tells people apart least by its cosine.
 */
import type { Tensor2D, Tensor4D } from "@tensorflow/tfjs";
import type { RgbImage } from "../../../face/image.ts";
import { joined } from "../../../face/joined.ts";
import { readBack } from "@ftim/gpu/ops/read-back";
import { submitRecorded, webgpuBackend } from "@ftim/gpu/backend";
import { openTfjs, type Tfjs } from "@ftim/gpu/tfjs";
import { openFeatures512 } from "../../../nets/features512.ts";
import { fivePointsOfMesh } from "../../../nets/five_points.ts";
import { FACENET_SIZE, openFacenet } from "../../../nets/facenet.ts";
import { type FaceRes, FACERES_SIZE, openFaceRes } from "../../../nets/faceres.ts";
import { greyOutside } from "../../../nets/grey_outside.ts";
import { disposeBoxTaps, resampleBoxes, uploadBoxTaps } from "../../../nets/resample_boxes.ts";
import type { Tree } from "@ftim/pipeline";
import { readLandmarks } from "../../faces/geometry.ts";
import { readGraphModel } from "../../faces/graph_models.ts";
import { onlyFile } from "../../data/parts/file_source.ts";
import { meshSquare } from "../../../nets/mesh_square.ts";

/** A picture that shows a face, and where. */
export interface FaceLook {
  readonly picture: RgbImage;
  /** The face's mesh in pixels of the picture [3·V]. */
  readonly vertices: Float32Array;
  /** Where it is 0 the picture is made grey, 0..1 [P]. Default: 1 everywhere. */
  readonly mask?: Float32Array;
}

/** The open networks. */
export interface Recognition {
  /** Embeddings by the network that the tables score with, one a picture; the pictures are of one size. */
  embed(looks: readonly FaceLook[]): Promise<Float32Array[]>;
  /** Embedding by the 512-d network, if it was given; its mask is not looked at. */
  embedSecond?(look: FaceLook): Promise<Float32Array>;
  dispose(): Promise<void>;
}

/**
 * Opens the networks.
 *
 * @param assets `recognition`: FaceNet's weights in one file, or the graph model (.json, .bin) of the 1024-d network;
 *   `features`: the 512-d one (.onnx), optional; `topology`: the meshes'
 */
export async function openRecognition(
  assets: { recognition: Tree; features?: Tree | undefined; topology: Tree },
): Promise<Recognition> {
  const tf = await openTfjs();
  const network = await openScorer(assets.recognition);
  const features = assets.features && await openFeatures512(await bytesOf(assets.features, ".onnx"));
  const landmarks = await readLandmarks(assets.topology);
  return {
    async embed(looks) {
      const batches: Tensor2D[] = [];
      for (let first = 0; first < looks.length; first += AT_ONCE) {
        batches.push(tf.tidy(() => network.embed(facesOf(tf, looks.slice(first, first + AT_ONCE), network.side))));
        // What lies between its layers is free for the next batch as soon as this one is submitted.
        submitRecorded(webgpuBackend(tf));
      }
      const vectors = await readBack(batches, network.name);
      return batches.flatMap(({ shape: [count, length] }, i) =>
        Array.from({ length: count }, (_, k) => vectors[i]!.slice(k * length, (k + 1) * length))
      );
    },
    ...(features === undefined ? {} : {
      embedSecond: ({ picture, vertices }) => features.embed(picture, fivePointsOfMesh(vertices, landmarks)),
    }),
    async dispose() {
      network.dispose();
      await features?.dispose();
    },
  };
}

/** Side of the square that a recognition network sees over the longer side of the mesh. */
const MARGIN = 1.1;

/** Pictures in one pass of a network: more are not faster, and take memory. */
const AT_ONCE = 4;

/** A network that faces are scored with. */
interface Scorer extends Pick<FaceRes, "embed" | "dispose"> {
  readonly name: string;
  /** Side of its pictures in pixels. */
  readonly side: number;
}

async function openScorer(files: Tree): Promise<Scorer> {
  if (files.paths.some((path) => path.endsWith(".json"))) {
    return { ...await openFaceRes(await readGraphModel(files)), name: "the 1024-d network", side: FACERES_SIZE };
  }
  return { ...await openFacenet(await onlyFile(files)), name: "FaceNet", side: FACENET_SIZE };
}

/** The squares around faces, of a network's size. */
function facesOf(tf: Tfjs, looks: readonly FaceLook[], side: number): Tensor4D {
  const [{ width, height }, count] = [looks[0]!.picture, looks.length];
  const other = looks.find(({ picture }) => picture.width !== width || picture.height !== height)?.picture;
  if (other !== undefined) {
    throw new RangeError(`Cannot embed pictures of ${width}×${height} and ${other.width}×${other.height} together`);
  }
  const area = width * height;
  const pictures = tf.tensor4d(joined(looks.map(({ picture }) => picture.data)), [count, height, width, 3]);
  const boxes = looks.map(({ vertices }) => meshSquare(vertices, MARGIN));
  const to = { width: side, height: side };
  const taps = uploadBoxTaps(tf, boxes, { from: { width, height }, to });
  const cut = (pictures: Tensor4D) => {
    const faces = resampleBoxes(tf, pictures, taps);
    disposeBoxTaps(taps);
    return faces;
  };
  if (looks.every(({ mask }) => mask === undefined)) return cut(pictures);
  const masks = new Float32Array(area * count).fill(1);
  for (const [i, { mask }] of looks.entries()) if (mask !== undefined) masks.set(mask, area * i);
  const grey = greyOutside(tf, pictures, tf.tensor(masks, [count, height, width]));
  return cut(grey);
}

async function bytesOf(tree: Tree, ending: string): Promise<Uint8Array> {
  const found = tree.paths.filter((path) => path.endsWith(ending));
  if (found.length !== 1) {
    throw new Error(`A recognition network has one ${ending} file, but there are ${found.length}`);
  }
  return await tree.bytes(found[0]!);
}
