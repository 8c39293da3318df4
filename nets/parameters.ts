/**
 * Trainable parameters as a plain record of named arrays: initialisation from a seed, loading, saving. A network here
 * is a function of (parameters, input); it owns no state, so a checkpoint is the record and nothing else.
 */
import type * as tfjs from "@tensorflow/tfjs";
import type { Tfjs } from "@ftim/gpu/backend";
import type { TensorRecord } from "./safetensors.ts";
import { gaussian } from "./random.ts";

/**
 * How one parameter starts: `fan` is the number of inputs that one output sums over (He et al. 2015), 0 means a
 * constant.
 */
export interface ParameterSpec {
  shape: readonly number[];
  fan: number;
  /** Factor on the He standard deviation. */
  gain?: number;
  /** The constant where `fan` is 0. Default 0. */
  start?: number;
}

/** Values of parameters by name, each row-major. */
export type ParameterValues = Record<string, { shape: readonly number[]; data: Float32Array }>;

/** Parameters on the device, by name. */
export type Variables = Record<string, tfjs.Variable>;

/**
 * Draws parameters: normal with σ = gain·√(2/fan), constants where `fan` is 0.
 *
 * @param specs shapes and fans by name; the draw depends on the order of the names
 * @param seed any 32-bit integer; equal seeds give equal bytes
 */
export function drawParameters(specs: Record<string, ParameterSpec>, seed: number): ParameterValues {
  const next = gaussian(seed);
  const values: ParameterValues = {};
  for (const [name, { shape, fan, gain = 1, start = 0 }] of Object.entries(specs)) {
    const data = new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(start);
    const sigma = fan === 0 ? 0 : gain * Math.sqrt(2 / fan);
    for (let i = 0; sigma > 0 && i < data.length; i++) data[i] = sigma * next();
    values[name] = { shape, data };
  }
  return values;
}

/** Puts parameters on the device as trainable variables. */
export function toVariables(tf: Tfjs, values: ParameterValues): Variables {
  const variables: Variables = {};
  for (const [name, { shape, data }] of Object.entries(values)) {
    variables[name] = tf.variable(tf.tensor(data, shape as number[]), true);
  }
  return variables;
}

/** Reads variables back from the device, all at once: each by itself waits some 11 ms. */
export async function fromVariables(variables: Variables): Promise<ParameterValues> {
  const entries = Object.entries(variables).map(async ([name, variable]) => {
    return [name, { shape: variable.shape, data: await variable.data() as Float32Array }] as const;
  });
  return Object.fromEntries(await Promise.all(entries));
}

/**
 * Takes the parameters that `specs` names out of decoded safetensors.
 *
 * @throws {TypeError} if one is absent, is not float32, or has another shape
 */
export function parametersFrom(record: TensorRecord, specs: Record<string, ParameterSpec>): ParameterValues {
  const values: ParameterValues = {};
  for (const [name, { shape }] of Object.entries(specs)) {
    const tensor = record[name];
    if (tensor === undefined) throw new TypeError(`Cannot load parameters: "${name}" is absent`);
    if (!(tensor.data instanceof Float32Array) || tensor.shape.join() !== shape.join()) {
      throw new TypeError(`Cannot load parameters: "${name}" is not float32 of shape [${shape}] but [${tensor.shape}]`);
    }
    values[name] = { shape, data: tensor.data };
  }
  return values;
}
