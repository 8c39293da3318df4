/**
 * A linear morphable model: shape = mean + identity + expression, albedo = mean + variation, each a few principal
 * directions. Coefficients are in standard deviations. Model space is described in pose.ts and frame.ts; its unit is
 * the root mean square distance of the mean's vertices from their centroid (a face is about 2.7 wide and 3.2 high).
 */
import { applyPose, flipYZ, invertPose, type Pose, procrustes } from "./pose.ts";
import { solveCholesky } from "./linear.ts";

/** The shape part: bases are [K, 3V] with unit rows, sigmas K standard deviations. */
export interface ShapeModel {
  /** 3V, xyz triples in model space; mirror-symmetric. */
  readonly mean: Float32Array;
  readonly identityBasis: Float32Array;
  readonly identitySigma: Float32Array;
  readonly expressionBasis: Float32Array;
  readonly expressionSigma: Float32Array;
}

/** The albedo part: the basis is [K, size²·3] with unit rows. */
export interface AlbedoModel {
  /** size²·3, RGB, 0..1. */
  readonly albedoMean: Float32Array;
  readonly albedoBasis: Float32Array;
  readonly albedoSigma: Float32Array;
}

/** Shape and albedo. */
export interface MorphableModel extends ShapeModel, AlbedoModel {}

/** Coefficients of a shape in standard deviations; missing ones are 0. */
export interface ShapeCode {
  readonly identity: Float32Array;
  readonly expression: Float32Array;
}

/** A shape that was fitted to a mesh. */
export interface FittedShape extends ShapeCode {
  readonly pose: Pose;
  /** Root mean square distance between the posed model and the mesh, pixels. */
  readonly residual: number;
}

/** mean + Σ code_k · sigma_k · basis_k. */
function combine(
  mean: Float32Array,
  parts: readonly { code: Float32Array; basis: Float32Array; sigma: Float32Array }[],
): Float32Array {
  const out = mean.slice();
  for (const { code, basis, sigma } of parts) {
    if (code.length > sigma.length) throw new RangeError(`${code.length} coefficients for ${sigma.length} components`);
    code.forEach((value, k) => {
      const weight = value * sigma[k]!;
      const row = k * mean.length;
      if (weight !== 0) { for (let i = 0; i < mean.length; i++) out[i] = out[i]! + weight * basis[row + i]!; }
    });
  }
  return out;
}

/** Vertices of a code in model space, 3V. */
export function shapeOf(model: ShapeModel, { identity, expression }: ShapeCode): Float32Array {
  return combine(model.mean, [
    { code: identity, basis: model.identityBasis, sigma: model.identitySigma },
    { code: expression, basis: model.expressionBasis, sigma: model.expressionSigma },
  ]);
}

/** Albedo map of a code, size²·3, not clamped. */
export function albedoOf(model: AlbedoModel, code: Float32Array): Float32Array {
  return combine(model.albedoMean, [{ code, basis: model.albedoBasis, sigma: model.albedoSigma }]);
}

/**
 * The most likely code and pose of a mesh: pose by Procrustes and code by ridge least squares (a Gaussian prior on the
 * coefficients), in turns.
 *
 * @param posed 3V, crop pixels (x right, y down, z away).
 * @param options.noise Standard deviation of a vertex coordinate that the model does not explain, in model units;
 *   larger keeps the code nearer to the mean.
 */
export function fitShape(
  model: ShapeModel,
  posed: Float32Array,
  { noise = 0.02, turns = 8 }: { noise?: number; turns?: number } = {},
): FittedShape {
  const view = flipYZ(posed);
  const rows = scaledRows(model);
  const count = rows.length;
  const matrix = new Float64Array(count * count);
  rows.forEach((a, i) => {
    for (let j = 0; j <= i; j++) matrix[i * count + j] = dot(a, rows[j]!) / noise ** 2 + (i === j ? 1 : 0);
  });
  const identities = model.identitySigma.length;
  let code = new Float32Array(count);
  let shape = model.mean;
  let pose = procrustes(shape, { target: view });
  for (let turn = 0; turn < turns; turn++) {
    const target = invertPose(pose, view);
    const rest = target.map((value, i) => value - model.mean[i]!);
    const right = Float64Array.from(rows, (row) => dot(row, rest) / noise ** 2);
    code = Float32Array.from(solveCholesky({ matrix, right }));
    shape = shapeOf(model, { identity: code.slice(0, identities), expression: code.slice(identities) });
    pose = procrustes(shape, { target: view });
  }
  const fitted = applyPose(pose, shape);
  const squares = fitted.reduce((sum, value, i) => sum + (value - view[i]!) ** 2, 0);
  return {
    identity: code.slice(0, identities),
    expression: code.slice(identities),
    pose,
    residual: Math.sqrt(3 * squares / view.length),
  };
}

