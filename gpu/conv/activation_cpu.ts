/** The activations that the kernels apply to their sums, one number at a time. */

import type { Activation, Epilogue } from "./geometry.ts";

const FUNCTIONS: Readonly<Record<Activation, (v: number, alpha: number) => number>> = {
  linear: (v) => v,
  relu: (v) => Math.max(0, v),
  relu6: (v) => Math.min(6, Math.max(0, v)),
  leakyrelu: (v, alpha) => v >= 0 ? v : alpha * v,
  elu: (v) => v >= 0 ? v : Math.exp(v) - 1,
  sigmoid: (v) => 1 / (1 + Math.exp(-v)),
};

/** The activation of one sum; without an epilogue the sum itself. */
export function activateCpu(sum: number, epilogue?: Omit<Epilogue, "hasBias">): number {
  return epilogue === undefined ? sum : FUNCTIONS[epilogue.activation](sum, epilogue.alpha);
}
