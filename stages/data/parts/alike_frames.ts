/**
 * Frames of a video in which a person looks left, ahead and right with about one expression. What an expression changes
 * are the heights of points in the face: the mouth opens, its corners and the brows rise, the lids fall. The mesh
 * network makes turned heads too flat, which moves points sideways and in depth; their heights stay.
 */
import { applyPose, flipYZ, procrustes } from "../../../face/pose.ts";

/** A frame of a video that shows the face. */
export interface PosedFrame {
  /** Key of the aligned face. */
  readonly key: string;
  /** Milliseconds from the video's start. */
  readonly time: number;
  /** Degrees; > 0: nose to the image's right. */
  readonly yaw: number;
  /** Width of the face in the frame, in pixels. */
  readonly width: number;
  /** Of the vertices, in parts of the face's height [V]. */
  readonly heights: Float32Array;
}

/** What counts as one expression, and which frames go together. */
export interface AlikeOptions {
  /** Yaw ranges in degrees, edges included: left, frontal, right. */
  readonly bins: readonly (readonly [number, number])[];
  /** Most triplets. */
  readonly count: number;
  /** Most that the heights of two frames differ, in parts of the face's height: see {@linkcode differenceOf}. */
  readonly difference: number;
  /** Most that the widths of two faces differ, as a ratio ≥ 1. */
  readonly ratio: number;
  /** Least that the outer frames are turned from each other, in degrees. */
  readonly turn: number;
  /** Least time between two frames that look the same way, in milliseconds. */
  readonly apart: number;
}

/** Left, frontal and right frame. */
export type AlikeFrames = readonly [PosedFrame, PosedFrame, PosedFrame];

/**
 * The heights of a mesh's vertices, in parts of the face's height, after the mesh was laid over an upright one by a
 * similarity.
 *
 * @param vertices crop pixels (x right, y down, z away) [3·V]
 * @param upright the same, of a face that looks ahead
 */
export function heightsOf(vertices: Float32Array, upright: Float32Array): Float32Array {
  const target = flipYZ(upright);
  const source = flipYZ(vertices);
  const laid = applyPose(procrustes(source, { target }), source);
  const ys = (points: Float32Array) => points.filter((_, i) => i % 3 === 1);
  const own = ys(target);
  const height = own.reduce((a, b) => Math.max(a, b), -Infinity) - own.reduce((a, b) => Math.min(a, b), Infinity);
  return ys(laid).map((y) => y / height);
}

/** How much the heights of two faces differ: by no more than this, of 19 vertices in 20. */
export function differenceOf(a: Float32Array, b: Float32Array): number {
  const differences = a.map((value, i) => Math.abs(value - b[i]!)).sort();
  return differences[Math.floor(0.95 * (differences.length - 1))]!;
}

/**
 * Yaw ranges that a video fills: a side of which fewer than twice `count` frames lie in the bin begins nearer to the
 * front, so that it holds as many of those that are turned the farthest to it.
 */
export function reachedBins(
  yaws: readonly number[],
  { bins, count }: Pick<AlikeOptions, "bins" | "count">,
): readonly (readonly [number, number])[] {
  const [left, frontal, right] = bins as [
    readonly [number, number],
    readonly [number, number],
    readonly [
      number,
      number,
    ],
  ];
  const ascending = yaws.toSorted((a, b) => a - b);
  const [fromLeft, fromRight] = [ascending[2 * count - 1], ascending.at(-2 * count)];
  return [
    [left[0], Math.max(left[1], fromLeft ?? left[1])],
    frontal,
    [Math.min(right[0], fromRight ?? right[0]), right[1]],
  ];
}

/**
 * Chooses triplets of one video, those first whose outer frames are turned the farthest from each other. Every two of a
 * triplet have one expression and about one distance from the camera; its frontal frame is the one that is most like
 * both others. A frame is in one triplet at most, and none is within `apart` of another that looks the same way.
 *
 * @returns in the order of the left frames' times
 */
export function chooseAlike(frames: readonly PosedFrame[], options: AlikeOptions): AlikeFrames[] {
  const { count, ratio, apart } = options;
  const bins = reachedBins(frames.map(({ yaw }) => yaw), options);
  const [lefts, frontals, rights] = bins.map(([low, high]) => frames.filter(({ yaw }) => yaw >= low && yaw <= high));
  const difference = rememberedDifferences();
  const alike = (a: PosedFrame, b: PosedFrame) =>
    Math.max(a.width / b.width, b.width / a.width) <= ratio && difference(a, b) <= options.difference;
  const outer = lefts!.flatMap((left) => rights!.map((right) => ({ left, right, turn: right.yaw - left.yaw })))
    .filter(({ turn }) => turn >= options.turn);
  outer.sort((a, b) => b.turn - a.turn || a.left.time - b.left.time || a.right.time - b.right.time);
  const chosen: AlikeFrames[] = [];
  for (const { left, right } of outer) {
    if (chosen.length === count) break;
    const isNew = (frame: PosedFrame, side: 0 | 1 | 2) =>
      chosen.every((triplet) => !triplet.includes(frame) && Math.abs(triplet[side].time - frame.time) >= apart);
    if (!isNew(left, 0) || !isNew(right, 2) || !alike(left, right)) continue;
    const farthest = (frame: PosedFrame) => Math.max(difference(left, frame), difference(frame, right));
    const between = frontals!.filter((frame) =>
      left.yaw < frame.yaw && frame.yaw < right.yaw && isNew(frame, 1) && alike(left, frame) && alike(frame, right)
    );
    if (between.length === 0) continue;
    const frontal = between.reduce((best, frame) => farthest(frame) < farthest(best) ? frame : best);
    chosen.push([left, frontal, right]);
  }
  return chosen.sort(([a], [b]) => a.time - b.time);
}

/** {@linkcode differenceOf} two frames, computed once a pair. */
function rememberedDifferences(): (a: PosedFrame, b: PosedFrame) => number {
  const known = new Map<string, number>();
  return (a, b) => {
    const name = `${a.key}\n${b.key}`;
    const value = known.get(name) ?? differenceOf(a.heights, b.heights);
    known.set(name, value);
    return value;
  };
}
