/**
 * Faces in a photograph: "Ultra light fast generic face detector" (RFB, 320×240; Linzaer 2019) as the package
 * faceplugin-face-recognition-js ships it, `model/fr_detect.onnx`.
 *
 * The package stretches the picture to 320×240 and, through OpenCV's channel order, feeds BGR. Here the picture keeps
 * its proportions (grey is not added, black is) and stays RGB, as the network was trained: on the 22 faces of
 * face-api's six photographs that finds the same 22 with higher scores, and nothing else above 0.4.
 */
import { halved } from "../face/halved.ts";
import type { BytePixels, Pixels } from "../face/pixels.ts";
import { openSession } from "@ftim/gpu/onnx";
import { isWholeIn, windowLevels } from "./detector_windows.ts";
import { withNetworkInput } from "./network_input.ts";
import type { Box } from "./resample_taps.ts";

/** A face: a rectangle in source pixels, from brow or hairline to chin; it may reach beyond the picture. */
export interface FaceBox extends Box {
  /** Confidence, 0..1. */
  score: number;
}

/** Options of a detection. */
export interface DetectOptions {
  /** Least score of a face. Default 0.85. */
  minScore?: number;
  /** Boxes that overlap a better one by more (intersection over union) are dropped. Default 0.3. */
  maxOverlap?: number;
  /**
   * Pyramid levels: 1 looks at the picture as a whole and finds faces of about 1/30 of its width and more; each further
   * level looks also at half-overlapping windows of half the size, finds faces half as large and takes four times as
   * long and more. Default 1.
   */
  levels?: number;
}

/** Options of a search. */
export interface SearchOptions extends Omit<DetectOptions, "levels"> {
  /** Width of the smallest faces that are looked for, in pixels. */
  smallest: number;
  /**
   * Least score of a face that a window shows; default 0.9, or `minScore` where that is more. Many windows show much
   * that is no face: on hair there was 0.80, while portraits of 30 to 110 pixels had 0.94 and more.
   */
  minWindowScore?: number;
}

/** An open detector. */
export interface Detector {
  /** The faces of a picture, best first. */
  detect(image: Pixels, options?: DetectOptions): Promise<FaceBox[]>;
  /**
   * The same at as many sizes as it takes to find faces of a given width, however large the picture is. A picture of 12
   * megapixels takes about 70 looks for faces of 30 pixels, one of half a megapixel takes one.
   */
  search(image: BytePixels, options: SearchOptions): Promise<FaceBox[]>;
  dispose(): Promise<void>;
}

const WIDTH = 320;
const HEIGHT = 240;
const WINDOW_SCORE = 0.9;
const NORMALISATION = { mean: 127 / 255, deviation: 128 / 255 };

/**
 * Opens the detector.
 *
 * @param model `model/fr_detect.onnx` of the package
 */
export async function openDetector(model: Uint8Array): Promise<Detector> {
  const session = await openSession(model, { name: "face detector" });

  async function detectWindow(image: Pixels, window: Box, minScore: number): Promise<FaceBox[]> {
    const box = letterbox(window, WIDTH / HEIGHT);
    const part = { image, box, width: WIDTH, height: HEIGHT, border: "zero" as const, normalisation: NORMALISATION };
    const { scores, boxes } = await withNetworkInput(session, part, (input) => session.run({ input }));
    if (!scores || !boxes) throw new TypeError("Cannot detect faces: the model has no outputs scores and boxes");
    return decodeBoxes({ scores: scores.data, boxes: boxes.data }, { box, minScore });
  }

  return {
    async detect(image, { minScore = 0.85, maxOverlap = 0.3, levels = 1 } = {}) {
      const found = await Promise.all(
        pyramid(image, levels).map(async (window, i) => {
          const faces = await detectWindow(image, window, minScore);
          return i === 0 ? faces : faces.filter((face) => isSmallInside(face, window));
        }),
      );
      return suppress(found.flat(), maxOverlap);
    },
    async search(
      image,
      { smallest, minScore = 0.85, minWindowScore = Math.max(minScore, WINDOW_SCORE), maxOverlap = 0.3 },
    ) {
      const found: Promise<FaceBox[]>[] = [];
      let reduced = image;
      let factor = 1;
      const look = async (window: Box, least: number) => {
        const times = factor;
        const faces = await detectWindow(reduced, timesBox(window, 1 / times), least);
        return faces.map((face) => ({ ...timesBox(face, times), score: face.score }));
      };
      for (const { halvings, windows } of windowLevels(image, { smallest, sight: { width: WIDTH, height: HEIGHT } })) {
        for (; factor < 2 ** halvings; factor *= 2) reduced = halved(reduced);
        for (const window of windows) {
          found.push(
            look(window, minWindowScore).then((faces) => faces.filter((face) => isWholeIn(face, window, image))),
          );
        }
      }
      found.push(look({ left: 0, top: 0, width: image.width, height: image.height }, minScore));
      return suppress((await Promise.all(found)).flat(), maxOverlap);
    },
    dispose: () => session.release(),
  };
}

