/**
 * The face model of Chen et al. as its authors ship it: `BFM2009_Model.mat` of `resources.zip`
 * (cyj907/unsupervised-detail-layer, `load_3dmm_basis`). Components are deviations: the file's bases times its sigmas.
 */
import type { ChenModel } from "../face/chen_model.ts";
import { requireLayout } from "./files/layouts.ts";
import { openTensors, readFloats, type TensorFile } from "./files/open_tensors.ts";
import { TensorFileError, type TensorSource } from "./files/source.ts";
import { countOf } from "./files/values.ts";

/** Of the file's 199 components of shape and of albedo, the authors take the first ones. */
const TAKEN = 80;
/** Colours are from 0 to this in the file. */
const WHITE = 255;

/**
 * Reads the model.
 *
 * @throws {TensorFileError} if the file is damaged, of another model, or its parts do not fit
 */
export async function readChenModel(source: TensorSource): Promise<ChenModel> {
  const file = await openTensors(source);
  requireLayout(file, "chenModel");
  const mean = await row(file, "mu_shape");
  const size = mean.length;
  if (size === 0 || size % 3 !== 0) {
    throw new TensorFileError(`Cannot read ${file.name}: "mu_shape" has ${size} values, not three for each vertex`);
  }
  const expression = await row(file, "mu_exp", size);
  const [shapes, expressions] = [
    await deviations(file, "shape", { size, taken: TAKEN }),
    await deviations(file, "exp", { size, taken: Infinity }),
  ];
  const components = new Float32Array(shapes.length + expressions.length);
  components.set(shapes);
  components.set(expressions, shapes.length);
  return {
    mean: mean.map((value, i) => value + expression[i]!),
    components,
    albedoMean: (await row(file, "mu_tex", size)).map((value) => value / WHITE),
    albedoComponents: (await deviations(file, "tex", { size, taken: TAKEN })).map((value) => value / WHITE),
    triangles: await readTriangles(file, size / 3),
    mask: await row(file, "mask_face", size / 3),
  };
}

/** A vector, which MATLAB has as a matrix of one row or of one column. */
async function row(file: TensorFile, name: string, length?: number): Promise<Float32Array<ArrayBuffer>> {
  const shape = file.tensors.get(name)?.shape ?? [];
  if (length !== undefined && shape.length > 0 && countOf(shape) !== length) {
    throw new TensorFileError(`Cannot read ${file.name}: "${name}" must have ${length} values, and it is [${shape}]`);
  }
  return await readFloats(file, { name, shape });
}

/** The first columns of a basis, each times its sigma, as rows. */
async function deviations(
  file: TensorFile,
  name: string,
  { size, taken }: { size: number; taken: number },
): Promise<Float32Array<ArrayBuffer>> {
  const sigma = await row(file, `sigma_${name}`);
  const count = Math.min(taken, sigma.length);
  const basis = await readFloats(file, { name: `bases_${name}`, shape: [size, sigma.length] });
  const out = new Float32Array(count * size);
  for (let k = 0; k < count; k++) {
    for (let i = 0; i < size; i++) out[k * size + i] = basis[i * sigma.length + k]! * sigma[k]!;
  }
  return out;
}

async function readTriangles(file: TensorFile, vertices: number): Promise<Uint32Array<ArrayBuffer>> {
  const shape = file.tensors.get("tri")?.shape;
  if (shape !== undefined && (shape.length !== 2 || shape[1] !== 3)) {
    throw new TensorFileError(`Cannot read ${file.name}: "tri" must be [any,3], and it is [${shape}]`);
  }
  const values = Array.from(await file.read("tri"), Number);
  const bad = values.find((vertex) => !Number.isInteger(vertex) || vertex < 0 || vertex >= vertices);
  if (bad === undefined) return Uint32Array.from(values);
  throw new TensorFileError(`Cannot read ${file.name}: a triangle names vertex ${bad}, and there are ${vertices}`);
}
