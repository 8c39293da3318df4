/**
 * The files of Deep3DFaceRecon's `BFM` folder (Deng et al. 2019): the front of the Basel Face Model 2009, which the
 * authors' `transferBFM09` makes (`BFM_model_front.mat`), and the landmarks of a standard face, by which photographs
 * are aligned (`similarity_Lm3D_all.mat`, in their repository).
 */
import { BFM_AROUND, type BfmModel } from "../face/bfm_model.ts";
import { requireLayout } from "./files/layouts.ts";
import { openTensors, readFloats, type TensorFile } from "./files/open_tensors.ts";
import { TensorFileError, type TensorSource } from "./files/source.ts";
import { countOf } from "./files/values.ts";

/** How many components the encoder's code has. */
const [IDENTITY, EXPRESSION, ALBEDO] = [80, 64, 80];

/**
 * Reads the face model. As the authors do it, the mean of the shape's vertices is taken off.
 *
 * @throws {TensorFileError} if the file is damaged, holds something else, or names a vertex or triangle that is none
 */
export async function readBfmFront(source: TensorSource): Promise<BfmModel> {
  const file = await openTensors(source);
  requireLayout(file, "bfmFront");
  const size = countOf(file.tensors.get("meanshape")!.shape);
  const vertices = size / 3;
  const components = new Float32Array((IDENTITY + EXPRESSION) * size);
  components.set(rowsOf(await readFloats(file, { name: "idBase", shape: [size, IDENTITY] }), IDENTITY));
  components.set(
    rowsOf(await readFloats(file, { name: "exBase", shape: [size, EXPRESSION] }), EXPRESSION),
    IDENTITY * size,
  );
  const triangles = await readIndices(file, { name: "tri", columns: 3, most: vertices });
  const around = await readIndices(file, { name: "point_buf", columns: BFM_AROUND, most: triangles.length / 3 + 1 });
  if (around.length !== BFM_AROUND * vertices) {
    throw new TensorFileError(
      `Cannot read ${file.name}: "point_buf" has ${around.length / BFM_AROUND} rows; the face has ${vertices} vertices`,
    );
  }
  return {
    mean: centred(await readFloats(file, { name: "meanshape", shape: file.tensors.get("meanshape")!.shape })),
    components,
    albedo: await readFloats(file, { name: "meantex", shape: [1, size] }),
    albedoComponents: rowsOf(await readFloats(file, { name: "texBase", shape: [size, ALBEDO] }), ALBEDO),
    triangles,
    around,
  };
}

/**
 * Reads the standard face's five points: eye, eye, nose, corner of the mouth, corner, those on the left of the picture
 * first. An eye is the mean of two of its landmarks.
 *
 * @returns `[5, 3]`: x right, y up, z to the viewer
 * @throws {TensorFileError} if the file is damaged or holds something else
 */
export async function readStandardPoints(source: TensorSource): Promise<Float64Array> {
  const file = await openTensors(source);
  requireLayout(file, "standardLandmarks");
  const landmarks = await readFloats(file, { name: "lm", shape: [68, 3] });
  // 68 landmarks as Sagonas et al. number them, from 0
  const groups = [[36, 39], [42, 45], [30], [48], [54]];
  return Float64Array.from(
    groups.flatMap((group) =>
      [0, 1, 2].map((axis) => group.reduce((sum, i) => sum + landmarks[3 * i + axis]! / group.length, 0))
    ),
  );
}

/** Whole numbers that count from 1 there, from 0 here. */
async function readIndices(
  file: TensorFile,
  { name, columns, most }: { name: string; columns: number; most: number },
): Promise<Uint32Array<ArrayBuffer>> {
  const info = file.tensors.get(name);
  if (info === undefined || info.shape.length !== 2 || info.shape[1] !== columns) {
    const found = info === undefined ? "absent" : `[${info.shape}]`;
    throw new TensorFileError(`Cannot read ${file.name}: "${name}" must be [rows,${columns}], and it is ${found}`);
  }
  const values = Array.from(await file.read(name), Number);
  const bad = values.find((value) => !(Number.isInteger(value) && value >= 1 && value <= most));
  if (bad !== undefined) {
    throw new TensorFileError(`Cannot read ${file.name}: "${name}" names ${bad}; expected is 1 to ${most}`);
  }
  return Uint32Array.from(values, (value) => value - 1);
}

/** A matrix of so many columns, as rows. */
function rowsOf(values: Float32Array, columns: number): Float32Array<ArrayBuffer> {
  const size = values.length / columns;
  const out = new Float32Array(values.length);
  for (let i = 0; i < size; i++) {
    for (let k = 0; k < columns; k++) out[k * size + i] = values[i * columns + k]!;
  }
  return out;
}

/** Vertices about their mean. */
function centred(vertices: Float32Array): Float32Array<ArrayBuffer> {
  const sums = [0, 0, 0];
  for (let i = 0; i < vertices.length; i++) sums[i % 3] = sums[i % 3]! + vertices[i]!;
  return Float32Array.from(vertices, (value, i) => value - 3 * sums[i % 3]! / vertices.length);
}
