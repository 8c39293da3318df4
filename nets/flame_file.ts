/**
 * FLAME as its authors ship it (`generic_model.pkl`, FLAME 2020 or 2023): the template, 300 shape and 100 expression
 * components, of which DECA uses the first 100 and the first 50, pose correctives, joints and skinning weights.
 */
import type { FlameModel } from "../face/flame_model.ts";
import { requireLayout } from "./files/layouts.ts";
import { openTensors, readFloats, type TensorFile } from "./files/open_tensors.ts";
import { TensorFileError, type TensorSource } from "./files/source.ts";

const VERTICES = 5023;
/** Triangles of the head. */
export const FLAME_TRIANGLES = 9976;
const JOINTS = 5;
const CORRECTIVES = 9 * (JOINTS - 1);
/** Components in the file: shape, then expression from this one on. */
const ALL = 400;
const EXPRESSION = 300;

/** How many components to take. */
export interface FlameComponents {
  /** Of shape. Default 100, DECA's. */
  readonly shape?: number;
  /** Of expression. Default 50, DECA's. */
  readonly expression?: number;
}

/**
 * Reads the model.
 *
 * @throws {TensorFileError} if the file is damaged, holds another model, or its joints hang on later ones
 * @throws {RangeError} if it has not so many components
 */
export async function readFlame(
  source: TensorSource,
  { shape = 100, expression = 50 }: FlameComponents = {},
): Promise<FlameModel> {
  const some = shape >= 0 && expression >= 0 && shape + expression > 0;
  if (!(some && shape <= EXPRESSION && expression <= ALL - EXPRESSION)) {
    throw new RangeError(
      `FLAME has 1 to ${EXPRESSION} shape and ${
        ALL - EXPRESSION
      } expression components, not ${shape} and ${expression}`,
    );
  }
  const file = await openTensors(source);
  requireLayout(file, "flame");
  const read = (name: string, shape: readonly number[]) => readFloats(file, { name, shape });
  const size = 3 * VERTICES;
  const components = await read("shapedirs", [VERTICES, 3, ALL]);
  const taken = [...Array(shape).keys(), ...Array.from({ length: expression }, (_, k) => EXPRESSION + k)];
  return {
    template: await read("v_template", [VERTICES, 3]),
    components: columns(components, { taken, size }),
    poseCorrectives: columns(await read("posedirs", [VERTICES, 3, CORRECTIVES]), {
      taken: [...Array(CORRECTIVES).keys()],
      size,
    }),
    jointRegressor: await read("J_regressor", [JOINTS, VERTICES]),
    skinning: await read("weights", [VERTICES, JOINTS]),
    parents: await readParents(file),
    triangles: await readTriangles(file),
  };
}

/** Some columns of a matrix of `size` rows, as rows. */
function columns(
  values: Float32Array,
  { taken, size }: { taken: readonly number[]; size: number },
): Float32Array<ArrayBuffer> {
  const count = values.length / size;
  const out = new Float32Array(taken.length * size);
  for (const [row, column] of taken.entries()) {
    for (let i = 0; i < size; i++) out[row * size + i] = values[i * count + column]!;
  }
  return out;
}

/** The first row of the table; the root's parent is −1, which the file writes as −1 or as 2³² − 1. */
async function readParents(file: TensorFile): Promise<number[]> {
  const info = file.tensors.get("kintree_table");
  if (info === undefined || String(info.shape) !== String([2, JOINTS])) {
    throw new TensorFileError(
      `Cannot read ${file.name}: "kintree_table" must be [2,${JOINTS}], and it is ${
        info ? `[${info.shape}]` : "absent"
      }`,
    );
  }
  const parents = Array.from((await file.read("kintree_table")).subarray(0, JOINTS), Number);
  parents[0] = -1;
  if (!parents.every((parent, joint) => joint === 0 || (parent >= 0 && parent < joint))) {
    throw new TensorFileError(`Cannot read ${file.name}: its joints hang on each other as ${parents}`);
  }
  return parents;
}

async function readTriangles(file: TensorFile): Promise<Uint32Array<ArrayBuffer>> {
  const triangles = Uint32Array.from(await file.read("f"), Number);
  const bad = triangles.find((vertex) => vertex >= VERTICES);
  if (bad !== undefined || triangles.length !== 3 * FLAME_TRIANGLES) {
    throw new TensorFileError(`Cannot read ${file.name}: a triangle names vertex ${bad}, and there are ${VERTICES}`);
  }
  return triangles;
}
