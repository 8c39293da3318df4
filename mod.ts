/**
 * ftim: the pipeline engine, and the face-texture method as functions.
 *
 * The engine knows nothing of faces; see `pipeline/mod.ts` for an example of reproducing something else with it.
 *
 * @module
 */
export * from "@ftim/pipeline";
export { embedded, type EmbeddedOptions } from "./experiments/embedded.ts";
export { paper, PaperDataError, type PaperOptions } from "./experiments/paper.ts";
export { shadeTensor } from "./face/shade_tensor.ts";
export { registerFastKernels } from "@ftim/gpu/fast-kernels";
