/**
 * The Basel Face Model of 2009 as Chen et al. 2020 have it (`BFM2009_Model.mat` of cyj907/unsupervised-detail-layer):
 * with the expressions of FaceWarehouse, in the units that their camera takes for pixels.
 */

/** What a face is made with; face/chen_faces.ts puts it on the device. */
export interface ChenModel {
  /** `[V, 3]`: the mean of shape and expression; x to the right of the picture, y up, z to the viewer. */
  readonly mean: Float32Array;
  /** `[K, V, 3]`: a deviation of each shape component, and then of each expression component. */
  readonly components: Float32Array;
  /** `[V, 3]`: RGB, 0..1. */
  readonly albedoMean: Float32Array;
  /** `[A, V, 3]`: a deviation of each albedo component. */
  readonly albedoComponents: Float32Array;
  /** `[F, 3]`: counter-clockwise seen from outside. */
  readonly triangles: Uint32Array;
  /** `[V]`: how much of each vertex the authors draw, 0..1: the face, and not the neck and the ears. */
  readonly mask: Float32Array;
}

/** Where detail goes: the authors' chart of 512², in which its rows are x of `vertex_uv_ind.npz`. */
export interface ChenChart {
  /** `[V, 2]`: row and column of each vertex, in texels from the chart's corner. */
  readonly places: Float32Array;
  /** `[512, 512]`: not 0 where the detailed mesh has a vertex, one a texel. */
  readonly face: Uint8Array;
  /** `[V]`: how much of its displacement each vertex takes, 0..1: nothing at eyes, brows and nose. */
  readonly moved: Float32Array;
}
