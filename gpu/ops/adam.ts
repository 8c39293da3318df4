/**
 * Adam (Kingma and Ba 2015, algorithm 1; with decoupled weight decay, Loshchilov and Hutter 2019) as one pass per
 * variable.
 *
 * tf.train.adam takes ten passes. The optimiser's memory is a plain record of named tensors, so a checkpoint saves just
 * that.
 */

import type { Tensor, Variable } from "@tensorflow/tfjs";
import { dispatch, program } from "../kernels/dispatch.ts";
import { type Tfjs, webgpuBackend } from "../backend.ts";

/** Options of `adamStep`. */
export interface AdamOptions {
  readonly learningRate: number;
  /** Decay of the mean gradient. Default 0.9. */
  readonly beta1?: number;
  /** Decay of the mean squared gradient. Default 0.999. */
  readonly beta2?: number;
  /** Added to the root of the mean square. Default 1e-8. */
  readonly epsilon?: number;
  /** Each step also takes learningRate · weightDecay of a weight from it. Default 0. */
  readonly weightDecay?: number;
}

/** The optimiser's memory: tensors kept until `disposeAdam`. */
export interface AdamState<Memory = Tensor> {
  /** Steps taken. */
  step: number;
  /** Mean gradient of each variable, by name. */
  readonly first: Map<string, Memory>;
  /** Mean squared gradient of each variable, by name. */
  readonly second: Map<string, Memory>;
}

/** A state before the first step. To resume, fill the maps from a checkpoint (`tf.keep` the tensors) and set `step`. */
export function createAdam(): AdamState {
  return { step: 0, first: new Map(), second: new Map() };
}

/** Frees the state's tensors. */
export function disposeAdam({ first, second }: AdamState): void {
  for (const tensor of [...first.values(), ...second.values()]) tensor.dispose();
  first.clear();
  second.clear();
}

/** What one step works on. */
export interface AdamUpdate<Weights = Variable, Gradient = Tensor> {
  readonly variables: readonly Weights[];
  /**
   * By the variable's name, as `tf.variableGrads(…).grads`. A variable without a gradient stays. The caller disposes
   * them.
   */
  readonly gradients: Readonly<Record<string, Gradient>>;
}

/**
 * Moves the variables one step and advances the state.
 *
 * @throws {RangeError} if a gradient's or a resumed state's size is not its variable's
 *
 * @example
 * ```ts
 * import { openTfjs } from "@ftim/gpu/tfjs";
 * import { adamStep, createAdam } from "@ftim/gpu/ops/adam";
 *
 * const tf = await openTfjs();
 * const variables = [tf.variable(tf.tensor1d([1, 2, 3]))];
 * const loss = () => tf.sum(tf.square(variables[0]!)).asScalar();
 * const state = createAdam();
 * const { value, grads } = tf.variableGrads(loss, variables);
 * adamStep(tf, state, { variables, gradients: grads, learningRate: 1e-4 });
 * tf.dispose([value, grads]);
 * ```
 */
export function adamStep(tf: Tfjs, state: AdamState, update: AdamUpdate & AdamOptions): void {
  const { variables, gradients, learningRate, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weightDecay = 0 } = update;
  state.step++;
  // The bias corrections are folded into the rate and epsilon, in float64:
  // lr · m̂ / (√v̂ + ε) = (lr · √c2 / c1) · m / (√v + ε · √c2).
  const root = Math.sqrt(1 - beta2 ** state.step);
  const rate = learningRate * root / (1 - beta1 ** state.step);
  const uniforms = [beta1, beta2, rate, epsilon * root, 1 - learningRate * weightDecay].map((f32) => ({ f32 }));
  const backend = webgpuBackend(tf);
  for (const variable of variables) {
    const gradient = gradients[variable.name];
    if (gradient === undefined) continue;
    const first = memory(tf, state.first, variable);
    const second = memory(tf, state.second, variable);
    if (gradient.size !== variable.size || first.size !== variable.size || second.size !== variable.size) {
      throw new RangeError(`Cannot step ${variable.name} [${variable.shape}] with a gradient or state of another size`);
    }
    const { size, shape } = variable;
    const [nextFirst, nextSecond] = [0, 1].map(() =>
      tf.keep(tf.engine().makeTensorFromTensorInfo(backend.makeTensorInfo(shape, "float32")))
    );
    if (nextFirst === undefined || nextSecond === undefined) continue;
    const next = dispatch(backend, {
      key: "adam",
      code: adamCode,
      inputs: [variable, gradient, first, second],
      outputs: [nextFirst, nextSecond],
      shape,
      uniforms: [size, ...uniforms],
      invocations: size,
    });
    const value = tf.engine().makeTensorFromTensorInfo(next);
    variable.assign(value);
    tf.dispose([value, first, second]);
    state.first.set(variable.name, nextFirst);
    state.second.set(variable.name, nextSecond);
  }
}

function memory(tf: Tfjs, tensors: Map<string, Tensor>, variable: Variable): Tensor {
  return tensors.get(variable.name) ?? tf.keep(tf.zeros(variable.shape));
}

function adamCode(): string {
  return program({
    result: "f32",
    inputs: [["weight", "f32"], ["gradient", "f32"], ["first", "f32"], ["second", "f32"]],
    outputs: [["nextFirst", "f32"], ["nextSecond", "f32"]],
    uniforms: ["count", "beta1:f32", "beta2:f32", "rate:f32", "epsilon:f32", "keep:f32"],
    body: `
  if (id >= u.count) { return; }
  let g = gradient[id];
  let m = u.beta1 * first[id] + (1.0 - u.beta1) * g;
  let v = u.beta2 * second[id] + (1.0 - u.beta2) * g * g;
  nextFirst[id] = m;
  nextSecond[id] = v;
  result[id] = weight[id] * u.keep - u.rate * m / (sqrt(v) + u.epsilon);`,
  });
}
