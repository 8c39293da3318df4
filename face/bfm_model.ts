/** The Basel Face Model as Deep3DFaceRecon cuts it out: linear shape and linear albedo of the vertices of a face. */

/** A linear face. */
export interface BfmModel {
  /** `[3·V]`: decimetres, about the vertices' mean; x right, y up, z to the viewer. */
  readonly mean: Float32Array<ArrayBuffer>;
  /** `[components, 3·V]`: what the components of identity, then those of expression add. */
  readonly components: Float32Array<ArrayBuffer>;
  /** `[3·V]`: RGB, 0..255. */
  readonly albedo: Float32Array<ArrayBuffer>;
  /** `[components, 3·V]` */
  readonly albedoComponents: Float32Array<ArrayBuffer>;
  /** `[F, 3]` */
  readonly triangles: Uint32Array<ArrayBuffer>;
  /** `[V, 8]`: the triangles around each vertex; F where it has fewer. */
  readonly around: Uint32Array<ArrayBuffer>;
}

/** Places for triangles around a vertex. */
export const BFM_AROUND = 8;
