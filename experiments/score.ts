/**
 * A person's own photographs in the place of a test set: every method on any folder, in the view that was unwrapped,
 * and on real captures in their other views. They go through the same stages as the test photographs of `embedded`,
 * with the networks of an earlier training.
 */
import { type Artifact, pick } from "@ftim/pipeline";
import { importPhotographs } from "../stages/data/import.ts";
import { figure3 } from "../stages/figures/figure3.ts";
import { overlayFaces } from "../stages/scores/overlay.ts";
import { METHOD_LABELS, METHODS } from "../stages/scores/parts/methods.ts";
import { GUESS } from "../stages/tables/parts/gap.ts";
import { scoreTable } from "../stages/tables/score_table.ts";
import { viewTable } from "../stages/tables/view_table.ts";
import {
  facesOfTriplets,
  findFaces,
  type FoundFaces,
  prepareFaces,
  regressFaces,
  type TripletChoice,
} from "./faces.ts";
import { comparedMethods, firstGuess, type Networks, type Reconstruct, type TrainingData } from "./methods.ts";
import { mapValues } from "./map_values.ts";
import type { Trained } from "./photograph.ts";
import { type HeldOutViews, photographScorer, secondOpinion, viewScorer } from "./scoring.ts";
import { font } from "./shown_pictures.ts";

/** What can be scored: the methods of Table 1, and the first guess, which nothing was trained for. */
export const SCORED = [...METHODS, "guess"] as const;
/** One of them. */
export type ScoredMethod = typeof SCORED[number];

/** All networks that the methods run, and the comparators' face model. What no chosen method reads is not computed. */
export type ScoreNetworks =
  & Omit<Trained, "regressor">
  & Omit<Networks, "ours">
  & Pick<TrainingData, "linearModel">;

/** Which rows a table has. */
export interface ScoreSettings {
  readonly methods: readonly ScoredMethod[];
  readonly networks: ScoreNetworks;
  /** Photographs that could not be read: reasons by path, for the list of what is left out. */
  readonly refused?: Readonly<Record<string, string>>;
}

/** Pictures that another program made, as a row. */
export interface OverlayRow {
  readonly label: string;
  /** See `stages/scores/overlay.ts`. */
  readonly pictures: Artifact<"folder">;
}

/** Photographs → all their faces, for a first look at whether there are any. */
export function photographFaces(photographs: Artifact<"folder">) {
  return findFaces(importPhotographs(photographs, { identities: "unknown" }), { keep: "all" });
}

/** Captures `<person>/<k_expression>/<view>.jpg` → triplets and their faces. */
export function captureFaces(captures: Artifact<"folder">, choice: TripletChoice) {
  return facesOfTriplets(importPhotographs(captures), choice);
}

/** What other programs made of found faces, in the rows' order. */
export function overlayRenders(
  { crops, images }: Pick<FoundFaces, "crops" | "images">,
  overlays: readonly OverlayRow[],
): Artifact<"reconstructions">[] {
  return overlays.map(({ pictures }) => overlayFaces({ crops, images, overlays: pictures }));
}

/** Every face of photographs, scored where it was reconstructed from: a table and a figure. */
export function scoredPhotographs(
  photographs: Artifact<"folder">,
  { methods, networks, overlays, refused = {} }: ScoreSettings & { readonly overlays: readonly OverlayRow[] },
) {
  const { model, correction } = networks;
  const found = photographFaces(photographs);
  const test = prepareFaces(found, { correction });
  const { images, searched: detections, crops, unwrapped } = test;
  const faces = regressFaces(test, { model });
  const named = overlays.map(({ label }, i) => ({ name: `overlay_${i + 1}`, label }));
  const foreign = Object.fromEntries(overlayRenders(test, overlays).map((made, i) => [named[i]!.name, made]));
  const own = mapValues(reconstructors(methods, networks), (method) => method(faces));
  const reconstructions = { ...own, ...foreign };
  const rows = [...rowsOf(methods), ...named];
  const score = photographScorer(test, { model });
  const scores = mapValues(reconstructions, (made) => score(() => made, { features: secondOpinion() }));
  return {
    table: scoreTable({ scores, images, detections, meshes: found.meshes, unwrapped, overlays: foreign }, {
      rows,
      refused: { ...refused },
    }),
    figure: figure3({ reconstructions, crops, unwrapped, font: font() }, { rows }),
  };
}

/** Captures with their meshes corrected: views that methods, and oracles, are scored in. */
export function captureViews(captures: Artifact<"folder">, choice: TripletChoice & Pick<Trained, "correction">) {
  const { correction, ...drawn } = choice;
  const found = captureFaces(captures, drawn);
  const views = { ...prepareFaces(found, { correction }), triplets: found.triplets };
  return { found, views: views satisfies HeldOutViews };
}

/** Triplets of real captures, each view reconstructed and scored in the other two: a table, and the triplets. */
export function scoredCaptures(
  { found, views }: ReturnType<typeof captureViews>,
  { methods, networks, refused = {} }: ScoreSettings,
) {
  const faces = regressFaces(views, { model: networks.model });
  const { novel } = viewScorer(views);
  const { triplets, images, meshes, searched: detections } = found;
  return {
    table: viewTable({
      novel: mapValues(reconstructors(methods, networks), (method) => novel(method(faces))),
      triplets,
      images,
      detections,
      meshes,
    }, { rows: rowsOf(methods), refused: { ...refused } }),
    triplets: pick(triplets, ["triplets.csv"]),
  };
}

/** The chosen methods by name. */
function reconstructors(
  methods: readonly ScoredMethod[],
  { weights, printed, tran, ...models }: ScoreNetworks,
): Record<string, Reconstruct> {
  const all = { ...comparedMethods({ ours: weights, printed, tran }, models), guess: firstGuess(models) };
  return Object.fromEntries(methods.map((name) => [name, all[name]]));
}

/** The chosen methods as rows, in the order of Table 1; the guess stands there to compare with. */
function rowsOf(methods: readonly ScoredMethod[]) {
  return SCORED.filter((name) => methods.includes(name)).map((name) =>
    name === "guess" ? { name, label: GUESS, reference: true } : { name, label: METHOD_LABELS[name] }
  );
}
