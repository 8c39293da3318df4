/**
 * The faces of a comparator's network in the frame that all methods are scored in. Each is cut out of its photograph as
 * the network's authors do it and reconstructed there; then its mesh, not its picture, is brought into the aligned crop
 * and drawn over that, so that nothing is resampled twice. Every crop is a rectangle of the photograph, so the way is a
 * scale and a shift of each direction.
 */
import type { Tensor3D, Tensor4D } from "@tensorflow/tfjs";
import type { Tfjs } from "@ftim/gpu/tfjs";
import { byteValues } from "@ftim/gpu/ops/byte-values";
import { readBack } from "@ftim/gpu/ops/read-back";
import type { Item, Tree } from "@ftim/pipeline";
import { type CropTransform, FaceCropError, type Rectangle } from "../../../face/crop.ts";
import { drawMeshes } from "../../../face/draw_meshes.ts";
import { readPixelBytes } from "../../../face/pixel_bytes.ts";
import type { BytePixels } from "../../../face/pixels.ts";
import { type Comparator, FARTHEST, type SoughtFace } from "../../../nets/comparators/comparator.ts";
import type { AlignedFace } from "../../data/align.ts";
import { encodePng, readPixels } from "../../faces/photograph.ts";

/** A face. */
type FaceItem = Item<Record<"crops" | "sought", Tree>>;

/** Faces, and their photographs. */
export interface NetworkItems<Face extends Pick<FaceItem, "key" | "inputs" | "skip"> = FaceItem> {
  readonly items: readonly Face[];
  readonly images: Tree;
  readonly stage: string;
}

/** Whose mesh is drawn, over its own crop, and in whose colours: places in a batch. */
export interface DrawnPair {
  readonly mesh: number;
  readonly colours: number;
}

/** Reconstructed faces of a batch. */
export interface NetworkFaces<Face> {
  /** Those that were not skipped, in their order. */
  readonly items: readonly Face[];
  /** Draws meshes, all faces' crops being of one size: a PNG each. */
  draw(pairs: readonly DrawnPair[]): Promise<Uint8Array[]>;
  dispose(): void;
}

/**
 * Runs a comparator on a batch: `<key>.render.png` of each face that {@linkcode reconstructFaces} does not skip.
 *
 * @throws {GpuError} if the device reports an error
 */
export async function networkFaces(tf: Tfjs, comparator: Comparator, batch: NetworkItems): Promise<void> {
  const { items, draw, dispose } = await reconstructFaces(tf, comparator, batch);
  const pictures = await draw(items.map((_, i) => ({ mesh: i, colours: i })));
  dispose();
  for (const [i, { key, out }] of items.entries()) out.write(`${key}.render.png`, pictures[i]!);
}

/**
 * Reconstructs faces as a comparator does. A face whose mesh a network does not place in its crop, or that cannot be
 * cut out, is skipped by name.
 *
 * @throws {GpuError} if the device reports an error
 */
