/**
 * The mesh of Tran et al. as its authors ship it (`3DMM_definition.zip` and two files of their repository, see
 * `_3dmm_utils.py` of tranluan/Nonlinear_Face_3DMM): raw whole numbers and single floats, little-endian and without a
 * header, which MATLAB wrote and which count from 1. How many vertices and triangles there are, the files' sizes tell.
 */
import type { TranModel } from "../face/tran_model.ts";
import { openTensors, readFloats } from "./files/open_tensors.ts";
import { readRange, TensorFileError, type TensorSource } from "./files/source.ts";
import { valuesOf } from "./files/values.ts";
import { TRAN_MAP } from "./tran_decoder.ts";

/** Triangles around a vertex that the file has room for. */
const RING = 8;
const LANDMARKS = 68;

/**
 * Reads the mesh.
 *
 * @param open opens a file of the authors' by its name, such as `3DMM_tri.dat` or `mean_m.npy`
 * @throws {TensorFileError} if a file is absent, cut off, or does not fit the others
 */
export async function readTranDefinition(open: (name: string) => Promise<TensorSource>): Promise<TranModel> {
  const places = [await open("vertices_2d_u.dat"), await open("vertices_2d_v.dat")] as const;
  const count = places[0].size / 4;
  if (!Number.isInteger(count) || count === 0 || places[1].size !== places[0].size) {
    throw new TensorFileError(
      `vertices_2d_u.dat and vertices_2d_v.dat must hold a single float for each vertex, and have ${places[0].size} ` +
        `and ${places[1].size} bytes`,
    );
  }
  const [rows, columns] = [await floats(places[0], { length: count }), await floats(places[1], { length: count })];
  const triangleFile = await open("3DMM_tri.dat");
  const faces = triangleFile.size / 12;
  if (!Number.isInteger(faces) || faces === 0) {
    throw new TensorFileError(
      `3DMM_tri.dat must hold three whole numbers a triangle, and has ${triangleFile.size} bytes`,
    );
  }
  const [shape, expression] = [
    await floats(await open("3DMM_shape_basis.dat"), { length: 3 * count, more: true }),
    await floats(await open("3DMM_exp_basis.dat"), { length: 3 * count, more: true }),
  ];
  const texels = TRAN_MAP.height * TRAN_MAP.width;
  const [corners, ring] = [
    await indices(triangleFile, { length: 3 * faces, most: count }),
    await open("3DMM_vertex_tri.dat"),
  ];
  return {
    mean: shape.map((value, i) => value + expression[i]!),
    // the file has all first corners, then all second ones
    triangles: Uint32Array.from({ length: 3 * faces }, (_, i) => corners[i % 3 * faces + Math.floor(i / 3)]!),
    around: transposed(await indices(ring, { length: RING * count, most: faces, none: true }), {
      rows: RING,
      columns: count,
    }),
    places: Float32Array.from({ length: 2 * count }, (_, i) => (i % 2 === 0 ? rows : columns)[i >> 1]! - 1),
    texels: await indices(await open("3DMM_tri_2d.dat"), { length: texels, most: faces, none: true }),
    weights: await floats(await open("3DMM_tri_2d_barycoord.dat"), { length: 3 * texels }),
    landmarks: await indices(await open("3DMM_keypoints.dat"), { length: LANDMARKS, most: count }),
    camera: { mean: await eight(await open("mean_m.npy")), deviation: await eight(await open("std_m.npy")) },
  };
}

function transposed(
  values: Int32Array<ArrayBuffer>,
  { rows, columns }: { rows: number; columns: number },
): Int32Array<ArrayBuffer> {
  return Int32Array.from({ length: values.length }, (_, i) => values[i % rows * columns + Math.floor(i / rows)]!);
}

/** Whole numbers that count from 1, as such that count from 0; `none`: 0 stands for none, which becomes −1. */
async function indices(
  source: TensorSource,
  { length, most, none = false }: { length: number; most: number; none?: boolean },
): Promise<Int32Array<ArrayBuffer>> {
  const stored = Int32Array.from(await raw(source, { length, dtype: "int32" }), Number);
  const values = stored.map((value) => value - 1);
  const bad = values.find((value) => value < (none ? -1 : 0) || value >= most);
  if (bad === undefined) return values;
  throw new TensorFileError(`Cannot read ${source.name}: it names number ${bad + 1}, and there are ${most}`);
}

/** The first floats of a file; `more`: it may go on. */
async function floats(
  source: TensorSource,
  { length, more = false }: { length: number; more?: boolean },
): Promise<Float32Array<ArrayBuffer>> {
  return Float32Array.from(await raw(source, { length, dtype: "float32", more }), Number);
}

async function raw(
  source: TensorSource,
  { length, dtype, more = false }: { length: number; dtype: "int32" | "float32"; more?: boolean },
) {
  if (source.size < 4 * length || (source.size > 4 * length && !more)) {
    throw new TensorFileError(
      `Cannot read ${source.name}: it must have ${more ? "at least " : ""}${4 * length} bytes to fit the other files ` +
        `of 3DMM_definition, and has ${source.size}`,
    );
  }
  const bytes = () => readRange(source, { begin: 0, length: 4 * length });
  return await valuesOf({ shape: [length], dtype, bytes });
}

async function eight(source: TensorSource): Promise<Float32Array<ArrayBuffer>> {
  const file = await openTensors(source);
  const [name] = file.tensors.keys();
  return await readFloats(file, { name: name ?? "", shape: [8] });
}
