/** Three views of each face as triplets to train on. */
import { cast, sourceFolder } from "@ftim/pipeline";
import { applyOperatorCpu } from "../../../face/render_cpu.ts";
import { assets as packaged } from "../../../stages/data/fetch.ts";
import type { Triplets } from "../../../stages/data/triplets.ts";
import { makeFace, SIZE } from "../face_lab.ts";
import { geometryStages, layFaces } from "../geometry_lab.ts";
import type { Scratch } from "../scratch.ts";

/** Keys of the views of the one face of {@linkcode layTriplet}. */
export const VIEWS = ["left/0", "front/0", "right/0"] as const;
const YAWS = [-30, 0, 30] as const;

/** A face with its truth, and its picture. */
export type PaintedFace = ReturnType<typeof makeFace>;

/** The keys of the views of a person of {@linkcode layTriplets}. */
export function viewsOf(person: string): [string, string, string] {
  return [`${person}_left/0`, `${person}_front/0`, `${person}_right/0`];
}

/**
 * Lays the triplet of a face with bands that its model cannot express; what the training stages read, and what the
 * methods read.
 */
export async function layTriplet(scratch: Scratch) {
  await layFaces(scratch, Object.fromEntries(VIEWS.map((key, i) => [key, painted({ yaw: YAWS[i]! }, band)])));
  return await layData(scratch, [{ identity: "a", views: [...VIEWS] }]);
}

/**
 * Lays a triplet of each person, of whom those in `trained` are trained on; what the training stages read, and what
 * the methods read of everybody.
 *
 * @param paint the view of a person that is turned so far, in degrees
 */
export async function layTriplets(
  scratch: Scratch,
  { persons, trained, paint, yaws = YAWS }: {
    persons: readonly string[];
    trained: readonly string[];
    paint(person: string, yaw: number): PaintedFace;
    yaws?: readonly [number, number, number];
  },
) {
  const faces = persons.flatMap((person) => viewsOf(person).map((key, i) => [key, paint(person, yaws[i]!)] as const));
  await layFaces(scratch, Object.fromEntries(faces));
  return await layData(scratch, trained.map((identity) => ({ identity, views: viewsOf(identity) })));
}

async function layData(
  scratch: Scratch,
  chosen: readonly { identity: string; views: [string, string, string] }[],
) {
  const count = chosen.length;
  const triplets: Triplets = {
    bins: [],
    triplets: chosen.map((triplet) => ({ ...triplet, expression: "neutral", yaws: YAWS })),
    funnel: {
      photographs: 3 * count,
      beyond: 0,
      inBins: [count, count, count],
      groups: count,
      possible: count,
      chosen: count,
    },
  };
  await scratch.write("triplets/triplets.json", JSON.stringify(triplets));
  const { guesses, shared } = geometryStages(scratch.folder);
  const faces = { ...shared, guesses };
  const data = {
    ...faces,
    triplets: cast(sourceFolder(`${scratch.folder}/triplets`), "triplets"),
    identity: packaged("models/face_recognition_model"),
  };
  return { faces, data };
}

/** The columns of a `losses.csv` by name, in its order. */
export function lossColumns(text: string): Record<string, number[]> {
  const [names = [], ...rows] = text.trim().split("\n").map((line) => line.split(","));
  return Object.fromEntries(names.map((name, i) => [name, rows.map((row) => Number(row[i]))]));
}

/**
 * A face whose texture is multiplied by a pattern.
 *
 * @param pattern the factor at a column and a row of the UV map
 */
export function painted(
  face: Parameters<typeof makeFace>[0],
  pattern: (column: number, row: number) => number,
): PaintedFace {
  const made = makeFace(face);
  const texture = made.texture.map((value, i) => {
    const texel = Math.floor(i / 3);
    return value * pattern(texel % SIZE, Math.floor(texel / SIZE));
  });
  const render = applyOperatorCpu(made.operator, texture);
  const data = render.map((value, i) => value + (1 - made.operator.coverage[Math.floor(i / 3)]!) * 0.3);
  return { ...made, texture, picture: { ...made.picture, data } };
}

function band(_: number, row: number): number {
  return row % 16 < 8 ? 0.5 : 1;
}