export async function reconstructFaces<Face extends Pick<FaceItem, "key" | "inputs" | "skip">>(
  tf: Tfjs,
  comparator: Comparator,
  { items, images, stage }: NetworkItems<Face>,
): Promise<NetworkFaces<Face>> {
  const cut: ReadFace<Face>[] = [];
  for (const item of items) {
    const face = await readFace(item, images);
    try {
      cut.push({ ...face, ...cutOut(tf, comparator, face) });
    } catch (error) {
      if (!(error instanceof FaceCropError)) throw error;
      item.skip(`${item.key}: ${error.message}`);
    }
  }
  if (cut.length === 0) return { items: [], draw: () => Promise.resolve([]), dispose: () => {} };
  const crops = tf.concat(cut.map(({ crop }) => crop)) as Tensor4D;
  tf.dispose(cut.map(({ crop }) => crop));
  const { vertices, ...lit } = await comparator.reconstruct(crops);
  const ways = cut.map((face) => wayOf(face, comparator.size));
  const placed = tf.tidy(() => moved(tf, vertices, ways));
  tf.dispose([crops, vertices]);
  const [values] = await readBack([placed], stage);
  const length = values!.length / cut.length;
  const faces = cut.flatMap(({ item, aligned }, i) => {
    const mesh = values!.subarray(i * length, (i + 1) * length);
    if (mesh.every((value) => Math.abs(value) < FARTHEST)) return [{ item, aligned, mesh, place: i }];
    item.skip(`${item.key}: the network places its mesh nowhere near the photograph`);
    return [];
  });
  return {
    items: faces.map(({ item }) => item),
    async draw(pairs) {
      if (pairs.length === 0) return [];
      const { width, height } = faces[pairs[0]!.mesh]!.aligned;
      const pictures = tf.tidy(() => {
        const places = pairs.map(({ colours }) => faces[colours]!.place);
        const of = <T extends Tensor3D | Tensor4D>(all: T) => tf.gather(all, places) as T;
        const { colours, texture } = lit;
        const under = pairs.map(({ mesh }) => faces[mesh]!.aligned.data);
        return drawMeshes(tf, pairs.map(({ mesh }) => faces[mesh]!.mesh), {
          ...comparator.topology,
          ...(colours && { colours: of(colours) }),
          ...(texture && { texture: of(texture) }),
          over: byteValues(tf, under, [pairs.length, height, width, 3]) as Tensor4D,
        });
      });
      const [bytes] = await readPixelBytes(tf, [pictures], stage);
      const size = 3 * width * height;
      return await Promise.all(
        pairs.map((_, i) => encodePng({ width, height, data: bytes!.subarray(size * i, size * (i + 1)) })),
      );
    },
    dispose: () => void tf.dispose(Object.values(lit)),
  };
}

interface FoundFace<Face> {
  readonly item: Face;
  readonly transform: CropTransform;
  readonly face: SoughtFace;
  /** The aligned crop. */
  readonly aligned: BytePixels;
  readonly image: BytePixels;
}

/** With the comparator's crop, and what of the photograph it shows. */
type ReadFace<Face> = FoundFace<Face> & { readonly crop: Tensor4D; readonly part: Rectangle };

async function readFace<Face extends Pick<FaceItem, "key" | "inputs">>(
  item: Face,
  images: Tree,
): Promise<FoundFace<Face>> {
  const { key, inputs } = item;
  const [{ photograph, transform }, face, aligned] = await Promise.all([
    inputs.crops.json<AlignedFace>(`${key}.json`),
    inputs.sought.json<SoughtFace>(`${key}.json`),
    readPixels(inputs.crops, `${key}.png`),
  ]);
  return { item, transform, face, aligned, image: await readPixels(images, `${photograph}.png`) };
}

/** One face's crop, so that its photograph is needed no more. */
function cutOut(
  tf: Tfjs,
  comparator: Comparator,
  { image, face }: Pick<FoundFace<unknown>, "image" | "face">,
): { crop: Tensor4D; part: Rectangle } {
  const { crops, parts } = comparator.crop(tf, [{ image, face }]);
  return { crop: crops, part: parts[0]! };
}

/** From a comparator's crop to the aligned one: scales, then shifts, of x, y and depth. */
function wayOf({ part, transform }: { part: Rectangle; transform: CropTransform }, size: number) {
  const [across, down] = [transform.scale * part.width / size, transform.scale * part.height / size];
  return {
    scales: [across, down, (across + down) / 2],
    shifts: [transform.scale * part.left + transform.x, transform.scale * part.top + transform.y, 0],
  };
}

function moved(tf: Tfjs, vertices: Tensor3D, ways: readonly ReturnType<typeof wayOf>[]): Tensor3D {
  const [scales, shifts] = (["scales", "shifts"] as const).map((name) =>
    tf.tensor3d(ways.flatMap((way) => way[name]), [ways.length, 1, 3])
  );
  return tf.add(tf.mul(vertices, scales!), shifts!) as Tensor3D;
}
