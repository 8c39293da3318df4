/**
 * Image Render of the paper: the render operators of a batch of faces, built and kept on the device. The geometry is
 * fixed, so an image is a linear function of the texture, every pixel a fixed mean of texels, and the transpose is the
 * exact gradient. `renderOperator` of render_cpu.ts is the reference. Training and pictures use the same, with 1 and 3
 * samples a side.
 */
import type { Tensor3D, Tensor4D } from "@tensorflow/tfjs";
import type { Tfjs } from "@ftim/gpu/backend";
import { disposeLists, runWalk } from "@ftim/gpu/raster";
import { clearedTensor, differentiable } from "@ftim/gpu/wgsl";
import type { RenderOptions } from "./render_options.ts";
import { placesCode, renderCode } from "./render_device_wgsl.ts";
import { lookAt, type PixelPlaces, runEachPixel } from "./render_pixels.ts";
import { applyTransposed, disposeTransposed, type TransposedRender, transposeRender } from "./render_transpose.ts";

/**
 * Rendering posed faces, one texture each. A face takes on the device 12 bytes a pixel, 48 a triangle and, for each
 * tile of 4×2 pixels (of 8×4 with one sample a pixel) that some face of the batch reaches, a bit a triangle: with 898
 * triangles at 224² at most 0.8 MB, or 1.4 MB with more samples. The first gradient adds 4 bytes a texel and
 * 32 · samples² a pixel.
 */
export interface DeviceOperator extends PixelPlaces {
  /** [B, H, W]: the share of the pixel that the face covers, 0 or 1 with a hard outline. */
  readonly coverage: Tensor3D;
  /** Made at the first gradient. */
  transposed?: readonly TransposedRender[];
}

/**
 * Builds the operators of posed faces. They stay on the device until `disposeDeviceOperator`.
 *
 * @param faces vertices of each in crop pixels: x right, y down, z larger = farther
 * @throws {RangeError} if there is no face, if `samples` is not 1, 3 or 5, or if vertices are no finite
 *   numbers; the message names the face's index
 * @throws {GpuError} if the batch is larger than what the device can bind
 */
export function deviceOperator(
  tf: Tfjs,
  faces: readonly Float32Array[],
  { topology, width = 224, height = 224, size = 256, samples = 1, outline = "hard" }: RenderOptions,
): DeviceOperator {
  const count = faces.length;
  const { lists, charts, chart } = lookAt(tf, faces, { topology, width, height, size, samples });
  const coverage = clearedTensor(tf, { shape: [count, height, width], dtype: "float32" }) as Tensor3D;
  const places = clearedTensor(tf, { shape: [count, height, width, 2], dtype: "float32" });
  runWalk(tf, lists, {
    key: `render_places_${samples}`,
    code: () => placesCode(samples),
    inputs: [charts],
    outputs: [coverage],
    into: places,
    shape: places.shape,
    uniforms: [size, width, height, outline === "soft" ? 1 : 0],
  });
  for (const tensor of [coverage, places, charts, chart]) tf.keep(tensor);
  return { count, width, height, size, samples, coverage, places, lists, charts, chart };
}

/**
 * Renders a texture of each face. Differentiable in the textures, with the exact transpose as gradient; value and
 * gradient have the same bits in every run and in every batch.
 *
 * @param textures [B, S, S, C]
 * @returns [B, H, W, C]; 0 where the face covers nothing
 * @throws {RangeError} if the textures are not of the operator's size and number
 * @throws {GpuError} if the device can bind no buffer as large as the pictures
 */
export function applyDeviceOperator(tf: Tfjs, operator: DeviceOperator, textures: Tensor4D): Tensor4D {
  const { count, width, height, size } = operator;
  const [batch, rows, columns, channels] = textures.shape;
  if (batch !== count || rows !== size || columns !== size) {
    throw new RangeError(`An operator of ${count} textures of ${size}² cannot take a tensor [${textures.shape}]`);
  }
  return differentiable(tf, {
    inputs: [textures],
    forward: () => {
      const pictures = clearedTensor(tf, { shape: [count, height, width, channels], dtype: "float32" });
      runEachPixel(tf, operator, {
        name: `pictures_${channels}`,
        code: (samples) => renderCode(samples, channels),
        inputs: [textures],
        into: pictures,
      });
      return pictures;
    },
    gradient: (dy) => {
      operator.transposed ??= transposeRender(tf, operator);
      return [applyTransposed(tf, operator.transposed, { pictures: dy as Tensor4D, pixels: operator })];
    },
  }) as Tensor4D;
}

/** Frees what an operator keeps on the device. */
export function disposeDeviceOperator(operator: DeviceOperator): void {
  const { coverage, places, lists, charts, chart, transposed = [] } = operator;
  for (const tensor of [coverage, places, charts, chart]) tensor.dispose();
  disposeLists(lists);
  disposeTransposed(transposed);
}
