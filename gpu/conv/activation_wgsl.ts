/** The activations that convolutions apply themselves, as kernels compute them: activation_cpu.ts in WGSL. */

import type { Activation } from "./geometry.ts";

/** WGSL of each activation of a `vec4<f32>`; leakyrelu reads the uniform `alpha`. */
export const ACTIVATIONS: Readonly<Record<Activation, (v: string) => string>> = {
  linear: (v) => v,
  relu: (v) => `max(${v}, vec4<f32>())`,
  relu6: (v) => `clamp(${v}, vec4<f32>(), vec4<f32>(6.0))`,
  leakyrelu: (v) => `select(${v} * u.alpha, ${v}, ${v} >= vec4<f32>())`,
  elu: (v) => `select(exp(${v}) - 1.0, ${v}, ${v} >= vec4<f32>())`,
  sigmoid: (v) => `(1.0 / (1.0 + exp(-${v})))`,
};
