/** The reference of full_textures.ts. */
import { extendBeyondChart } from "./extend_charts_cpu.ts";
import { GUESS } from "./guess_settings.ts";
import type { RgbImage } from "./image.ts";
import type { Topology } from "./topology.ts";
import { smoothstep } from "./smoothstep.ts";
import { uvMap } from "./uv_map.ts";

/** A photograph of the face, and what was read of it at the small size s. */
export interface FullViewCpu {
  readonly picture: RgbImage;
  /** Posed, in pixels of the picture [3·V]. */
  readonly vertices: Float32Array;
  /** [s·s·3] */
  readonly texture: Float32Array;
  /** [s·s] */
  readonly visibility: Float32Array;
  /** [s·s] */
  readonly share?: Float32Array;
}

/**
 * Enlarges one complete map [s·s·3] of a face and gives it the photographs' detail.
 *
 * @returns [size·size·3], not clamped
 */
export function fullTextureCpu(
  views: readonly FullViewCpu[],
  { map, topology, size }: { map: Float32Array; topology: Topology; size: number },
): Float32Array {
  const from = Math.sqrt(map.length / 3);
  const [chart, small] = [uvMap(topology, size), uvMap(topology, from)];
  const whole = extendBeyondChart(map, small);
  const full = new Float32Array(3 * size * size);
  const seen = views.map(({ texture, visibility, share }) => {
    const [least, most] = GUESS.trust;
    const texels = new Float32Array(4 * from * from);
    small.nearest.forEach((at, to) => {
      texels.set(texture.subarray(3 * at, 3 * at + 3), 4 * to);
      texels[4 * to + 3] = smoothstep(least, most, visibility[at]!) * (share?.[at] ?? 1);
    });
    return texels;
  });
  for (let i = 0; i < size * size; i++) {
    const place = [(i % size + 0.5) * from / size, (Math.floor(i / size) + 0.5) * from / size] as const;
    full.set(cubicAt({ data: whole, width: from, height: from }, place), 3 * i);
    if (chart.inside[i] === 0) continue;
    for (const [k, { picture, vertices }] of views.entries()) {
      const known = cubicAt({ data: seen[k]!, width: from, height: from }, place);
      const weight = Math.min(1, known[3]!);
      if (weight <= 0) continue;
      const colour = pictureAt(picture, { vertices, topology, size, texel: i });
      for (let c = 0; c < 3; c++) full[3 * i + c] = full[3 * i + c]! + weight * (colour[c]! - known[c]!);
    }
  }
  return full;
}

/** Mean of a picture over a texel's parallelogram. */
function pictureAt(
  picture: RgbImage,
  { vertices, topology, size, texel }: { vertices: Float32Array; topology: Topology; size: number; texel: number },
): number[] {
  const { triangles, uvs } = topology;
  const { triangle, weights } = uvMap(topology, size);
  const corners = [...triangles.subarray(3 * triangle[texel]!, 3 * triangle[texel]! + 3)];
  const [a, b, c] = corners.map((i) => [vertices[3 * i]!, vertices[3 * i + 1]!, uvs[2 * i]!, uvs[2 * i + 1]!]) as [
    number[],
    number[],
    number[],
  ];
  const [p, q] = [b, c].map((other) => other.map((value, k) => value - a[k]!)) as [number[], number[]];
  const [wb, wc] = [weights[2 * texel + 1]!, 1 - weights[2 * texel]! - weights[2 * texel + 1]!];
  const area = (p[2]! * q[3]! - q[2]! * p[3]!) * size;
  const part = area === 0 ? 0 : 1 / area;
  const across = [0, 1].map((k) => part * (q[3]! * p[k]! - p[3]! * q[k]!));
  const down = [0, 1].map((k) => part * (p[2]! * q[k]! - q[2]! * p[k]!));
  const [columns, rows] = [across, down].map(([x, y]) =>
    Math.min(8, Math.max(1, Math.ceil(Math.hypot(x!, y!) - 0.01)))
  ) as [number, number];
  const sum = [0, 0, 0];
  for (let j = 0; j < rows; j++) {
    for (let i = 0; i < columns; i++) {
      const [s, t] = [(i + 0.5) / columns - 0.5, (j + 0.5) / rows - 0.5];
      const place = [0, 1].map((k) => a[k]! + wb * p[k]! + wc * q[k]! + s * across[k]! + t * down[k]!);
      cubicAt(picture, place as [number, number]).forEach((value, k) => sum[k] = sum[k]! + value);
    }
  }
  return sum.map((value) => value / columns / rows);
}

/** A map's values at a place in texels, by cubic convolution. */
function cubicAt(
  { data, width, height }: { data: Float32Array; width: number; height: number },
  [x, y]: readonly [number, number],
): number[] {
  const channels = data.length / width / height;
  const sum = Array<number>(channels).fill(0);
  const [left, top] = [Math.floor(x - 0.5), Math.floor(y - 0.5)];
  for (let j = -1; j < 3; j++) {
    for (let i = -1; i < 3; i++) {
      const weight = keys(x - 0.5 - left - i) * keys(y - 0.5 - top - j);
      const row = Math.min(height - 1, Math.max(0, top + j));
      const texel = row * width + Math.min(width - 1, Math.max(0, left + i));
      for (let c = 0; c < channels; c++) sum[c] = sum[c]! + weight * data[channels * texel + c]!;
    }
  }
  return sum;
}

/** Cubic convolution with a = −1/2 at a distance in texels (Keys 1981). */
function keys(distance: number): number {
  const d = Math.abs(distance);
  if (d <= 1) return 1.5 * d ** 3 - 2.5 * d ** 2 + 1;
  return d < 2 ? -0.5 * d ** 3 + 2.5 * d ** 2 - 4 * d + 2 : 0;
}
