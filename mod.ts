/**
 * ftim: one photograph → a textured face; the paper's experiments as lazy artifacts; the engine that computes them.
 *
 * ```ts
 * import { reconstructPhoto } from "@ftim/ftim";
 *
 * const faces = await reconstructPhoto({ photo: "photo.jpg", output: "faces" });
 * for (const { folder, angles, seen } of faces) {
 *   console.log(`${folder}: turned by ${Math.round(angles.yaw)}°, ${Math.round(100 * seen)} % was seen`);
 * }
 * ```
 *
 * The engine knows nothing of faces and the kernels nothing of stages: take `@ftim/pipeline` or `@ftim/gpu` alone where
 * that is all you need.
 *
 * @module
 */
export * from "@ftim/pipeline";
export { reproduce, verify } from "./experiments/gpu_check.ts";
export { embedded, type EmbeddedOptions } from "./experiments/embedded.ts";
export { paper, type PaperOptions } from "./experiments/paper.ts";
export { PaperDataError } from "./experiments/paper_data.ts";
export {
  type ReconstructedFace,
  ReconstructError,
  type Reconstruction,
  type Reconstructions,
  type ReconstructManyOptions,
  type ReconstructOptions,
  reconstructPhoto,
  reconstructPhotos,
  type TextureSize,
  type Unreconstructed,
} from "./experiments/reconstruct_photo.ts";
export { shadeTensor } from "./face/shade_tensor.ts";
export { registerFastKernels } from "@ftim/gpu/fast-kernels";
