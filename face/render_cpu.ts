/**
 * The reference of render_device.ts and render_pictures.ts, plain loops over one face: the geometry is fixed, so an
 * image is a linear function of the texture, every pixel a fixed mean of texels. The matrix is built once a view; its
 * transpose is the exact gradient. Tests, benchmarks and an example alone use it.
 */
import { rasteriseCpu } from "@ftim/gpu/raster-cpu";
import { applySparseCpu } from "@ftim/gpu/sparse-cpu";
import type { SparseMatrix } from "@ftim/gpu/sparse-matrix";
import { sampler, spreadOf } from "./pixel_samples_cpu.ts";
import { PICTURE_SAMPLES, type RenderOptions, SPREAD } from "./render_options.ts";
import { uvMap } from "./uv_map.ts";

/** Rendering one posed mesh, as a matrix from texels (columns) to pixels (rows); uncovered pixels have an empty row. */
export interface RenderOperator extends SparseMatrix {
  readonly width: number;
  readonly height: number;
  /** width·height: the share of the pixel that the mesh covers, 0 or 1 with a hard outline. Rows sum to it. */
  readonly coverage: Float32Array;
}

/**
 * Builds the operator of a posed mesh.
 *
 * A tap that falls outside the chart goes to the nearest texel inside: the same as sampling a texture that was extended
 * past its border, so no background bleeds in and every texel that is read belongs to the face.
 *
 * @param vertices Crop pixels: x right, y down, z larger = farther.
 * @throws {RangeError} if `samples` is not a positive odd number
 */
export function renderOperator(
  vertices: Float32Array,
  { topology, width = 224, height = 224, size = 256, samples = 1, outline = "hard" }: RenderOptions,
): RenderOperator {
  if (!(samples > 0 && samples % 2 === 1)) {
    throw new RangeError(
      `Cannot render with ${samples} samples a side: it must be an odd number, one of them is the centre`,
    );
  }
  const fine = { width: width * samples, height: height * samples, cullBack: true };
  const scaled = samples === 1 ? vertices : vertices.map((value) => value * samples);
  const hits = rasteriseCpu({ vertices: scaled, triangles: topology.triangles }, fine);
  const { nearest } = uvMap(topology, size);
  const coverage = new Float32Array(width * height);
  const offsets = new Uint32Array(width * height + 1);
  let indices = new Uint32Array(4 * width * height);
  let weights = new Float32Array(4 * width * height);
  let entry = 0;
  const add = (start: number, texel: number, weight: number) => {
    if (!(weight > 0)) return;
    for (let k = start; k < entry; k++) {
      if (indices[k] !== texel) continue;
      weights[k] = weights[k]! + weight;
      return;
    }
    if (entry === indices.length) [indices, weights] = [twice(indices), twice(weights)];
    indices[entry] = texel;
    weights[entry++] = weight;
  };
  const samplesOf = sampler(hits, { samples, width, topology, size });
  for (let pixel = 0; pixel < width * height; pixel++) {
    const { places, found, centred } = samplesOf(pixel);
    const covered = outline === "soft" ? found / samples ** 2 : centred ? 1 : 0;
    coverage[pixel] = covered;
    if (covered > 0) {
      const start = entry;
      const count = found === 1 || covered === 1 && spreadOf(places, found) <= SPREAD ? 1 : found;
      const share = covered / count;
      for (let k = 0; k < count; k++) {
        const [x, y] = [places[2 * k]!, places[2 * k + 1]!];
        const [x0, y0] = [Math.floor(x), Math.floor(y)];
        const [fx, fy] = [x - x0, y - y0];
        const [x1, y1] = [Math.min(x0 + 1, size - 1), Math.min(y0 + 1, size - 1)];
        add(start, nearest[y0 * size + x0]!, share * (1 - fx) * (1 - fy));
        add(start, nearest[y0 * size + x1]!, share * fx * (1 - fy));
        add(start, nearest[y1 * size + x0]!, share * (1 - fx) * fy);
        add(start, nearest[y1 * size + x1]!, share * fx * fy);
      }
    }
    offsets[pixel + 1] = entry;
  }
  return {
    rows: width * height,
    cols: size * size,
    offsets,
    indices: indices.slice(0, entry),
    weights: weights.slice(0, entry),
    width,
    height,
    coverage,
  };
}

/** As `renderPictures` looks for the samples of a pixel. */
export function pictureOperator(vertices: Float32Array, options: Omit<RenderOptions, "samples">): RenderOperator {
  return renderOperator(vertices, { ...options, samples: PICTURE_SAMPLES });
}

function twice<T extends Uint32Array | Float32Array>(values: T): T {
  const more = new (values.constructor as new (length: number) => T)(2 * values.length);
  more.set(values);
  return more;
}

/**
 * Renders a texture on the CPU.
 *
 * @param texture size²·channels.
 * @returns width·height·channels; 0 where the mesh covers nothing.
 */
export function applyOperatorCpu(operator: RenderOperator, texture: Float32Array): Float32Array {
  return applySparseCpu(operator, texture);
}
