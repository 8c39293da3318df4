/** What rendering takes, on the device (render_device.ts, render_pictures.ts) and in its reference. */
import type { Topology } from "./topology.ts";

/** What is rendered, and how. */
export interface RenderOptions {
  readonly topology: Topology;
  /** Image size in pixels, default 224. */
  readonly width?: number;
  readonly height?: number;
  /** Side of the UV map in texels, default 256. */
  readonly size?: number;
  /**
   * Samples a side of each pixel, odd. Default 1: the surface at the pixel's centre, with 4 bilinear taps. With more, a
   * pixel whose samples lie more than two texels apart is the mean of all: a surface that turns away, or an edge before
   * another surface, would show single texels of many as a ragged line. All others keep to their centre, so that
   * nothing is blurred.
   */
  readonly samples?: number;
  /**
   * "hard", the default: the mesh has a pixel if it has its centre. "soft": a pixel at the outline is covered by as
   * much as its samples are.
   */
  readonly outline?: "hard" | "soft";
}

/** Texels between the samples of a pixel from which on its texture counts as minified. */
export const SPREAD = 2;

/**
 * Samples a side of each pixel in every picture that is shown or scored, of whatever method. Training looks at each
 * pixel's centre only, for speed.
 */
export const PICTURE_SAMPLES = 3;
