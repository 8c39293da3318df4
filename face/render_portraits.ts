/** Pictures of any number of faces whose textures lie in memory: rendered on the device in batches, and read back. */
import { itemsAtOnce } from "@ftim/gpu/at-once";
import { submitRecorded, type Tfjs, webgpuBackend } from "@ftim/gpu/backend";
import { readBack } from "@ftim/gpu/ops/read-back";
import { type DevicePictureOptions, renderPictures } from "./render_pictures.ts";

/** Faces in a batch: more are not faster, and take memory. */
const AT_ONCE = 32;

/** A face and its texture, in memory. */
export interface Portrait {
  /** Names the face in errors. Default: "face" and its index. */
  readonly name?: string;
  /** In pixels of the picture [3·V]. */
  readonly vertices: Float32Array;
  /** [S·S·C], of one size and one C for all. */
  readonly texture: Float32Array;
  /** What the face is drawn over [H·W·C]. Default: black. */
  readonly background?: Float32Array;
}

/** A picture of a face, in memory. */
export interface PortraitPicture {
  /** [H·W·C] */
  readonly data: Float32Array;
  /** [H·W] */
  readonly coverage: Float32Array;
}

/** Options of `renderPortraits`. */
export interface PortraitOptions extends Omit<DevicePictureOptions, "textures" | "over"> {
  /** Side of the textures in texels, default 256. */
  readonly size?: number;
  /** Most faces in a batch. Default: 32, or what the device's buffers hold. */
  readonly most?: number;
}

/**
 * Renders any number of faces in batches and reads the pictures back. While one batch is read the next is computed.
 *
 * @throws {RangeError} if a texture or background is of another size, or as `renderPictures` does; the message names
 *   the face
 * @throws {GpuError} if the device reports an error
 */
export async function renderPortraits(
  tf: Tfjs,
  portraits: readonly Portrait[],
  { size = 256, most = Infinity, ...options }: PortraitOptions,
): Promise<PortraitPicture[]> {
  const { topology, width = 224, height = 224 } = options;
  const channels = (portraits[0]?.texture.length ?? 0) / size ** 2;
  for (const [face, { name = `face ${face}`, vertices, texture, background }] of portraits.entries()) {
    const problem = vertices.length !== 3 * topology.vertexCount
      ? `it has ${vertices.length / 3} vertices, the topology ${topology.vertexCount}`
      : texture.length !== channels * size ** 2 || !(Number.isInteger(channels) && channels > 0)
      ? `its texture has ${texture.length} values, not ${size}² of ${channels}`
      : background !== undefined && background.length !== channels * width * height
      ? `its background has ${background.length} values, not ${width}×${height} of ${channels}`
      : vertices.findIndex((value) => !Number.isFinite(value)) >= 0
      ? "a vertex is no finite number"
      : undefined;
    if (problem !== undefined) throw new RangeError(`Cannot render ${name}: ${problem}`);
  }
  const words = Math.ceil(topology.triangles.length / 96);
  const bytes = 4 *
    Math.max(channels * size ** 2, channels * width * height, words * (width / 4 + 1) * (height / 2 + 1));
  const count = itemsAtOnce(tf, bytes, { most: Math.min(most, AT_ONCE) });
  const results: PortraitPicture[] = [];
  let before: Promise<PortraitPicture[]> = Promise.resolve([]);
  for (let first = 0; first < portraits.length; first += count) {
    const next = renderBatch(tf, portraits.slice(first, first + count), { ...options, width, height, size, channels });
    try {
      results.push(...await before);
    } catch (error) {
      await Promise.allSettled([next]);
      throw error;
    }
    before = next;
  }
  results.push(...await before);
  return results;
}

async function renderBatch(
  tf: Tfjs,
  portraits: readonly Portrait[],
  options: PortraitOptions & { width: number; height: number; size: number; channels: number },
): Promise<PortraitPicture[]> {
  const { width, height, size, channels, ...others } = options;
  const [batch, area] = [portraits.length, width * height];
  const gather = (length: number, valuesOf: (portrait: Portrait) => Float32Array | undefined) => {
    const all = new Float32Array(batch * length);
    for (const [i, portrait] of portraits.entries()) all.set(valuesOf(portrait) ?? [], i * length);
    return all;
  };
  const drawn = tf.tidy(() => {
    const textures = tf.tensor4d(gather(channels * size ** 2, ({ texture }) => texture), [batch, size, size, channels]);
    const shape: [number, number, number, number] = [batch, height, width, channels];
    const over = portraits.some(({ background }) => background !== undefined)
      ? { over: tf.tensor4d(gather(channels * area, ({ background }) => background), shape) }
      : {};
    const { pictures, coverage } = renderPictures(tf, portraits.map(({ vertices }) => vertices), {
      ...others,
      ...over,
      width,
      height,
      textures,
    });
    return [pictures, coverage] as const;
  });
  submitRecorded(webgpuBackend(tf));
  const [data, covered] = await readBack(drawn, "renderPortraits");
  return portraits.map((_, i) => ({
    data: data!.slice(i * channels * area, (i + 1) * channels * area),
    coverage: covered!.slice(i * area, (i + 1) * area),
  }));
}
