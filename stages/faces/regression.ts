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
  /** FLAME's pose: rotation vectors of head and jaw, radians [6]; absent from a regressor that has none. */
  pose?: Float32Array | undefined;
  /** Light [27], band-major, RGB last. */
  light: Float32Array;
  /** Coefficients of the template albedo in standard deviations. */
  albedo: Float32Array;
}

/** The file of one face. */
export function encodeRegression({ angles: { yaw, pitch, roll }, pose, ...rest }: Regression): Uint8Array {
  const tensors = Object.entries({ ...rest, ...(pose && { pose }), angles: Float32Array.of(yaw, pitch, roll) });
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
    ...(floats.pose && { pose: floats.pose }),
    light: take("light"),
    albedo: take("albedo"),
  };
}

/**
 * What a regressor said of a face together with its mesh.
 *
 * @returns undefined where a file of meshes holds nothing but the mesh
 * @throws {TypeError} if the file holds a part of it
 */
export async function readEncoded(meshes: Tree, key: string): Promise<Regression | undefined> {
  const { pose } = await readFloats(meshes, `${key}.safetensors`);
  return pose === undefined ? undefined : await readRegression(meshes, key);
}
