/**
 * Writing a method's results, the same way for every method: the complete textures of a batch of faces are rendered
 * with the faces' own geometry, pasted over their crops.
 */
import type { Tensor4D } from "@tensorflow/tfjs";
import type { Tfjs } from "@ftim/gpu/backend";
import type { RgbImage } from "../../face/image.ts";
import { readBack } from "../../face/read_back.ts";
import { renderPictures } from "../../face/render_pictures.ts";
import type { Topology } from "../../face/topology.ts";
import type { Writer } from "@ftim/pipeline";
import { encodePng } from "./photograph.ts";

/** A face of a batch. */
export interface ReconstructedFace {
  readonly key: string;
  readonly out: Writer;
  /** What the face is drawn over, of one size for all. */
  readonly crop: RgbImage;
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
  const over = new Float32Array(3 * width * height * faces.length);
  for (const [i, { key, crop }] of faces.entries()) {
    if (crop.width !== width || crop.height !== height) {
      throw new RangeError(`${key}: the crop is ${crop.width}×${crop.height}, the batch's first ${width}×${height}`);
    }
    over.set(crop.data, i * crop.data.length);
  }
  const pictures = tf.tidy(() =>
    renderPictures(tf, faces.map(({ vertices }) => vertices), {
      topology,
      width,
      height,
      textures: texture,
      over: tf.tensor4d(over, [faces.length, height, width, 3]),
      clip: true,
    }).pictures
  );
  const size = texture.shape[1];
  const maps = await readBack([pictures, texture, albedo], stage);
  await Promise.all(faces.map(async ({ key, out }, i) => {
    const files = await Promise.all((["render", "texture", "albedo"] as const).map(async (name, k) => {
      const image = k === 0 ? { width, height } : { width: size, height: size };
      const length = 3 * image.width * image.height;
      const data = maps[k]!.subarray(i * length, (i + 1) * length);
      return [`${key}.${name}.png`, await encodePng({ ...image, data })] as const;
    }));
    for (const [path, bytes] of files) out.write(path, bytes);
  }));
}
