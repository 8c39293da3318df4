/**
 * The mesh of Tran et al. (`3DMM_definition` of tranluan/Nonlinear_Face_3DMM): the mean face, whose vertices are those
 * of the Basel Face Model without ears and neck, and where they lie in the authors' cylindrical chart.
 */

/** What a face is made with; face/tran_faces.ts puts it on the device. */
export interface TranModel {
  /** `[V, 3]`: micrometres; x to the right of the picture, y up, z to the viewer. */
  readonly mean: Float32Array;
  /** `[F, 3]`, wound as the authors' file has them, all the same way. */
  readonly triangles: Uint32Array;
  /** `[V, 8]`: the triangles around each vertex; −1 where there are fewer. */
  readonly around: Int32Array;
  /** `[V, 2]`: row and column in the chart, in texels; a texel's centre is at its number. */
  readonly places: Float32Array;
  /** `[192, 224]`: the triangle at each texel, −1 outside of the chart. */
  readonly texels: Int32Array;
  /** `[192, 224, 3]`: weights of that triangle's corners. */
  readonly weights: Float32Array;
  /** 68 vertices. */
  readonly landmarks: Int32Array;
  /** What the network's camera was normalised with. */
  readonly camera: {
    /** 8 values */
    readonly mean: Float32Array;
    /** 8 values */
    readonly deviation: Float32Array;
  };
}