/** Named arrays with shapes, ready for a tensor file. */
type Encoded<Model> = Record<keyof Model, { shape: number[]; data: Float32Array }>;

/** The model as a tensor file has it. */
export function encodeMorphable(model: MorphableModel): Encoded<MorphableModel> {
  return {
    ...encodeShape(model),
    albedoMean: vector(model.albedoMean),
    albedoBasis: matrix(model.albedoBasis, model.albedoSigma),
    albedoSigma: vector(model.albedoSigma),
  };
}

/** The shape part alone. */
export function encodeShape(model: ShapeModel): Encoded<ShapeModel> {
  return {
    mean: { shape: [model.mean.length / 3, 3], data: model.mean },
    identityBasis: matrix(model.identityBasis, model.identitySigma),
    identitySigma: vector(model.identitySigma),
    expressionBasis: matrix(model.expressionBasis, model.expressionSigma),
    expressionSigma: vector(model.expressionSigma),
  };
}

function matrix(data: Float32Array, { length }: Float32Array) {
  return { shape: [length, length && data.length / length], data };
}

function vector(data: Float32Array) {
  return { shape: [data.length], data };
}

/**
 * The model from named arrays.
 *
 * @throws TypeError if one is absent or no Float32Array, or a basis does not fit its mean and sigmas.
 */
export function decodeMorphable(arrays: NamedArrays): MorphableModel {
  const model = {
    ...decodeShape(arrays),
    albedoMean: read(arrays, "albedoMean"),
    albedoBasis: read(arrays, "albedoBasis"),
    albedoSigma: read(arrays, "albedoSigma"),
  };
  check("albedoBasis", model.albedoBasis, model.albedoSigma.length * model.albedoMean.length);
  return model;
}

/** The shape part alone. Throws as {@linkcode decodeMorphable} does. */
export function decodeShape(arrays: NamedArrays): ShapeModel {
  const model = {
    mean: read(arrays, "mean"),
    identityBasis: read(arrays, "identityBasis"),
    identitySigma: read(arrays, "identitySigma"),
    expressionBasis: read(arrays, "expressionBasis"),
    expressionSigma: read(arrays, "expressionSigma"),
  };
  check("identityBasis", model.identityBasis, model.identitySigma.length * model.mean.length);
  check("expressionBasis", model.expressionBasis, model.expressionSigma.length * model.mean.length);
  return model;
}

type NamedArrays = Readonly<Record<string, { readonly data: unknown } | undefined>>;

function read(arrays: NamedArrays, name: keyof MorphableModel): Float32Array {
  const data = arrays[name]?.data;
  if (!(data instanceof Float32Array)) throw new TypeError(`The morphable model has no float32 array "${name}"`);
  return data;
}

function check(name: string, basis: Float32Array, size: number): void {
  if (basis.length !== size) {
    throw new TypeError(`The morphable model's ${name} has ${basis.length} values, not ${size}`);
  }
}

/** Rows of both bases, each times its standard deviation. */
function scaledRows(model: ShapeModel): Float32Array[] {
  const length = model.mean.length;
  const rows = (basis: Float32Array, sigma: Float32Array) =>
    Array.from(sigma, (s, k) => basis.slice(k * length, (k + 1) * length).map((value) => value * s));
  return [...rows(model.identityBasis, model.identitySigma), ...rows(model.expressionBasis, model.expressionSigma)];
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}
