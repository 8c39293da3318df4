/** Three views of a face with bands that its model cannot express, as a triplet to train on. */
import { cast, sourceFolder } from "@ftim/pipeline";
import { applyOperatorCpu } from "../../../face/render.ts";
import { assets as packaged } from "../../../stages/data/fetch.ts";
import type { Triplets } from "../../../stages/data/triplets.ts";
import { makeFace, SIZE } from "../face_lab.ts";
import { geometryStages, layFaces } from "../geometry_lab.ts";
import type { Scratch } from "../scratch.ts";

/** Keys of the views. */
export const VIEWS = ["left/0", "front/0", "right/0"] as const;
const YAWS = [-30, 0, 30] as const;

/** Lays the triplet; what the training stages read, and what the methods read. */
export async function layTriplet(scratch: Scratch) {
  await layFaces(scratch, Object.fromEntries(VIEWS.map((key, i) => [key, bandedFace(YAWS[i]!)])));
  const triplets: Triplets = {
    bins: [],
    triplets: [{ identity: "a", expression: "neutral", views: VIEWS, yaws: YAWS }],
    funnel: { photographs: 3, inBins: [1, 1, 1], groups: 1, possible: 1, chosen: 1 },
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

function bandedFace(yaw: number) {
  const face = makeFace({ yaw });
  const banded = face.texture.map((value, i) => Math.floor(i / 3 / SIZE) % 16 < 8 ? 0.5 * value : value);
  const render = applyOperatorCpu(face.operator, banded);
  const data = render.map((value, i) => value + (1 - face.operator.coverage[Math.floor(i / 3)]!) * 0.3);
  return { ...face, picture: { ...face.picture, data } };
}
