/**
 * A displacement map along the normals whose shading explains a photograph: shape from shading in UV space. The shading is linearised
 * about the smooth surface, so the displacement is the solution of one linear least-squares problem, found by conjugate gradients.
 *
 * With slopes (p, q) of the displacement along the unit tangents t and b, the normal becomes n − p·t − q·b (normalised).
 *
 * @module
 */
import { LIGHT_BANDS, lightBasis } from "./light.ts";
import { normalMap } from "./shading.ts";
import type { Topology } from "./topology.ts";
import { interpolate, uvMap } from "./uv_map.ts";

/** The face, its light and what was seen of it; S×S texels. */
export interface DetailScene {
  /** Posed vertices, crop pixels [3·V]. */
  vertices: Float32Array;
  topology: Topology;
  size: number;
  /** Light [27]. */
  light: Float32Array;
  /** Albedo [S·S·3]. */
  albedo: Float32Array;
  /** Incomplete texture [S·S·3]. */
  texture: Float32Array;
  /** Visibility [S·S]. */
  visibility: Float32Array;
}

/** Largest slope: steeper ones are no wrinkles but errors of the albedo. */
const STEEPEST = 0.8;
/** Step of the finite difference of shading, in slope. */
const STEP = 1e-3;

/**
 * Fits the displacement.
 *
 * @param options.smoothness weight of the squared Laplacian; `damping` of the squared displacement; `iterations` of conjugate gradients
 * @returns `displacement` [S·S], in texels, and the unit `normals` [S·S·3] that it makes
 */
export function fitDetail(
  { vertices, topology, size, light, albedo, texture, visibility }: DetailScene,
  { smoothness, damping, iterations }: { smoothness: number; damping: number; iterations: number },
): { displacement: Float32Array; normals: Float32Array } {
  const count = size * size;
  const map = uvMap(topology, size);
  const normals = normalMap(vertices, topology, { size });
  const [across, down] = tangents(interpolate(vertices, { topology, map }), { normals, size });
  const grey = (at: number, values: (c: number) => number) =>
    at >= 0 ? (values(3 * at) + values(3 * at + 1) + values(3 * at + 2)) / 3 : 0;
  const basis = new Float64Array(LIGHT_BANDS);
  // Mean over the channels of albedo · shading of a normal.
  const lit = (i: number, x: number, y: number, z: number) => {
    const length = Math.hypot(x, y, z);
    lightBasis({ x: x / length, y: y / length, z: z / length }, basis);
    let sum = 0;
    for (let c = 0; c < 3; c++) {
      let shading = 0;
      for (let k = 0; k < LIGHT_BANDS; k++) shading += light[3 * k + c]! * basis[k]!;
      sum += albedo[3 * i + c]! * shading / 3;
    }
    return sum;
  };
  const slopeX = new Float64Array(count);
  const slopeY = new Float64Array(count);
  const residual = new Float64Array(count);
  const weight = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    if (map.inside[i] === 0 || visibility[i] === 0) continue;
    const [x, y, z] = [normals[3 * i]!, normals[3 * i + 1]!, normals[3 * i + 2]!];
    const base = lit(i, x, y, z);
    const along = (t: Float32Array) =>
      (lit(i, x - STEP * t[3 * i]!, y - STEP * t[3 * i + 1]!, z - STEP * t[3 * i + 2]!) - base) / STEP;
    slopeX[i] = along(across);
    slopeY[i] = along(down);
    residual[i] = grey(i, (c) => texture[c]!) - base;
    weight[i] = visibility[i]!;
  }
  const system = { size, inside: map.inside, slopeX, slopeY, weight, smoothness, damping };
  const right = new Float64Array(count);
  const weighted = residual.map((value, i) => value * weight[i]!);
  addSlopesTransposed(system, weighted, right);
  const displacement = conjugateGradients((d) => normalOperator(system, d), right, iterations);
  const detailed = normals.slice();
  for (let i = 0; i < count; i++) {
    if (map.inside[i] === 0) continue;
    const { p, q } = slopesAt(displacement, i, size);
    const shrink = Math.min(1, STEEPEST / Math.max(1e-9, Math.hypot(p, q)));
    let square = 0;
    for (let k = 3 * i; k < 3 * i + 3; k++) {
      detailed[k] = normals[k]! - shrink * (p * across[k]! + q * down[k]!);
      square += detailed[k]! ** 2;
    }
    for (let k = 3 * i; k < 3 * i + 3; k++) detailed[k] = detailed[k]! / Math.sqrt(square);
  }
  return { displacement: Float32Array.from(displacement), normals: detailed };
}

