/** The bands of the light as WGSL, for shaders that shade where they fit. */
import { LIGHT_BANDS, LIGHT_FACTORS } from "./light.ts";
import { BANDS } from "./shade_tensor.ts";

/** Elements of four floats that hold a face's light on the device: 27 values, and whether there is a solution. */
export const LIGHT_ELEMENTS = 7;

/** Declares h0 to h8, the basis values of the unit normal `normal`. */
export const BASIS = `
  let x = normal.x;
  let y = normal.y;
  let z = normal.z;
  ${BANDS.map((band, k) => `let h${k} = f32(${LIGHT_FACTORS[k]} * (${band}));`).join("\n  ")}`;

/** Declares l0 to l8, the RGB of each band of the light whose first element has the index `first`. */
export function loadLight(buffer: string, first: string): string {
  const value = (k: number) => `q${k >> 2}.${"xyzw"[k & 3]}`;
  return `
  ${Array.from({ length: LIGHT_ELEMENTS }, (_, k) => `let q${k} = ${buffer}[${first} + ${k}];`).join("\n  ")}
  ${
    Array.from(
      { length: LIGHT_BANDS },
      (_, k) => `let l${k} = vec3<f32>(${value(3 * k)}, ${value(3 * k + 1)}, ${value(3 * k + 2)});`,
    ).join("\n  ")
  }`;
}

/** The same of a light of 27 floats that begins at `first` in a buffer of floats. */
export function readLight(buffer: string, first: string): string {
  const values = (k: number) => [0, 1, 2].map((c) => `${buffer}[${first} + ${3 * k + c}]`).join(", ");
  return Array.from({ length: LIGHT_BANDS }, (_, k) => `let l${k} = vec3<f32>(${values(k)});`).join("\n  ");
}

/** The shading of the basis h0 to h8 by the light l0 to l8, an expression. */
export const SHADING = Array.from({ length: LIGHT_BANDS }, (_, k) => `h${k} * l${k}`).join(" + ");
