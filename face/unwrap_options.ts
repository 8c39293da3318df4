/** What unwrapping takes and gives, on the GPU (unwrap.ts) and on the CPU (unwrap_cpu.ts), and what counts as seen. */
import type { RgbImage } from "./image.ts";
import type { Topology } from "./topology.ts";

/** One face to be unwrapped. */
export interface Unwrapping {
  /** Any size; on the GPU all of a batch have one size. */
  readonly image: RgbImage;
  /** Posed: x right, y down, z larger = farther, orthographic; in pixels of the image. */
  readonly vertices: Float32Array;
  /** The part of the image that shows something, pixels; what lies outside was not seen. Default: all of it. */
  readonly bounds?: { readonly left: number; readonly top: number; readonly width: number; readonly height: number };
}

/** An incomplete texture and what of it was seen. */
export interface UnwrappedTexture {
  /** `size² · 3`, RGB; what lies at the texel's place in the image, seen or not; 0 outside image and chart. */
  readonly texture: Float32Array;
  /** `size²`, 0 (hidden, behind an edge, outside) to 1 (seen frontally). */
  readonly visibility: Float32Array;
}

/** What counts as seen. */
export interface Seen {
  /** View-space normal z at which visibility begins and at which it is full. */
  facing: [number, number];
  /**
   * Width, in parts of the face's size, of the band along the outline of the mesh in the image that fades to unseen: a
   * mesh is rarely true to the pixel, and there an error shows background or hair.
   */
  outline: number;
}

/** Where errors spread, as into learned albedos: 78° and 53° from the camera, 2 pixels of a 150-pixel face. */
export const STRICT: Seen = { facing: [0.2, 0.6], outline: 0.015 };

/**
 * Where a texel that is left out must be invented, as in the texture that is completed: 84° and 66° from the camera.
 */
export const LENIENT: Seen = { facing: [0.1, 0.4], outline: 0.012 };

/** Options of `unwrap` and `unwrapCpu`; what counts as seen is by default strict. */
export interface UnwrapOptions {
  readonly topology: Topology;
  /** Side of the UV map in texels. Default 256. */
  readonly size?: number;
  readonly facing?: readonly [number, number];
  readonly outline?: number;
  /**
   * Texels by which hidden regions grow, and the chart's border where the surface ends there. Default 1. A topology
   * with a surface of its own is cut out of it: at seams and at its border the surface goes on.
   */
  readonly erode?: number;
}

/** The visibility of texels outside of a chart beyond which the surface goes on: from there nothing unseen grows. */
export const BEYOND = 2;
