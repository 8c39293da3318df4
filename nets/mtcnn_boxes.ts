/**
 * What MTCNN does with boxes between its networks (Zhang, Zhang, Li, Qiao 2016), as facenet-pytorch does it
 * (`models/utils/detect_face.py`): candidates of the first network, overlaps, corrections, squares. A box is left, top,
 * right, bottom in pixels.
 */
import type { PixelBox } from "./area_boxes.ts";

/** A box, how sure the network is of it, and its corrections in parts of the sides: left, top, right, bottom. */
export interface Candidate {
  readonly box: readonly [number, number, number, number];
  /** 0..1 */
  readonly score: number;
  readonly correction: readonly [number, number, number, number];
}

/** Pixels between neighbouring places of the first network, and the side of what it sees. */
const STRIDE = 2;
const CELL = 12;

/** By what factors a photograph is scaled, so that each face of `least` pixels and more is once as large as a cell. */
export function pyramidScales(
  { width, height }: { width: number; height: number },
  { least, factor }: { least: number; factor: number },
): number[] {
  const scales = [];
  let scale = CELL / least;
  for (let side = Math.min(width, height) * scale; side >= CELL; side *= factor, scale *= factor) scales.push(scale);
  return scales;
}

/**
 * The places where the first network is sure enough.
 *
 * @param values `[rows, columns, 6]`: logits of no face and of a face, four corrections
 */
export function candidatesOf(
  values: Float32Array,
  { columns, scale, threshold }: { columns: number; scale: number; threshold: number },
): Candidate[] {
  const found: Candidate[] = [];
  // In single precision as there: which whole pixel a corner is cut to depends on it.
  const corner = (place: number, offset: number) =>
    Math.floor(Math.fround((STRIDE * place + offset) / Math.fround(scale)));
  for (let i = 0; i < values.length / 6; i++) {
    const score = faceScore(values[6 * i]!, values[6 * i + 1]!);
    if (score < threshold) continue;
    const [x, y] = [i % columns, Math.floor(i / columns)];
    found.push({
      box: [corner(x, 1), corner(y, 1), corner(x, CELL), corner(y, CELL)],
      score,
      correction: fourOf(values, 6 * i + 2),
    });
  }
  return found;
}

/** Share of the face in a softmax of two logits. */
export function faceScore(none: number, face: number): number {
  return 1 / (1 + Math.exp(none - face));
}

/** Four numbers of an array. */
export function fourOf(values: ArrayLike<number>, at: number): [number, number, number, number] {
  return [values[at]!, values[at + 1]!, values[at + 2]!, values[at + 3]!];
}

/**
 * The surest of all that overlap, surest first.
 *
 * @param options.most the largest overlap that is kept
 * @param options.of what the common area is divided by: both boxes' together, or the smaller's, whose sides are then
 *   counted from the first to the last pixel as the authors do it
 */
export function withoutOverlaps<Found extends Pick<Candidate, "box" | "score">>(
  all: readonly Found[],
  { most, of = "union" }: { most: number; of?: "union" | "smaller" },
): Found[] {
  const more = of === "union" ? 0 : 1;
  const side = (from: number, to: number) => Math.max(0, to - from + more);
  const area = ([left, top, right, bottom]: Candidate["box"]) => side(left, right) * side(top, bottom);
  const kept: Found[] = [];
  for (const one of all.toSorted((a, b) => b.score - a.score)) {
    const overlaps = kept.some(({ box }) => {
      const common = side(Math.max(box[0], one.box[0]), Math.min(box[2], one.box[2])) *
        side(Math.max(box[1], one.box[1]), Math.min(box[3], one.box[3]));
      const [a, b] = [area(box), area(one.box)];
      return common / (of === "union" ? a + b - common : Math.min(a, b)) > most;
    });
    if (!overlaps) kept.push(one);
  }
  return kept;
}

/**
 * A box with its corrections.
 *
 * @param options.inclusive whether a side is counted from the first to the last pixel: after the second and third
 *   network, and not after the first
 */
export function corrected({ box, correction }: Candidate, { inclusive }: { inclusive: boolean }): Candidate["box"] {
  const more = inclusive ? 1 : 0;
  const [width, height] = [box[2] - box[0] + more, box[3] - box[1] + more];
  return [
    box[0] + correction[0] * width,
    box[1] + correction[1] * height,
    box[2] + correction[2] * width,
    box[3] + correction[3] * height,
  ];
}

/** The square around a box's centre with its longer side. */
export function squareOf([left, top, right, bottom]: Candidate["box"]): Candidate["box"] {
  const [width, height] = [right - left, bottom - top];
  const side = Math.max(width, height);
  const [x, y] = [left + width / 2 - side / 2, top + height / 2 - side / 2];
  return [x, y, x + side, y + side];
}

/** The pixels of a photograph in a box, or null where it has none. The authors count pixels from 1. */
export function pixelsIn(box: Candidate["box"], { width, height }: { width: number; height: number }): PixelBox | null {
  const [left, top, right, bottom] = box.map(Math.trunc) as [number, number, number, number];
  const [x, y] = [Math.max(1, left) - 1, Math.max(1, top) - 1];
  const [across, down] = [Math.min(right, width) - x, Math.min(bottom, height) - y];
  return across > 0 && down > 0 ? { left: x, top: y, width: across, height: down } : null;
}
