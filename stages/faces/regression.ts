/** What the 3DMM regressor says of one face, as `regress` stores it. */
import type { Angles } from "../../face/pose.ts";
import { encodeSafetensors } from "../../nets/safetensors.ts";
import type { Tree } from "@ftim/pipeline";
import { readFloats } from "./geometry.ts";

/** Coefficients of one face. */
export interface Regression {
  /** Posed vertices, crop pixels (x right, y down, z away) [3·V]. */
  vertices: Float32Array;
  /** Identity coefficients in standard deviations. */
  identity: Float32Array;
  /** Expression coefficients in standard deviations. */
  expression: Float32Array;
  /** Head angles, degrees. */
  angles: Angles;
  /** Light [27], band-major, RGB last. */
  light: Float32Array;
  /** Coefficients of the template albedo in standard deviations. */
  albedo: Float32Array;
}

/** The file of one face. */
export function encodeRegression({ angles: { yaw, pitch, roll }, ...rest }: Regression): Uint8Array {
  const tensors = Object.entries({ ...rest, angles: Float32Array.of(yaw, pitch, roll) });
  return encodeSafetensors(Object.fromEntries(tensors.map(([name, data]) => [name, { shape: [data.length], data }])));
}

/**
 * Reads one face.
 *
 * @throws {TypeError} if the file lacks a tensor
 */
export async function readRegression(regressed: Tree, key: string): Promise<Regression> {
  const floats = await readFloats(regressed, `${key}.safetensors`);
  const take = (name: keyof Regression): Float32Array => {
    const data = floats[name];
    if (data === undefined) throw new TypeError(`${key}.safetensors holds no "${name}"`);
    return data;
  };
  const [yaw, pitch, roll] = take("angles") as unknown as [number, number, number];
  return {
    vertices: take("vertices"),
    identity: take("identity"),
    expression: take("expression"),
    angles: { yaw, pitch, roll },
    light: take("light"),
    albedo: take("albedo"),
  };
}
