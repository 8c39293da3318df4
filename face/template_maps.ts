/** The templates that the regressor found for a batch of faces, as UV maps on the device. */
import type { Tensor4D } from "@tensorflow/tfjs";
import type { Tfjs } from "@ftim/gpu/backend";
import { albedoMaps, type AlbedoParts } from "./albedo_maps.ts";
import { shadingMaps, uploadMeshes } from "./normal_maps.ts";
import type { Topology } from "./topology.ts";

/** What the regressor found of a face. */
export interface TemplateFace {
  /** Posed, crop pixels [3·V]. */
  readonly vertices: Float32Array;
  /** Light [27], band-major, RGB last. */
  readonly light: Float32Array;
  /** Coefficients of the albedo model, in standard deviations. */
  readonly albedo: Float32Array;
}

/** What the faces share. */
export interface TemplateOptions {
  readonly parts: AlbedoParts;
  readonly topology: Topology;
  /** Side of the UV map in texels. */
  readonly size: number;
  /** Of the albedo, see `albedoMaps`. */
  readonly levels?: number;
}

/**
 * The template albedo of each face and its shading. They belong to the caller, or to the `tidy` around.
 *
 * @param faces at least one
 * @returns [B, S, S, 3] each
 * @throws {RangeError} if a mesh has another number of vertices, or a coordinate that is not finite
 */
export function templateMaps(
  tf: Tfjs,
  faces: readonly TemplateFace[],
  { parts, topology, size, levels }: TemplateOptions,
): { albedo: Tensor4D; shading: Tensor4D } {
  return tf.tidy(() => {
    const codes = faces.map(({ albedo }) => albedo);
    const meshes = uploadMeshes(tf, faces.map(({ vertices }) => vertices), topology);
    const light = tf.stack(faces.map(({ light }) => tf.tensor1d(light)));
    return {
      albedo: albedoMaps(tf, parts, { codes, ...(levels === undefined ? {} : { levels }) }),
      shading: shadingMaps(tf, meshes, { light, topology, size }),
    };
  });
}
