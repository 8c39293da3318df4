/**
 * Where in a texture the samples of a picture's pixels lie, in plain loops: what decides whether a pixel shows one
 * place or the mean of several. A part of render_cpu.ts.
 */
import type { Raster } from "@ftim/gpu/raster-options";
import type { Topology } from "./topology.ts";

/** The samples of a pixel that hit the mesh. */
export interface Samples {
  /**
   * x and y in the map of each, in texels counted from the first one's centre; the middle one is the first, if it hit.
   * Written anew for each pixel.
   */
  readonly places: Float64Array;
  /** How many there are. */
  found: number;
  /** Whether the middle one is among them. */
  centred: boolean;
}

/**
 * Finds the samples of one pixel after another.
 *
 * @param hits the mesh in a raster of `samples` pixels a side for each pixel of the picture, which is `width` wide
 * @returns for a pixel's index its samples, in one record for all
 */
export function sampler(
  hits: Raster,
  { samples, width, topology, size }: { samples: number; width: number; topology: Topology; size: number },
): (pixel: number) => Samples {
  const result: Samples = { places: new Float64Array(2 * samples ** 2), found: 0, centred: false };
  // Of each sample from the pixel's first, the middle one's before the others.
  const steps = Array.from({ length: samples ** 2 }, (_, s) => Math.floor(s / samples) * hits.width + s % samples);
  steps.unshift(...steps.splice((samples ** 2 - 1) / 2, 1));
  return (pixel) => {
    const first = Math.floor(pixel / width) * samples * hits.width + (pixel % width) * samples;
    let found = 0;
    for (const step of steps) {
      const at = first + step;
      if (hits.triangle[at]! >= 0) writePlace(result.places, 2 * found++, { hits, at, topology, size });
    }
    result.found = found;
    result.centred = hits.triangle[first + steps[0]!]! >= 0;
    return result;
  };
}

/** The largest distance of places in x or in y. */
export function spreadOf(places: Float64Array, count: number): number {
  let spread = 0;
  for (let axis = 0; axis < 2; axis++) {
    let [low, high] = [Infinity, -Infinity];
    for (let k = 0; k < count; k++) {
      low = Math.min(low, places[2 * k + axis]!);
      high = Math.max(high, places[2 * k + axis]!);
    }
    spread = Math.max(spread, high - low);
  }
  return spread;
}

/** Writes where in the map the surface at a raster pixel lies. */
function writePlace(
  places: Float64Array,
  to: number,
  { hits, at, topology, size }: { hits: Raster; at: number; topology: Topology; size: number },
): void {
  const { triangles, uvs } = topology;
  const t = 3 * hits.triangle[at]!;
  const [a, b, c] = [2 * triangles[t]!, 2 * triangles[t + 1]!, 2 * triangles[t + 2]!];
  const [wa, wb] = [hits.weights[2 * at]!, hits.weights[2 * at + 1]!];
  const wc = 1 - wa - wb;
  const u = wa * uvs[a]! + wb * uvs[b]! + wc * uvs[c]!;
  const v = wa * uvs[a + 1]! + wb * uvs[b + 1]! + wc * uvs[c + 1]!;
  places[to] = Math.min(Math.max(u * size - 0.5, 0), size - 1);
  places[to + 1] = Math.min(Math.max(v * size - 0.5, 0), size - 1);
}