/** A rectangle in pixels of another size. */
function timesBox({ left, top, width, height }: Box, factor: number): Box {
  return { left: factor * left, top: factor * top, width: factor * width, height: factor * height };
}

/** The smallest rectangle around `box` with the given proportions (width / height) and the same centre. */
export function letterbox({ left, top, width, height }: Box, proportions: number): Box {
  const wide = Math.max(width, height * proportions);
  const tall = wide / proportions;
  return { left: left + (width - wide) / 2, top: top + (height - tall) / 2, width: wide, height: tall };
}

/**
 * The windows of a pyramid: the whole picture, then per level `(2ⁿ⁺¹ − 1)²` half-overlapping windows of `1/2ⁿ` of its
 * sides.
 */
export function pyramid({ width, height }: { width: number; height: number }, levels: number): Box[] {
  const windows: Box[] = [];
  for (let level = 0; level < levels; level++) {
    const [w, h] = [width / 2 ** level, height / 2 ** level];
    const count = 2 ** (level + 1) - 1;
    for (let y = 0; y < count; y++) {
      for (let x = 0; x < count; x++) windows.push({ left: x * w / 2, top: y * h / 2, width: w, height: h });
    }
  }
  return windows;
}

/** Whether a window shows all of a face: larger ones belong to coarser windows, and fragments touch an edge. */
function isSmallInside(face: Box, window: Box): boolean {
  const gap = window.height / 50;
  return face.width < window.width / 2 && face.height < window.height / 2 &&
    face.left > window.left + gap && face.left + face.width < window.left + window.width - gap &&
    face.top > window.top + gap && face.top + face.height < window.top + window.height - gap;
}

/**
 * The network's candidates as boxes in source pixels.
 *
 * @param output `scores` [N, 2] (no face, face) and `boxes` [N, 4] (left, top, right, bottom in 0..1 of the window)
 * @param options `box`: the window in source pixels
 */
export function decodeBoxes(
  { scores, boxes }: { scores: Float32Array; boxes: Float32Array },
  { box, minScore }: { box: Box; minScore: number },
): FaceBox[] {
  const found: FaceBox[] = [];
  for (let i = 0; i < scores.length / 2; i++) {
    const score = scores[2 * i + 1] as number;
    if (!(score >= minScore)) continue;
    const [x0, y0, x1, y1] = boxes.subarray(4 * i, 4 * i + 4) as unknown as [number, number, number, number];
    if (!(x1 > x0 && y1 > y0)) continue;
    found.push({
      left: box.left + x0 * box.width,
      top: box.top + y0 * box.height,
      width: (x1 - x0) * box.width,
      height: (y1 - y0) * box.height,
      score,
    });
  }
  return found;
}

/**
 * Non-maximum suppression: best first, without those that overlap a better one by more than `maxOverlap` (intersection
 * over union) or lie inside of it by more than half.
 */
export function suppress(boxes: readonly FaceBox[], maxOverlap: number): FaceBox[] {
  const kept: FaceBox[] = [];
  for (const box of boxes.toSorted((a, b) => b.score - a.score)) {
    if (kept.every((better) => overlap(box, better) <= maxOverlap && coverage(box, better) <= 0.5)) kept.push(box);
  }
  return kept;
}

/** Intersection over union of two rectangles, 0..1. */
export function overlap(a: Box, b: Box): number {
  const shared = sharedArea(a, b);
  return shared / (a.width * a.height + b.width * b.height - shared);
}

/** Share of `box` that lies inside of `other`, 0..1. */
function coverage(box: Box, other: Box): number {
  return sharedArea(box, other) / (box.width * box.height);
}

function sharedArea(a: Box, b: Box): number {
  const width = Math.min(a.left + a.width, b.left + b.width) - Math.max(a.left, b.left);
  const height = Math.min(a.top + a.height, b.top + b.height) - Math.max(a.top, b.top);
  return Math.max(0, width) * Math.max(0, height);
}
