/**
 * Shading by nine bands of light in plain loops: the reference of shade_maps.ts and shade_tensor.ts. Tests and
 * benchmarks alone use it.
 */
import { LIGHT_BANDS, LIGHT_FACTORS } from "./light.ts";

/** Writes the nine basis values of the unit normal (x, y, z) to `out`. */
export function lightBasis(normal: { x: number; y: number; z: number }, out: Float64Array): void {
  const { x, y, z } = normal;
  out[0] = LIGHT_FACTORS[0];
  out[1] = LIGHT_FACTORS[1] * x;
  out[2] = LIGHT_FACTORS[2] * y;
  out[3] = LIGHT_FACTORS[3] * z;
  out[4] = LIGHT_FACTORS[4] * x * y;
  out[5] = LIGHT_FACTORS[5] * x * z;
  out[6] = LIGHT_FACTORS[6] * y * z;
  out[7] = LIGHT_FACTORS[7] * (x * x - y * y);
  out[8] = LIGHT_FACTORS[8] * (3 * z * z - 1);
}

/**
 * Shading of each normal.
 *
 * @param normals N unit vectors, xyz triples.
 * @param light 27 values, band-major, RGB last.
 * @returns N RGB triples; not clamped: a strong light from behind can give values below 0.
 */
export function shade(normals: Float32Array, light: Float32Array): Float32Array {
  const out = new Float32Array(normals.length);
  const basis = new Float64Array(LIGHT_BANDS);
  for (let i = 0; i < normals.length; i += 3) {
    lightBasis({ x: normals[i]!, y: normals[i + 1]!, z: normals[i + 2]! }, basis);
    for (let c = 0; c < 3; c++) {
      let sum = 0;
      for (let k = 0; k < LIGHT_BANDS; k++) sum += light[3 * k + c]! * basis[k]!;
      out[i + c] = sum;
    }
  }
  return out;
}
