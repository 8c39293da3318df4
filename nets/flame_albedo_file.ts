/**
 * The albedo space of DECA (`FLAME_albedo_from_BFM.npz`, which TimoBolkart/BFM_to_FLAME makes of the Basel Face Model
 * 2017): a mean and 199 components of 512² texels, blue first. As DECA's `FLAMETex` does it, every second texel of
 * every second row is taken, the first components are, and red comes first.
 */
import type { AlbedoModel } from "../face/morphable.ts";
import { requireLayout } from "./files/layouts.ts";
import { openTensors } from "./files/open_tensors.ts";
import { TensorFileError, type TensorSource } from "./files/source.ts";
import { toFloats } from "./files/values.ts";

const SIDE = 512;
/** Components in the file. */
const ALL = 199;

/** A linear albedo. */
export interface FlameAlbedo {
  /** Side of the map in texels: 256. */
  readonly size: number;
  /** `[size, size, 3]`, RGB, 0..1, in FLAME's chart, rows from the top. */
  readonly mean: Float32Array<ArrayBuffer>;
  /** `[components, size, size, 3]` */
  readonly components: Float32Array<ArrayBuffer>;
}

/**
 * Reads the space.
 *
 * @param options.components how many to take; default 50, DECA's
 * @throws {TensorFileError} if the file is damaged or holds something else
 * @throws {RangeError} if it has not so many components
 */
export async function readFlameAlbedo(
  source: TensorSource,
  { components = 50 }: { components?: number } = {},
): Promise<FlameAlbedo> {
  if (!(components >= 1 && components <= ALL)) {
    throw new RangeError(`The albedo has ${ALL} components, not ${components}`);
  }
  const file = await openTensors(source);
  requireLayout(file, "flameAlbedo");
  const read = async (name: string) => {
    const { shape } = file.tensors.get(name)!;
    if (name === "PC" && shape.at(-1) !== ALL) {
      throw new TensorFileError(`Cannot read ${file.name}: "PC" must end with ${ALL} components, and it is [${shape}]`);
    }
    // as doubles where they are: as floats beside them they would take half as much again
    const values = await file.read(name);
    return values instanceof Float64Array ? values : toFloats(values);
  };
  const mean = halvedPlanes(await read("MU"), { side: SIDE, all: 1, taken: 1 });
  return {
    size: SIDE / 2,
    mean,
    components: halvedPlanes(await read("PC"), { side: SIDE, all: ALL, taken: components }),
  };
}

/**
 * The space as an albedo model: rows of unit length, so that a code, which is DECA's, is in units of their lengths.
 */
export function unitAlbedo({ mean, components }: FlameAlbedo): AlbedoModel {
  const { length } = mean;
  const albedoBasis = components.slice();
  const albedoSigma = Float32Array.from({ length: components.length / length }, (_, k) => {
    const row = albedoBasis.subarray(k * length, (k + 1) * length);
    const norm = Math.sqrt(row.reduce((sum, value) => sum + value * value, 0));
    if (norm > 0) row.forEach((value, i) => row[i] = value / norm);
    return norm;
  });
  return { albedoMean: mean, albedoBasis, albedoSigma };
}

/**
 * Maps of half the side, red first, from maps that lie interleaved.
 *
 * @param values `[side, side, 3, all]`, blue first
 * @param options.taken how many of all maps
 * @returns `[taken, side/2, side/2, 3]`
 */
export function halvedPlanes(
  values: Float32Array | Float64Array,
  { side, all, taken }: { side: number; all: number; taken: number },
): Float32Array<ArrayBuffer> {
  const half = side / 2;
  const size = half * half * 3;
  const out = new Float32Array(taken * size);
  for (let y = 0; y < half; y++) {
    for (let x = 0; x < half; x++) {
      for (let c = 0; c < 3; c++) {
        const from = ((2 * y * side + 2 * x) * 3 + 2 - c) * all;
        const to = (y * half + x) * 3 + c;
        for (let k = 0; k < taken; k++) out[k * size + to] = values[from + k]!;
      }
    }
  }
  return out;
}
