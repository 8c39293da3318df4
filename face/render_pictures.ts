/**
 * Pictures of many faces, rendered on the device: what `pictureOperator` and `applyOperatorCpu` of render_cpu.ts give,
 * in one pass for a batch and without an operator. Each pixel's samples are looked for once.
 */
import type { Tensor3D, Tensor4D } from "@tensorflow/tfjs";
import type { Tfjs } from "@ftim/gpu/backend";
import { disposeLists, runWalk } from "@ftim/gpu/raster";
import { clearedTensor } from "@ftim/gpu/wgsl";
import { picturesCode } from "./render_device_wgsl.ts";
import { PICTURE_SAMPLES, type RenderOptions } from "./render_options.ts";
import { lookAt } from "./render_pixels.ts";

/** What is rendered on the device, and how. */
export interface DevicePictureOptions extends Omit<RenderOptions, "size" | "samples"> {
  /** A texture of each face [B, S, S, C]. */
  readonly textures: Tensor4D;
  /**
   * Pictures that the faces are drawn over [B, H, W, C]. They are written to, and returned; so they must be no one
   * else's. Default: black.
   */
  readonly over?: Tensor4D;
  /** Whether a texel's values are cut off at 0 and 1. Default false. */
  readonly clip?: boolean;
}

/** Pictures of a batch of faces. */
export interface DevicePictures {
  /** [B, H, W, C] */
  readonly pictures: Tensor4D;
  /** [B, H, W] */
  readonly coverage: Tensor3D;
}

/**
 * Renders a texture of each face. Not differentiable. The results belong to the caller, or to the `tidy` around. A face
 * takes on the device, beside its texture and picture, 4 bytes a pixel, 48 a triangle and a bit a triangle for each 4×2
 * pixels that some face reaches: at most 1 MB at 224² with 898 triangles.
 *
 * @param faces vertices of each in pixels of the picture: x right, y down, z larger = farther
 * @throws {RangeError} if there is no face, if the textures or `over` do not fit, or if vertices are no finite numbers;
 *   the message names the face's index
 * @throws {GpuError} if the batch is larger than what the device can bind
 */
export function renderPictures(
  tf: Tfjs,
  faces: readonly Float32Array[],
  { topology, width = 224, height = 224, outline = "hard", textures, over, clip = false }: DevicePictureOptions,
): DevicePictures {
  const [batch, size, columns, channels] = textures.shape;
  const shape = [batch, height, width, channels];
  if (batch !== faces.length || columns !== size) {
    throw new RangeError(`Cannot render ${faces.length} faces with textures [${textures.shape}]`);
  }
  if (over !== undefined && `${over.shape}` !== `${shape}`) {
    throw new RangeError(`Cannot draw pictures [${shape}] over pictures [${over.shape}]`);
  }
  return tf.tidy(() => {
    const { lists, charts, chart } = lookAt(tf, faces, { topology, width, height, size, samples: PICTURE_SAMPLES });
    const pictures = over ?? clearedTensor(tf, { shape, dtype: "float32" }) as Tensor4D;
    const coverage = clearedTensor(tf, { shape: [batch, height, width], dtype: "float32" }) as Tensor3D;
    const [low, high] = clip ? [0, 1] : [-3e38, 3e38];
    runWalk(tf, lists, {
      key: `render_once_${channels}_${PICTURE_SAMPLES}`,
      code: () => picturesCode(PICTURE_SAMPLES, channels),
      inputs: [charts, chart, textures],
      outputs: [coverage],
      into: pictures,
      shape,
      uniforms: [size, width, height, outline === "soft" ? 1 : 0, { f32: low }, { f32: high }],
    });
    disposeLists(lists);
    return { pictures, coverage };
  });
}
