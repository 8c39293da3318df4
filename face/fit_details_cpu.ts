/**
 * The reference of fit_details.ts, plain loops over one face in f64. With slopes (p, q) of the displacement along the
 * unit tangents t and b, the normal becomes n − p·t − q·b (normalised). The shading is linearised about the smooth
 * surface, so the displacement is the solution of one linear least-squares problem, found by conjugate gradients. Tests
 * and benchmarks alone use it.
 */
import { STEEPEST, STEP } from "./detail_settings.ts";
import { LIGHT_BANDS } from "./light.ts";
import { lightBasis } from "./light_cpu.ts";
import { interpolate } from "./interpolate_cpu.ts";
import { normalMap } from "./normal_maps_cpu.ts";
import type { Topology } from "./topology.ts";
import { uvMap } from "./uv_map.ts";

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

/**
 * Fits the displacement.
 *
 * @param options.smoothness weight of the squared Laplacian; `damping` of the squared displacement; `iterations` of
 *   conjugate gradients
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
  const unit = { x: 0, y: 0, z: 0 };
  // Mean over the channels of albedo · shading of a normal.
  const lit = (i: number, x: number, y: number, z: number) => {
    const length = Math.hypot(x, y, z);
    unit.x = x / length;
    unit.y = y / length;
    unit.z = z / length;
    lightBasis(unit, basis);
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
  const system = { size, slopeX, slopeY, weight, smoothness, damping };
  const right = new Float64Array(count);
  for (let i = 0; i < count; i++) residual[i] = residual[i]! * weight[i]!;
  addSlopesTransposed(system, residual, right);
  const displacement = conjugateGradients(normalOperator(system), right, iterations);
  const detailed = normals.slice();
  for (let i = 0; i < count; i++) {
    if (map.inside[i] === 0) continue;
    const p = i % size + 1 < size ? displacement[i + 1]! - displacement[i]! : 0;
    const q = i + size < count ? displacement[i + size]! - displacement[i]! : 0;
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
      const dx = places[3 * forward]! - places[3 * back]!;
      const dy = -(places[3 * forward + 1]! - places[3 * back + 1]!);
      const dz = -(places[3 * forward + 2]! - places[3 * back + 2]!);
      const nx = normals[3 * i]!;
      const ny = normals[3 * i + 1]!;
      const nz = normals[3 * i + 2]!;
      const dot = dx * nx + dy * ny + dz * nz;
      const x = dx - dot * nx;
      const y = dy - dot * ny;
      const z = dz - dot * nz;
      const length = Math.hypot(x, y, z);
      if (length > 0) {
        out[3 * i] = x / length;
        out[3 * i + 1] = y / length;
        out[3 * i + 2] = z / length;
      }
    }
    return out;
  };
  return [make(1, (i) => i % size), make(size, (i) => Math.floor(i / size))];
}

interface System {
  size: number;
  slopeX: Float64Array;
  slopeY: Float64Array;
  weight: Float64Array;
  smoothness: number;
  damping: number;
}

// Differences of the displacement are forward ones, to the texel on the right and to the one below; there are none
// across the border. All operators gather what reaches a texel: from above, from the left, from the texel itself.

/** out += Gᵀ·values, with G·d = slopeX·(difference along u) + slopeY·(difference along v). */
function addSlopesTransposed({ size, slopeX, slopeY }: System, values: Float64Array, out: Float64Array): void {
  for (let y = 0, i = 0; y < size; y++) {
    for (let x = 0; x < size; x++, i++) {
      const value = values[i]!;
      let sum = out[i]!;
      if (y > 0) sum += slopeY[i - size]! * values[i - size]!;
      if (x > 0) sum += slopeX[i - 1]! * values[i - 1]!;
      if (x + 1 < size) sum -= slopeX[i]! * value;
      if (y + 1 < size) sum -= slopeY[i]! * value;
      out[i] = sum;
    }
  }
}

/** d ↦ (GᵀWG + smoothness·ΔᵀΔ + damping)·d; the result is good until the next call. */
function normalOperator(system: System): (d: Float64Array) => Float64Array {
  const { size, slopeX, slopeY, weight, smoothness, damping } = system;
  const zeros = () => new Float64Array(size * size);
  const [out, shaded, once, bent] = [zeros(), zeros(), zeros(), zeros()];
  return (d) => {
    for (let y = 0, i = 0; y < size; y++) {
      for (let x = 0; x < size; x++, i++) {
        out[i] = damping * d[i]!;
        if (weight[i] === 0) continue;
        const p = x + 1 < size ? d[i + 1]! - d[i]! : 0;
        const q = y + 1 < size ? d[i + size]! - d[i]! : 0;
        shaded[i] = weight[i]! * (slopeX[i]! * p + slopeY[i]! * q);
      }
    }
    addSlopesTransposed(system, shaded, out);
    laplacian(d, { size, out: once });
    laplacian(once, { size, out: bent });
    for (let i = 0; i < d.length; i++) out[i] = out[i]! + smoothness * bent[i]!;
    return out;
  };
}

/** Symmetric five-point Laplacian; the border has no neighbours beyond it. */
function laplacian(d: Float64Array, { size, out }: { size: number; out: Float64Array }): void {
  for (let y = 0, i = 0; y < size; y++) {
    for (let x = 0; x < size; x++, i++) {
      const own = d[i]!;
      let sum = 0;
      if (y > 0) sum -= own - d[i - size]!;
      if (x > 0) sum -= own - d[i - 1]!;
      if (x + 1 < size) sum += d[i + 1]! - own;
      if (y + 1 < size) sum += d[i + size]! - own;
      out[i] = sum;
    }
  }
}

function conjugateGradients(
  operator: (x: Float64Array) => Float64Array,
  right: Float64Array,
  iterations: number,
): Float64Array {
  const x = new Float64Array(right.length);
  const r = right.slice();
  const direction = r.slice();
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
    const turn = next / norm;
    for (let i = 0; i < r.length; i++) direction[i] = r[i]! + turn * direction[i]!;
    norm = next;
  }
  return x;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}
