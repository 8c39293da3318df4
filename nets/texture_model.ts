/**
 * What a network must be to be trained on triplets: it predicts albedos, and it knows how its albedo is lit. FTIM removes
 * and adds light by subtraction (paper, section 3.2), a decoder of albedo by multiplication.
 *
 * @module
 */
import type * as tfjs from "@tensorflow/tfjs";
import type { Tfjs } from "../gpu/tfjs.ts";
import { ftim, type FtimInput, ftimParameters, type FtimShape, removeLighting } from "./ftim.ts";
import type { ParameterSpec, Variables } from "./parameters.ts";
import { tran, tranParameters, type TranShape } from "./tran.ts";

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

/** FTIM. */
export function ftimModel(tf: Tfjs, shape: FtimShape): TextureModel {
  return {
    parameters: ftimParameters(shape),
    albedo: (variables, input) =>
      removeLighting(tf, { ...input, texture: ftim(tf, variables, { ...input, ...shape }) }),
    light: ({ albedo, templateAlbedo, shading }) =>
      tf.add(tf.sub(albedo, templateAlbedo), tf.mul(templateAlbedo, shading)),
  };
}

/** Tran's non-linear albedo. */
export function tranModel(tf: Tfjs, shape: TranShape): TextureModel {
  return {
    parameters: tranParameters(shape),
    albedo: (variables, input) => tran(tf, variables, { ...input, ...shape }),
    light: ({ albedo, shading }) => tf.mul(albedo, shading),
  };
}
