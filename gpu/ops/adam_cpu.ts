/**
 * Adam, line by line as Kingma and Ba print it (algorithm 1), with decoupled weight decay: the definition of what
 * adam.ts computes.
 */

import { type Dense, zeros } from "../dense.ts";
import type { AdamOptions, AdamState, AdamUpdate } from "./adam.ts";

/** A weight by its name; a step writes into `data`. */
export interface WeightsCpu extends Dense<Float64Array> {
  readonly name: string;
}

/** A state before the first step. */
export function createAdamCpu(): AdamState<Dense<Float64Array>> {
  return { step: 0, first: new Map(), second: new Map() };
}

/** Moves the variables one step and advances the state. A variable without a gradient stays. */
export function adamStepCpu(
  state: AdamState<Dense<Float64Array>>,
  update: AdamUpdate<WeightsCpu, Dense> & AdamOptions,
): void {
  const { variables, gradients, learningRate, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weightDecay = 0 } = update;
  state.step++;
  for (const { name, shape, data } of variables) {
    const gradient = gradients[name];
    if (gradient === undefined) continue;
    const first = state.first.get(name) ?? zeros(shape);
    const second = state.second.get(name) ?? zeros(shape);
    for (let i = 0; i < data.length; i++) {
      const g = gradient.data[i]!;
      first.data[i] = beta1 * first.data[i]! + (1 - beta1) * g;
      second.data[i] = beta2 * second.data[i]! + (1 - beta2) * g * g;
      const mean = first.data[i]! / (1 - beta1 ** state.step);
      const square = second.data[i]! / (1 - beta2 ** state.step);
      data[i] = data[i]! * (1 - learningRate * weightDecay) - learningRate * mean / (Math.sqrt(square) + epsilon);
    }
    state.first.set(name, first);
    state.second.set(name, second);
  }
}
