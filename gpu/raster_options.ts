/** What rasterising takes and gives, on the device (raster.ts) and on the CPU (raster_cpu.ts). */

/** What a rasteriser finds at each pixel centre. Pixel (x, y) is at index y·width + x; its centre is (x+0.5, y+0.5). */
export interface Raster {
  readonly width: number;
  readonly height: number;
  /** Index of the nearest triangle, −1 where there is none. */
  readonly triangle: Int32Array;
  /** Barycentric weights of the triangle's first and second vertex, two a pixel; the third is 1 − both. */
  readonly weights: Float32Array;
  /** z there, Infinity where there is no triangle. Smaller is nearer. */
  readonly depth: Float32Array;
}

/** Size of a raster in pixels, and whether triangles that run clockwise on screen (seen from behind) are left out. */
export interface RasterOptions {
  readonly width: number;
  readonly height: number;
  readonly cullBack?: boolean;
}
