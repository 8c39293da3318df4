/**
 * The render operator of a batch of faces, built and kept on the device: what `renderOperator` gives for each of them,
 * by the same rules. Training and pictures use the same, with 1 and 3 samples a side.
 */
import type { Tensor3D, Tensor4D } from "@tensorflow/tfjs";
import type { Tfjs } from "@ftim/gpu/backend";
import { disposeLists, listTriangles, runWalk } from "@ftim/gpu/raster";
import { clearedTensor, differentiable } from "@ftim/gpu/wgsl";
import type { RenderOptions } from "./render.ts";
import { blockOf, picturesCode, placesCode, renderCode } from "./render_device_wgsl.ts";
import { type PixelPlaces, runEachPixel } from "./render_pixels.ts";
import { applyTransposed, disposeTransposed, type TransposedRender, transposeRender } from "./render_transpose.ts";
import type { Topology } from "./topology.ts";
import { uvMap } from "./uv_map.ts";

/**
 * Rendering posed faces, one texture each. A face takes on the device 12 bytes a pixel, 48 a triangle and, for each
 * tile of 4×2 pixels (of 8×4 with one sample a pixel) that some face of the batch reaches, a bit a triangle: with 898
 * triangles at 224², 0.8 MB, or 1.2 MB with more samples. The first gradient adds 4 bytes a texel and at most
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
 * @throws {RangeError} if there is no face, if `samples` is not a positive odd number, or if vertices are no finite
 *   numbers; the message names the face's index
 * @throws {GpuError} if the batch is larger than what the device can bind: see `facesAtOnce`
 */
export function deviceOperator(
  tf: Tfjs,
  faces: readonly Float32Array[],
  { topology, width = 224, height = 224, size = 256, samples = 1, outline = "hard" }: RenderOptions,
): DeviceOperator {
  const count = faces.length;
  const { lists, charts, chart } = seek(tf, faces, { topology, width, height, size, samples });
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
      return [applyTransposed(tf, operator.transposed, { pictures: dy as Tensor4D, size })];
    },
  }) as Tensor4D;
}

/** Pictures of a batch of faces. */
export interface DevicePictures {
  /** [B, H, W, C]; 0 where a face covers nothing. */
  readonly pictures: Tensor4D;
  /** [B, H, W] */
  readonly coverage: Tensor3D;
}

/**
 * Renders a texture of each face once, without an operator: the same as `applyDeviceOperator`, not differentiable, and
 * faster where a pixel has many samples. The results belong to the caller, or to the `tidy` around.
 *
 * @param textures [B, S, S, C]
 * @throws {RangeError} as `deviceOperator` and `applyDeviceOperator` do
 */
export function renderOnDevice(
  tf: Tfjs,
  faces: readonly Float32Array[],
  { textures, ...options }: Omit<RenderOptions, "size"> & { textures: Tensor4D },
): DevicePictures {
  const { topology, width = 224, height = 224, samples = 1, outline = "hard" } = options;
  const [batch, size, columns, channels] = textures.shape;
  if (batch !== faces.length || columns !== size) {
    throw new RangeError(`Cannot render ${faces.length} faces with textures [${textures.shape}]`);
  }
  const shape = [batch, height, width];
  return tf.tidy(() => {
    const { lists, charts, chart } = seek(tf, faces, { topology, width, height, size, samples });
    const pictures = clearedTensor(tf, { shape: [...shape, channels], dtype: "float32" }) as Tensor4D;
    const coverage = clearedTensor(tf, { shape, dtype: "float32" }) as Tensor3D;
    runWalk(tf, lists, {
      key: `render_once_${channels}_${samples}`,
      code: () => picturesCode(samples, channels),
      inputs: [charts, chart, textures],
      outputs: [coverage],
      into: pictures,
      shape: pictures.shape,
      uniforms: [size, width, height, outline === "soft" ? 1 : 0],
    });
    disposeLists(lists);
    return { pictures, coverage };
  });
}

/** Frees what an operator keeps on the device. */
export function disposeDeviceOperator(operator: DeviceOperator): void {
  const { coverage, places, lists, charts, chart, transposed = [] } = operator;
  for (const tensor of [coverage, places, charts, chart]) tensor.dispose();
  disposeLists(lists);
  disposeTransposed(transposed);
}

/** What the shaders that look for samples need of the faces, and of the topology. */
function seek(
  tf: Tfjs,
  faces: readonly Float32Array[],
  { topology, width, height, size, samples }: Required<Omit<RenderOptions, "outline">>,
): Pick<PixelPlaces, "lists" | "charts" | "chart"> {
  if (!(samples > 0 && samples % 2 === 1)) {
    throw new RangeError(
      `Cannot render with ${samples} samples a side: it must be an odd number, one of them is the centre`,
    );
  }
  if (faces.length === 0) throw new RangeError("Cannot render no faces");
  const lists = listTriangles(tf, { vertices: faces, triangles: topology.triangles }, {
    width: width * samples,
    height: height * samples,
    cullBack: true,
    block: blockOf(samples),
    scale: samples,
  });
  return {
    lists,
    charts: tf.tensor1d(chartsOf(topology, size)),
    chart: tf.tensor1d(new Int32Array(uvMap(topology, size).nearest), "int32"),
  };
}

/**
 * Eight numbers a triangle, in texels counted from the first one's centre: the place of its first vertex, from there to
 * its second, from there to its third, and two that are not used.
 */
function chartsOf({ triangles, uvs }: Topology, size: number): Float32Array {
  const charts = new Float32Array(8 * triangles.length / 3);
  for (let t = 0; t < triangles.length / 3; t++) {
    const [a, b, c] = [2 * triangles[3 * t]!, 2 * triangles[3 * t + 1]!, 2 * triangles[3 * t + 2]!];
    for (let axis = 0; axis < 2; axis++) {
      const origin = uvs[a + axis]!;
      charts[8 * t + axis] = origin * size - 0.5;
      charts[8 * t + 2 + axis] = (uvs[b + axis]! - origin) * size;
      charts[8 * t + 4 + axis] = (uvs[c + axis]! - origin) * size;
    }
  }
  return charts;
}
