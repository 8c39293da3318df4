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
import type { Comparator, SoughtFace } from "../../../nets/comparators/comparator.ts";
import type { AlignedFace } from "../../data/align.ts";
import { encodePng, readPixels } from "../../faces/photograph.ts";

/** A batch. */
export interface NetworkItems {
  readonly items: readonly Item<Record<"crops" | "sought", Tree>>[];
  readonly images: Tree;
  readonly stage: string;
}

/** A vertex that is farther away, in pixels, belongs to no face that a network has recognised. */
const FARTHEST = 1 << 16;

/**
 * Runs a comparator on a batch: `<key>.render.png` of each face. A face whose mesh a network does not place in its
 * crop, or that cannot be cut out, is skipped by name.
 *
 * @throws {GpuError} if the device reports an error
 */
export async function networkFaces(
  tf: Tfjs,
  comparator: Comparator,
  { items, images, stage }: NetworkItems,
): Promise<void> {
  const faces: ReadFace[] = [];
  for (const item of items) {
    const face = await readFace(item, images);
    try {
      faces.push({ ...face, ...cutOut(tf, comparator, face) });
    } catch (error) {
      if (!(error instanceof FaceCropError)) throw error;
      item.skip(`${item.key}: ${error.message}`);
    }
  }
  if (faces.length === 0) return;
  const crops = tf.concat(faces.map(({ crop }) => crop)) as Tensor4D;
  tf.dispose(faces.map(({ crop }) => crop));
  const { vertices, ...lit } = await comparator.reconstruct(crops);
  const ways = faces.map((face) => wayOf(face, comparator.size));
  const made = { vertices: tf.tidy(() => moved(tf, vertices, ways)), ...lit };
  tf.dispose([crops, vertices]);
  const [values] = await readBack([made.vertices], stage);
  const length = values!.length / faces.length;
  const meshes = faces.map((_, i) => values!.subarray(i * length, (i + 1) * length));
  const kept = faces.flatMap(({ item }, i) => {
    if (meshes[i]!.every((value) => Math.abs(value) < FARTHEST)) return [i];
    item.skip(`${item.key}: the network places its mesh nowhere near the photograph`);
    return [];
  });
  if (kept.length > 0) {
    const { width, height } = faces[kept[0]!]!.aligned;
    const pictures = tf.tidy(() => {
      const of = <T extends Tensor3D | Tensor4D>(all: T): T =>
        kept.length === faces.length ? all : tf.gather(all, kept) as T;
      const { colours, texture } = made;
      return drawMeshes(tf, kept.map((i) => meshes[i]!), {
        ...comparator.topology,
        ...(colours && { colours: of(colours) }),
        ...(texture && { texture: of(texture) }),
        over: byteValues(tf, kept.map((i) => faces[i]!.aligned.data), [kept.length, height, width, 3]) as Tensor4D,
      });
    });
    const [bytes] = await readPixelBytes(tf, [pictures], stage);
    await Promise.all(kept.map(async (face, i) => {
      const { key, out } = faces[face]!.item;
      const data = bytes!.subarray(3 * width * height * i, 3 * width * height * (i + 1));
      out.write(`${key}.render.png`, await encodePng({ width, height, data }));
    }));
  }
  tf.dispose(Object.values(made));
}

type FoundFace = Awaited<ReturnType<typeof readFace>>;
type ReadFace = FoundFace & { readonly crop: Tensor4D; readonly part: Rectangle };

async function readFace(item: NetworkItems["items"][number], images: Tree) {
  const { key, inputs } = item;
  const [{ photograph, transform }, face, aligned] = await Promise.all([
    inputs.crops.json<AlignedFace>(`${key}.json`),
    inputs.sought.json<SoughtFace>(`${key}.json`),
    readPixels(inputs.crops, `${key}.png`),
  ]);
  return { item, transform, face, aligned, image: await readPixels(images, `${photograph}.png`) };
}

/** One face's crop, so that its photograph is needed no more. */
function cutOut(tf: Tfjs, comparator: Comparator, { image, face }: FoundFace): { crop: Tensor4D; part: Rectangle } {
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
