/**
 * What a comparator is: the network of another paper's authors, with their crop, their geometry, their camera and their
 * light, brought to one form. A module of this folder is one comparator, and states at its top what those are. It lies
 * in `nets/` because it is a network with its weights; its mathematics, a camera or a light, lies in `face/`, where it
 * is tested number by number. What draws the faces and scores them knows this form alone.
 */
import type * as tfjs from "@tensorflow/tfjs";
import type { Tfjs } from "@ftim/gpu/tfjs";
import type { Point, Rectangle } from "../../face/crop.ts";
import type { DrawnTopology } from "../../face/draw_meshes.ts";
import type { Pixels } from "../../face/pixels.ts";

/** A face where the detector of the comparators' authors finds it, in pixels of the photograph as that has them. */
export interface SoughtFace {
  readonly box: Rectangle;
  /** Eyes, nose, corners of the mouth, those on the left of the picture first; centres are whole numbers. */
  readonly points: readonly Point[];
  /** Which detector found it. */
  readonly by: string;
}

/** A crop, and what it shows. */
export interface ComparatorCrops {
  /** `[B, S, S, 3]`, RGB, 0..1: what the network sees. */
  readonly crops: tfjs.Tensor4D;
  /** What each crop shows, in pixels of its photograph: the crop's pixels are this rectangle, cut into S × S. */
  readonly parts: readonly Rectangle[];
}

/** What a comparator makes of crops. A type and no interface, so that `tf.tidy` takes it. */
export type ComparatorFaces = {
  /** `[B, V, 3]`: pixels of the crop, x right, y down, z away, centres at +0.5. */
  readonly vertices: tfjs.Tensor3D;
  /**
   * `[B, V, 3]`: lit colours of the vertices, sRGB as stored, about 0..1; with a texture what that is multiplied by.
   */
  readonly colours?: tfjs.Tensor3D;
  /** `[B, T, T, 3]`: sRGB as stored, about 0..1, in the comparator's chart. Lit, unless there are colours. */
  readonly texture?: tfjs.Tensor4D;
};

/** A vertex that is farther away, in pixels, belongs to no face that a network has recognised. */
export const FARTHEST = 1 << 16;

/** An open comparator. */
export interface Comparator {
  /** Triangles and, of one with textures, the chart. */
  readonly topology: DrawnTopology;
  /** Side of its crops in pixels: S. */
  readonly size: number;
  /**
   * Cuts out each face as the authors do it.
   *
   * @throws {FaceCropError} if a face cannot be cut out; the message says why
   */
  crop(tf: Tfjs, faces: readonly { readonly image: Pixels; readonly face: SoughtFace }[]): ComparatorCrops;
  /** The faces of crops, which belong to the caller; a face has the same bits alone and among others. */
  reconstruct(crops: tfjs.Tensor4D): ComparatorFaces | Promise<ComparatorFaces>;
  dispose(): void;
}
