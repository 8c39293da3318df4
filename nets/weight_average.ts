/**
 * The mean of a network's weights over the last steps of its training (Izmailov et al. 2018, "Averaging Weights Leads
 * to Wider Optima and Better Generalization"). With one triplet a step the weights sway about what they have learned,
 * and which way they lean at the last step is chance.
 */
import type * as tfjs from "@tensorflow/tfjs";
import type { Tfjs } from "@ftim/gpu/backend";
import { fromVariables, type ParameterValues, type Variables } from "./parameters.ts";

/** A running mean on the device. */
export interface WeightAverage {
  /** Takes the weights as they are now into the mean. */
  add(): void;
  /** How often that was done. */
  readonly count: number;
  /** The mean by name; zeros before the first `add`. */
  values(): Promise<ParameterValues>;
  dispose(): void;
}

/**
 * Makes a mean of variables' values over time.
 *
 * @param options.resume count and mean of an earlier one
 */
export function weightAverage(
  tf: Tfjs,
  variables: Variables,
  { resume }: { resume?: { count: number; values: ParameterValues } } = {},
): WeightAverage {
  let count = resume?.count ?? 0;
  const means: Record<string, tfjs.Variable> = {};
  for (const [name, { shape }] of Object.entries(variables)) {
    const saved = resume?.values[name]?.data;
    means[name] = tf.tidy(() => tf.variable(saved === undefined ? tf.zeros(shape) : tf.tensor(saved, shape), false));
  }
  return {
    get count() {
      return count;
    },
    add() {
      count++;
      for (const [name, mean] of Object.entries(means)) {
        tf.tidy(() => mean.assign(tf.add(mean, tf.mul(tf.sub(variables[name]!, mean), 1 / count))));
      }
    },
    values: () => fromVariables(means),
    dispose: () => tf.dispose(means),
  };
}
