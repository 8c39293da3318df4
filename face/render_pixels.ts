/**
 * One invocation for each pixel that a batch of faces can be seen at. Where a pixel has many samples the invocations
 * also look for these, in case that the pixel is the mean of them.
 */
import type { Tensor } from "@tensorflow/tfjs";
import type { Tfjs } from "@ftim/gpu/backend";
import { listTriangles, type MeshRange, runWalk, type TriangleLists } from "@ftim/gpu/raster";
import { run } from "@ftim/gpu/wgsl";
import type { RenderOptions } from "./render_options.ts";
import { blockOf } from "./samples_wgsl.ts";
import type { Topology } from "./topology.ts";
import { uvMap } from "./uv_map.ts";

/** Where the pixels of a batch of faces look. */
export interface PixelPlaces {
  readonly count: number;
  readonly width: number;
  readonly height: number;
  /** Side of a texture in texels. */
  readonly size: number;
  readonly samples: number;
  /** [B, H, W]: the share of the pixel that the face covers, 0 or 1 with a hard outline. */
  readonly coverage: Tensor;
  /** [B, H, W, 2]: where in the map a pixel looks, in texels; x < 0 where at many places. */
  readonly places: Tensor;
  readonly lists: TriangleLists;
  /** Where each triangle lies in the map. */
  readonly charts: Tensor;
  /** Of each texel of the map the nearest inside the chart. */
  readonly chart: Tensor;
}

/** A program of `eachPlace` and what it takes. */
export interface EachPixel {
  readonly name: string;
  /** The code for so many samples a side. */
  readonly code: (samples: number) => string;
  readonly inputs?: readonly Tensor[];
  readonly outputs?: readonly Tensor[];
  readonly into: Tensor;
  /** The faces to look at. Default: all. */
  readonly range?: MeshRange;
}

/** Runs a program for each pixel. */
export function runEachPixel(
  tf: Tfjs,
  pixels: PixelPlaces,
  { name, code, inputs = [], outputs = [], into, range = { first: 0, count: pixels.count } }: EachPixel,
): void {
  const { width, height, size, samples, coverage, places, lists, charts, chart } = pixels;
  const shared = {
    key: `render_${name}_${samples}`,
    code: () => code(samples),
    outputs,
    into,
    shape: into.shape,
  };
  const own = [places, coverage, chart, ...inputs];
  if (samples > 1) {
    runWalk(tf, lists, { ...shared, range, inputs: [charts, ...own], uniforms: [size, width, height] });
    return;
  }
  const { left, top, across, down } = boxOf(pixels);
  const invocations = range.count * across * down;
  run(tf, {
    ...shared,
    inputs: own,
    uniforms: [invocations, range.first, left, top, across, down, size, width, height],
    invocations,
  });
}

/** The pixels that some face can be seen at. */
function boxOf(
  { width, height, samples, lists: { box } }: PixelPlaces,
): { left: number; top: number; across: number; down: number } {
  const [left, top] = [Math.floor(box.left / samples), Math.floor(box.top / samples)];
  return {
    left,
    top,
    across: Math.max(0, Math.min(width, Math.ceil((box.left + box.width) / samples)) - left),
    down: Math.max(0, Math.min(height, Math.ceil((box.top + box.height) / samples)) - top),
  };
}

/**
 * What the shaders that look for samples need of posed faces, and of the topology. The tensors belong to the caller.
 *
 * @throws {RangeError} if there is no face, if `samples` is not 1, 3 or 5, or if vertices are no finite
 *   numbers; the message names the face's index
 */
export function lookAt(
  tf: Tfjs,
  faces: readonly Float32Array[],
  { topology, width, height, size, samples }: Required<Omit<RenderOptions, "outline">>,
): Pick<PixelPlaces, "lists" | "charts" | "chart"> {
  // A shader has a bit for each sample.
  if (![1, 3, 5].includes(samples)) {
    throw new RangeError(
      `Cannot render with ${samples} samples a side: it must be an odd number up to 5, one of them is the centre`,
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