/** Unit tangents along u and v in view space, orthogonal to the normal. */
function tangents(
  places: Float32Array,
  { normals, size }: { normals: Float32Array; size: number },
): [Float32Array, Float32Array] {
  const make = (stride: number, coordinate: (i: number) => number) => {
    const out = new Float32Array(places.length);
    for (let i = 0; i < size * size; i++) {
      const forward = coordinate(i) + 1 < size ? i + stride : i;
      const back = coordinate(i) > 0 ? i - stride : i;
      // Crop pixels have y down and z away; normals have y up and z to the viewer.
      const d = [0, 1, 2].map((k) => (k === 0 ? 1 : -1) * (places[3 * forward + k]! - places[3 * back + k]!));
      const dot = d[0]! * normals[3 * i]! + d[1]! * normals[3 * i + 1]! + d[2]! * normals[3 * i + 2]!;
      const t = d.map((value, k) => value - dot * normals[3 * i + k]!);
      const length = Math.hypot(...t);
      if (length > 0) out.set(t.map((value) => value / length), 3 * i);
    }
    return out;
  };
  return [make(1, (i) => i % size), make(size, (i) => Math.floor(i / size))];
}

interface System {
  size: number;
  inside: Uint8Array;
  slopeX: Float64Array;
  slopeY: Float64Array;
  weight: Float64Array;
  smoothness: number;
  damping: number;
}

/** Forward differences of the displacement at a texel. */
function slopesAt(d: Float64Array, i: number, size: number): { p: number; q: number } {
  const p = i % size + 1 < size ? d[i + 1]! - d[i]! : 0;
  const q = i + size < d.length ? d[i + size]! - d[i]! : 0;
  return { p, q };
}

/** out += Gᵀ·values, with G·d = slopeX·p + slopeY·q. */
function addSlopesTransposed({ size, slopeX, slopeY }: System, values: Float64Array, out: Float64Array): void {
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (value === 0) continue;
    if (i % size + 1 < size) {
      out[i + 1] = out[i + 1]! + slopeX[i]! * value;
      out[i] = out[i]! - slopeX[i]! * value;
    }
    if (i + size < values.length) {
      out[i + size] = out[i + size]! + slopeY[i]! * value;
      out[i] = out[i]! - slopeY[i]! * value;
    }
  }
}

/** (GᵀWG + smoothness·ΔᵀΔ + damping)·d. */
function normalOperator(system: System, d: Float64Array): Float64Array {
  const { size, slopeX, slopeY, weight, smoothness, damping } = system;
  const out = d.map((value) => damping * value);
  const shaded = new Float64Array(d.length);
  for (let i = 0; i < d.length; i++) {
    if (weight[i] === 0) continue;
    const { p, q } = slopesAt(d, i, size);
    shaded[i] = weight[i]! * (slopeX[i]! * p + slopeY[i]! * q);
  }
  addSlopesTransposed(system, shaded, out);
  const bent = laplacian(laplacian(d, size), size);
  for (let i = 0; i < d.length; i++) out[i] = out[i]! + smoothness * bent[i]!;
  return out;
}

/** Symmetric five-point Laplacian; the border has no neighbours beyond it. */
function laplacian(d: Float64Array, size: number): Float64Array {
  const out = new Float64Array(d.length);
  for (let i = 0; i < d.length; i++) {
    const { p, q } = slopesAt(d, i, size);
    out[i] = out[i]! + p + q;
    if (i % size + 1 < size) out[i + 1] = out[i + 1]! - p;
    if (i + size < d.length) out[i + size] = out[i + size]! - q;
  }
  return out;
}

function conjugateGradients(
  operator: (x: Float64Array) => Float64Array,
  right: Float64Array,
  iterations: number,
): Float64Array {
  const x = new Float64Array(right.length);
  const r = right.slice();
  let direction = r.slice();
  let norm = dot(r, r);
  const enough = 1e-10 * norm;
  for (let k = 0; k < iterations && norm > enough; k++) {
    const image = operator(direction);
    const step = norm / dot(direction, image);
    for (let i = 0; i < x.length; i++) {
      x[i] = x[i]! + step * direction[i]!;
      r[i] = r[i]! - step * image[i]!;
    }
    const next = dot(r, r);
    direction = direction.map((value, i) => r[i]! + next / norm * value);
    norm = next;
  }
  return x;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}
