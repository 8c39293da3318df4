/**
 * Adam (Kingma and Ba 2015, algorithm 1) over named variables, with a state that a checkpoint can hold. tfjs's own
 * optimiser keeps its bias corrections as running products; here they follow from the step number, so a resumed run
 * repeats the bits.
 */
import type * as tfjs from "@tensorflow/tfjs";
import { adamStep, createAdam, disposeAdam } from "@ftim/gpu/ops/adam";
import type { Tfjs } from "@ftim/gpu/backend";
import type { ParameterValues, Variables } from "./parameters.ts";

/** An optimiser with its moments on the device. */
export interface Adam {
  /**
   * One step along the gradients; variables are changed in place.
   *
   * @param gradients by the names of the variables' record; one that is absent leaves its variable as it is
   * @param rate learning rate of this step
   */
  step(gradients: Record<string, tfjs.Tensor>, rate: number): void;
  /** Steps taken so far. */
  readonly steps: number;
  /** The moments, named `m/<variable>` and `v/<variable>`. */
  state(): Promise<ParameterValues>;
  dispose(): void;
}

/**
 * Makes an optimiser.
 *
 * @param options.resume steps and moments of an earlier one
 */
export function adam(
  tf: Tfjs,
  variables: Variables,
  { resume }: { resume?: { steps: number; state: ParameterValues } } = {},
): Adam {
  const names = Object.keys(variables);
  const moments = createAdam();
  moments.step = resume?.steps ?? 0;
  for (const [prefix, map] of [["m", moments.first], ["v", moments.second]] as const) {
    for (const name of names) {
      const saved = resume?.state[`${prefix}/${name}`];
      if (saved !== undefined) map.set(variables[name]!.name, tf.keep(tf.tensor(saved.data, saved.shape as number[])));
    }
  }
  return {
    get steps() {
      return moments.step;
    },
    step(gradients, learningRate) {
      const byVariable = names.flatMap((name) => {
        const gradient = gradients[name];
        return gradient === undefined ? [] : [[variables[name]!.name, gradient] as const];
      });
      adamStep(tf, moments, {
        variables: Object.values(variables),
        gradients: Object.fromEntries(byVariable),
        learningRate,
      });
    },
    async state() {
      const entries = ([["m", moments.first], ["v", moments.second]] as const).flatMap(([prefix, map]) =>
        names.map(async (name) => {
          const { name: id, shape, size } = variables[name]!;
          const data = await map.get(id)?.data() ?? new Float32Array(size);
          return [`${prefix}/${name}`, { shape, data: data as Float32Array }] as const;
        })
      );
      return Object.fromEntries(await Promise.all(entries));
    },
    dispose: () => disposeAdam(moments),
  };
}

/**
 * A loss and its gradients by the names of the variables' record.
 *
 * @param loss a scalar on the device; runs once
 */
export function valueAndGradients(
  tf: Tfjs,
  variables: Variables,
  loss: () => tfjs.Scalar,
): { value: tfjs.Scalar; gradients: Record<string, tfjs.Tensor> } {
  const names = new Map(Object.entries(variables).map(([name, variable]) => [variable.name, name]));
  const { value, grads } = tf.variableGrads(loss, Object.values(variables));
  const gradients: Record<string, tfjs.Tensor> = {};
  for (const [id, gradient] of Object.entries(grads)) {
    const name = names.get(id);
    if (name !== undefined && gradient !== null) gradients[name] = gradient;
  }
  return { value, gradients };
}
