/**
 * The render operator of a batch of faces, built and kept on the device: what `renderOperator` gives for each of them,
 * by the same rules. Training and pictures use the same, with 1 and 3 samples a side.
 */
import type { Tensor, Tensor2D, Tensor3D, Tensor4D } from "@tensorflow/tfjs";
import { type Tfjs, webgpuBackend } from "@ftim/gpu/backend";
import { disposeLists, listTriangles, type MeshRange, runWalk, type TriangleLists } from "@ftim/gpu/raster";
import { applyTransposed, disposeTransposed, type TransposedTaps, transposeTaps } from "@ftim/gpu/transposed-taps";
import { differentiable, emptyTensor, run } from "@ftim/gpu/wgsl";
import type { RenderOptions } from "./render.ts";
import { blockOf, placesCode, renderCode, tapsCode } from "./render_device_wgsl.ts";
import type { Topology } from "./topology.ts";
import { uvMap } from "./uv_map.ts";

/**
 * Rendering posed faces, one texture each. A face takes on the device 12 bytes a pixel, 48 a triangle and, for each
 * tile of 8² pixels (of 16² with one sample a pixel), a bit a triangle: 0.75 MB at 224² with 898 triangles. The first
 * gradient adds 32 · samples² bytes a pixel and 4 a texel, and for a moment as much again.
 */
export interface DeviceOperator {
  readonly count: number;
  readonly width: number;
  readonly height: number;
  /** Side of a texture in texels. */
  readonly size: number;
  readonly samples: number;
  /** [B, H, W]: the share of the pixel that the face covers, 0 or 1 with a hard outline. */
  readonly coverage: Tensor3D;
  /** [B, H, W, 2]: where in the map a pixel looks, in texels; x < 0 where at many places. */
  readonly places: Tensor;
  readonly lists: TriangleLists;
  /** Where each triangle lies in the map. */
  readonly charts: Tensor;
  /** Of each texel of the map the nearest inside the chart. */
  readonly chart: Tensor;
  /** Of some faces each; made at the first gradient. */
  transposed?: readonly { readonly range: MeshRange; readonly taps: TransposedTaps }[];
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
  if (!(samples > 0 && samples % 2 === 1)) {
    throw new RangeError(
      `Cannot render with ${samples} samples a side: it must be an odd number, one of them is the centre`,
    );
  }
  if (faces.length === 0) throw new RangeError("Cannot build the operator of no faces");
  const count = faces.length;
  const { nearest } = uvMap(topology, size);
  const lists = listTriangles(tf, { vertices: faces, triangles: topology.triangles }, {
    width: width * samples,
    height: height * samples,
    cullBack: true,
    block: blockOf(samples),
    scale: samples,
  });
  const charts = tf.keep(tf.tensor1d(chartsOf(topology, size)));
  const coverage = tf.keep(emptyTensor(tf, { shape: [count, height, width], dtype: "float32" })) as Tensor3D;
  const places = runWalk(tf, lists, {
    key: `render_places_${samples}`,
    code: () => placesCode(samples),
    inputs: [charts],
    outputs: [coverage],
    shape: [count, height, width, 2],
    uniforms: [size, width, height, outline === "soft" ? 1 : 0],
  });
  const chart = tf.keep(tf.tensor1d(new Int32Array(nearest), "int32"));
  return { count, width, height, size, samples, coverage, places: tf.keep(places), lists, charts, chart };
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
    forward: () =>
      runEach(tf, operator, {
        name: `render_${channels}`,
        code: (samples) => renderCode(samples, channels),
        inputs: [textures],
        shape: [count, height, width, channels],
      }),
    gradient: (dy) => {
      const pictures = tf.reshape(dy, [count * height * width, channels]) as Tensor2D;
      const area = width * height;
      const parts = transposedOf(tf, operator).map(({ range, taps }) =>
        applyTransposed(
          tf,
          taps,
          range.count === count
            ? pictures
            : tf.slice(pictures, [range.first * area, 0], [range.count * area, channels]),
        )
      );
      return [tf.reshape(parts.length === 1 ? parts[0]! : tf.concat(parts), textures.shape)];
    },
  }) as Tensor4D;
}

/** Frees what an operator keeps on the device. */
export function disposeDeviceOperator(operator: DeviceOperator): void {
  const { coverage, places, lists, charts, chart, transposed = [] } = operator;
  for (const tensor of [coverage, places, charts, chart]) tensor.dispose();
  disposeLists(lists);
  for (const { taps } of transposed) disposeTransposed(taps);
}

/** The transposed lists of all faces, of as many at once as the device's buffers hold. */
function transposedOf(tf: Tfjs, operator: DeviceOperator): NonNullable<DeviceOperator["transposed"]> {
  if (operator.transposed !== undefined) return operator.transposed;
  const { count, width, height, size, samples } = operator;
  const area = width * height;
  const each = 4 * samples ** 2;
  const { maxStorageBufferBindingSize: largest } = webgpuBackend(tf).device.limits;
  const most = Math.max(1, Math.floor(largest / Math.max(8 * each * area, 4 * size ** 2)));
  const ranges = Array.from({ length: Math.ceil(count / most) }, (_, part) => ({
    first: part * most,
    count: Math.min(most, count - part * most),
  }));
  return operator.transposed = ranges.map((range) => {
    const weights = emptyTensor(tf, { shape: [range.count * area, each], dtype: "float32" });
    const columns = runEach(tf, operator, {
      name: "taps",
      code: tapsCode,
      inputs: [],
      outputs: [weights],
      shape: [range.count * area, each],
      dtype: "int32",
      range,
    });
    const taps = transposeTaps(tf, { columns, weights }, range.count * size ** 2);
    tf.dispose([columns, weights]);
    return { range, taps };
  });
}

interface EachPixel {
  readonly name: string;
  readonly code: (samples: number) => string;
  readonly inputs: readonly Tensor[];
  readonly outputs?: readonly Tensor[];
  readonly shape: readonly number[];
  readonly dtype?: "int32";
  readonly range?: MeshRange;
}

/** One invocation a pixel. Where pixels have many samples they walk, in case that they are the mean of these. */
function runEach(
  tf: Tfjs,
  { count, width, height, size, samples, coverage, places, lists, charts, chart }: DeviceOperator,
  { name, code, inputs, range = { first: 0, count }, ...others }: EachPixel,
): Tensor {
  const shared = { ...others, key: `render_${name}_${samples}`, code: () => code(samples) };
  const own = [places, coverage, chart, ...inputs];
  const uniforms = [size, width, height];
  if (samples > 1) return runWalk(tf, lists, { ...shared, range, inputs: [charts, ...own], uniforms });
  const pixels = range.count * width * height;
  return run(tf, { ...shared, inputs: own, uniforms: [pixels, range.first, ...uniforms], invocations: pixels });
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
