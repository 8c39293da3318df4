/**
 * What a network must be to be trained on triplets: it predicts albedos, and it knows how its albedo is lit. FTIM
 * removes and adds light by subtraction (paper, section 3.2), a decoder of albedo by multiplication.
 */
import type * as tfjs from "@tensorflow/tfjs";
import type { FtimInput } from "./ftim_input.ts";
import type { ParameterSpec, Variables } from "./parameters.ts";

/** Maps of one batch in UV space [B,S,S,3]. */
export type UvBatch = tfjs.Tensor4D;

/** A trainable model of albedo. */
export interface TextureModel {
  readonly parameters: Record<string, ParameterSpec>;
  /** Albedos of a batch of faces. */
  albedo(variables: Variables, input: FtimInput): UvBatch;
  /** The texture of an albedo under a shading; for the face's own shading it is the complete texture. */
  light(maps: { albedo: UvBatch; templateAlbedo: UvBatch; shading: UvBatch }): UvBatch;
}
