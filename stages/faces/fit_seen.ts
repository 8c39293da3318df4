/** Light and albedo of a batch of faces, fitted to what was seen of them: what `regress` and `compare_deng` share. */
import type { Tfjs } from "@ftim/gpu/backend";
import type { AlbedoBasis } from "../../face/albedo_basis.ts";
import type { AlbedoFitOptions } from "../../face/albedo_fit_options.ts";
import { fitAlbedos } from "../../face/fit_albedos.ts";
import { sampleNormals, uploadMeshes } from "../../face/normal_maps.ts";
import { uploadSamples } from "../../face/sampled_texels.ts";
import type { Topology } from "../../face/topology.ts";

/** A posed mesh and what was seen of it. */
export interface SeenFace {
  /** Crop pixels [3·V]. */
  readonly vertices: Float32Array;
  /** Incomplete texture [S·S·3]. */
  readonly texture: Float32Array;
  /** [S·S] */
  readonly visibility: Float32Array;
}

/** Why no light can be fitted to a face, in words; undefined if one can. */
export function whyUnfit({ vertices, visibility }: SeenFace, { samples, texels }: AlbedoBasis): string | undefined {
  if (visibility.length !== texels) return `its map has ${visibility.length} texels, the model ${texels}`;
  if (!vertices.every(Number.isFinite)) return "its mesh has a coordinate that is no finite number";
  if (visibility.every((value) => value === 0)) return "the mesh shows no part of its front to the camera";
  if (samples.every((texel) => visibility[texel] === 0)) return "too little of it is seen for a fit";
  return undefined;
}

/**
 * Fits light and albedo of each face to the texels that were seen.
 *
 * @param faces at least one, of which `whyUnfit` says nothing
 * @returns for each face `light` [27], band-major, RGB last, and `code` [K] in standard deviations
 */
export async function fitSeen(
  faces: readonly SeenFace[],
  { tf, basis, topology, size, ...options }:
    & { readonly tf: Tfjs; readonly basis: AlbedoBasis; readonly topology: Topology; readonly size: number }
    & Omit<AlbedoFitOptions, "stride">,
): Promise<{ light: Float32Array; code: Float32Array }[]> {
  const seen = tf.tidy(() => ({
    texture: uploadSamples(tf, faces.map(({ texture }) => texture), basis),
    weight: uploadSamples(tf, faces.map(({ visibility }) => visibility), basis),
    normals: sampleNormals(tf, uploadMeshes(tf, faces.map(({ vertices }) => vertices), topology), {
      topology,
      size,
      places: basis.places,
    }),
  }));
  try {
    return await fitAlbedos(tf, seen, { basis, ...options });
  } finally {
    tf.dispose(Object.values(seen));
  }
}
