/**
 * Writing a method's results, the same way for every method: the complete textures of a batch of faces are rendered
 * with the faces' own geometry, pasted over their crops.
 */
import type { Tensor4D } from "@tensorflow/tfjs";
import type { Tfjs } from "@ftim/gpu/backend";
import { byteValues } from "@ftim/gpu/ops/byte-values";
import { bytesOf, packBytes } from "@ftim/gpu/ops/pack-bytes";
import type { BytePixels } from "../../face/pixels.ts";
import { readBack } from "@ftim/gpu/ops/read-back";
import { renderPictures } from "../../face/render_pictures.ts";
import type { Topology } from "../../face/topology.ts";
import type { Writer } from "@ftim/pipeline";
import { encodePng } from "./photograph.ts";

/** A face of a batch. */
export interface ReconstructedFace {
  readonly key: string;
  readonly out: Writer;
  /** What the face is drawn over, of one size for all. */
  readonly crop: BytePixels;
  /** Posed, crop pixels [3·V]. */
  readonly vertices: Float32Array;
}

/** A method's maps of a batch; values outside 0..1 are cut off when they are stored. */
export interface Reconstructions {
  /** Complete textures, lit [B, S, S, 3]. */
  readonly texture: Tensor4D;
  /** Complete albedos [B, S, S, 3]. */
  readonly albedo: Tensor4D;
}

/**
 * Writes `<key>.render.png` (the overlay), `<key>.texture.png` and `<key>.albedo.png` of each face. The maps are freed.
 *
 * @param options.stage names the work in an error
 * @throws {RangeError} if crops differ in size, or the maps are not of as many faces
 * @throws {GpuError} if the device reports an error
 */
export async function writeReconstructions(
  faces: readonly ReconstructedFace[],
  { tf, texture, albedo, topology, stage }: Reconstructions & {
    readonly tf: Tfjs;
    readonly topology: Topology;
    readonly stage: string;
  },
): Promise<void> {
  const { width, height } = faces[0]!.crop;
  for (const { key, crop } of faces) {
    if (crop.width === width && crop.height === height) continue;
    throw new RangeError(`${key}: the crop is ${crop.width}×${crop.height}, the batch's first ${width}×${height}`);
  }
  const size = texture.shape[1];
  const packed = tf.tidy(() => {
    const { pictures } = renderPictures(tf, faces.map(({ vertices }) => vertices), {
      topology,
      width,
      height,
      textures: texture,
      over: byteValues(tf, faces.map(({ crop }) => crop.data), [faces.length, height, width, 3]) as Tensor4D,
      clip: true,
    });
    return [pictures, texture, albedo].map((maps) => packBytes(tf, maps));
  });
  tf.dispose([texture, albedo]);
  const words = await readBack<"int32">(packed, stage);
  await Promise.all(faces.map(async ({ key, out }, index) => {
    const files = await Promise.all((["render", "texture", "albedo"] as const).map(async (name, k) => {
      const image = k === 0 ? { width, height } : { width: size, height: size };
      const data = bytesOf(words[k]!, { index, length: 3 * image.width * image.height });
      return [`${key}.${name}.png`, await encodePng({ ...image, data })] as const;
    }));
    for (const [path, bytes] of files) out.write(path, bytes);
  }));
}
