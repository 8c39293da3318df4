/**
 * What it takes to write an op of one's own: WGSL around a body (`program`), one dispatch of it as a tfjs tensor
 * (`run`), and a gradient that `tf.grad` knows (`differentiable`).
 */

export { type Dispatch, program, type ProgramOptions, sizeOf, type Uniform } from "./kernels/dispatch.ts";
export { QUOTIENT } from "./kernels/division.ts";
export { elementFor } from "./kernels/invocations.ts";
export {
  clearedTensor,
  type Differentiable,
  differentiable,
  emptyTensor,
  type Run,
  run,
  type TensorShape,
} from "./ops/run.ts";
