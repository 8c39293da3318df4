/**
 * Whether what became of an input is right: its face is where the portrait's is, or it was refused in plain words and
 * may be, for it is damaged, turned, cut or tiny.
 */
import type { Point } from "../../face/crop.ts";
import type { Variant } from "./variants.ts";

/** Five points, each the mean of some landmarks: the eyes, the tip of the nose, the corners of the mouth. */
const POINTS = [[33, 133], [362, 263], [1], [61], [291]] as const;
/** How far a point may lie off, in widths of the face. */
export const TOLERANCE = 0.05;
/** Words that only who knows the program knows, and what a stack shows. */
const INSIDER = /stage|\b(survey|unpack|face_angles|correct_mesh|unwrap|artifact)\b|\.ts:\d|^\s+at |Error\b/m;

/** What a face's file says. */
export interface Landmarks {
  readonly points: readonly (readonly number[])[];
}

/** The five points of a face. */
export function fivePoints({ points }: Landmarks): Point[] {
  return POINTS.map((indices) => {
    const sum = indices.reduce((sum, i) => ({ x: sum.x + points[i]![0]!, y: sum.y + points[i]![1]! }), { x: 0, y: 0 });
    return { x: sum.x / indices.length, y: sum.y / indices.length };
  });
}

/** How many quarter turns clockwise a photograph was turned by, as its notes say. */
export function turnsIn(notes: readonly string[]): number {
  const degrees = notes.map((note) => /turned by (\d+)° clockwise/.exec(note)?.[1]).find((found) =>
    found !== undefined
  );
  return degrees === undefined ? 0 : Number(degrees) / 90;
}

/** Where a point of an input lies after quarter turns clockwise. */
function turnedPoint({ x, y }: Point, { width, height, turns }: { width: number; height: number; turns: number }) {
  return [{ x, y }, { x: height - y, y: x }, { x: width - x, y: height - y }, { x: y, y: width - x }][turns]!;
}

/** Where the five points of each of an input's faces must lie after quarter turns clockwise. */
export function truePoints(
  { width, height, faces }: Pick<Variant, "width" | "height" | "faces">,
  { originals, turns }: { readonly originals: ReadonlyMap<string, Landmarks>; readonly turns: number },
): Point[][] {
  return faces.map(({ portrait, place }) => {
    return fivePoints(originals.get(portrait.id)!).map((point) => turnedPoint(place(point), { width, height, turns }));
  });
}

/** The largest distance of a found face's points from where they must be, in widths of the face; best of all faces. */
export function distances(found: readonly Landmarks[], truth: readonly (readonly Point[])[]): number[] {
  return found.map((landmarks) => {
    const points = fivePoints(landmarks);
    const xs = landmarks.points.map((point) => point[0]!);
    const ys = landmarks.points.map((point) => point[1]!);
    const wide = Math.min(Math.max(...xs) - Math.min(...xs), Math.max(...ys) - Math.min(...ys));
    return Math.min(
      ...truth.map((places) => {
        return Math.max(...places.map(({ x, y }, i) => Math.hypot(points[i]!.x - x, points[i]!.y - y))) / wide;
      }),
      Infinity,
    );
  });
}

/**
 * What is wrong with how many faces were found of an input; null: nothing. Without this, a detector that finds nothing
 * would be right about everything.
 */
export function faultOfCount(
  { whole, faces, found, reason }: {
    /** Each face must be found. */
    readonly whole: boolean;
    /** How many faces the input shows. */
    readonly faces: number;
    /** How many were found; null: the input has no result. */
    readonly found: number | null;
    /** Why it has none. */
    readonly reason: string | undefined;
  },
): string | null {
  if (found === null && reason === undefined) return "neither a result nor a reason";
  if (!whole || (found ?? 0) >= faces) return null;
  const what = `${found ?? 0} of ${faces} upright, undamaged faces found`;
  return found === null ? `${what}: ${reason}` : what;
}

/** What is wrong with words that a person reads; null: nothing. */
export function faultOfWords(words: string): string | null {
  const found = INSIDER.exec(words);
  return found === null ? null : `it says "${found[0].trim()}": ${words.slice(0, 200)}`;
}
