/**
 * How a method is scored: on the test photographs, in other views of persons who were never trained on, against true
 * textures, and by LPIPS on all of these.
 */
import type { Artifact } from "@ftim/pipeline";
import { asset, assets } from "../stages/data/fetch.ts";
import { coarseTextures } from "../stages/scores/coarse_textures.ts";
import { embedFaces } from "../stages/scores/embed.ts";
import { scoreLpips } from "../stages/scores/lpips.ts";
import { scoreMetrics } from "../stages/scores/metrics.ts";
import { scoreNovelViews } from "../stages/scores/novel_views.ts";
import { knownTextures } from "../stages/scores/oracle.ts";
import { findRevealed } from "../stages/scores/revealed.ts";
import { findThirdSeen } from "../stages/scores/third_seen.ts";
import { scoreUvTruth } from "../stages/scores/uv_truth.ts";
import { type PreparedFaces, regressFaces } from "./faces.ts";
import { lpipsNetwork } from "./lpips_network.ts";
import type { Reconstruct } from "./methods.ts";

/** Views of persons who were never trained on. */
export type HeldOutViews = PreparedFaces & {
  triplets: Artifact<"triplets">;
  /** The true textures, where captures were made from them. */
  truth?: Artifact<"synthetic">;
  /** What the portraits showed that they were made of; without it all of the truth counts. */
  known?: Artifact<"known">;
};

/** What methods are scored on. */
export interface ScoringData {
  test: PreparedFaces;
  heldOut: HeldOutViews;
  model: Artifact<"model">;
  /** The folder of the user's own files, here a copy of LPIPS's network. Default `data`. */
  data?: string | undefined;
  /** The network that scores identity, which no loss may look through. Default: the 1024-d one that a package holds. */
  recognition?: Artifact<"assets"> | undefined;
}

/** Gives the scores of a method. */
export interface Scorers {
  /**
   * On the test photographs, in the view that was unwrapped. `features`: the network of a second opinion on identity.
   */
  real(method: Reconstruct, opinions?: { features?: Artifact<"assets"> }): Artifact<"metrics">;
  /** In other views than the one that was unwrapped. */
  novel(method: Reconstruct): Artifact<"novel">;
  /** Against true textures; null where none are known. */
  truth: ((method: Reconstruct) => Artifact<"uv_scores">) | null;
  lpips(method: Reconstruct): Artifact<"lpips_scores">;
  /** The same of what draws faces itself: its renders of the test photographs, and its pictures in other views. */
  lpipsOf(made: { test: Artifact<"reconstructions">; views: Artifact<"reconstructions"> }): Artifact<"lpips_scores">;
  /** The true textures scored as a method is, in other views; null where none are known. */
  oracle: { novel: Artifact<"novel">; lpips: Artifact<"lpips_scores"> } | null;
  /**
   * What the first guess would score in other views if it knew the true colours of windows of the map, by how many of
   * them lie side by side; empty where no true texture is known.
   */
  bounds: Readonly<Record<string, Artifact<"novel">>>;
}

/** Windows side by side of the bounds: of an eighth of the map's side, and finer. */
const WINDOWS = [8, 16, 32];

/** The network that scores identity where the user has no other; no loss looks through it. */
const packagedRecognition = () => assets("models/faceres.");
/** The network of a second opinion on identity. */
export const secondOpinion = () => asset("models/fr_feature.onnx");

/** Scores methods on photographs, in the view that was unwrapped. */
export function photographScorer(
  test: PreparedFaces,
  { model, recognition = packagedRecognition() }: Pick<ScoringData, "model" | "recognition">,
): Scorers["real"] {
  const seen = prepared(test);
  const faces = regressFaces(test, { model });
  const { topology } = test;
  const embeddings = embedFaces({ ...seen, topology, recognition, features: secondOpinion() });
  return (method, opinions = {}) =>
    scoreMetrics({
      ...seen,
      topology,
      embeddings,
      reconstructions: method(faces),
      recognition,
      ...opinions,
    });
}

/** Views of triplets, as they are scored. */
export type ScoredViews = Pick<HeldOutViews, "crops" | "meshes" | "unwrapped" | "topology" | "triplets" | "known">;

/** Scores textures of some views of triplets in their other views. */
export interface ViewScorer {
  /** Of the pixels that each view reveals to each other one, those that a third view saw, where that is asked for. */
  readonly third: Artifact<"revealed"> | null;
  /** The scores of textures of every view, whatever made them: a method, or an oracle. */
  novel(reconstructions: Artifact<"reconstructions">): Artifact<"novel">;
  /** What LPIPS reads of the same. */
  perceptual(reconstructions: Artifact<"reconstructions">): PerceptualViews;
}

/** Inputs of `scoreLpips` that are of views of triplets. */
export type PerceptualViews = Pick<
  Parameters<typeof scoreLpips>[0],
  "network" | "topology" | Extract<keyof Parameters<typeof scoreLpips>[0], `held_${string}`>
>;

/**
 * The scorer of views of triplets.
 *
 * @param options `third`: whether what a third view saw is scored by itself. `data`: see `lpips_network.ts`.
 *   `recognition`: see `ScoringData`
 */
export function viewScorer(
  views: ScoredViews,
  { third: asked = false, data, recognition = packagedRecognition() }:
    & { third?: boolean }
    & Pick<ScoringData, "data" | "recognition"> = {},
): ViewScorer {
  const { triplets, unwrapped, meshes, known, topology } = views;
  const seen = prepared(views);
  const geometry = { triplets, unwrapped, meshes, topology };
  // Other views are scored on the face alone.
  const embeddings = embedFaces({ ...seen, topology, recognition }, { whole: false });
  const revealed = findRevealed({ ...geometry, ...(known && { known }) });
  const third = asked ? findThirdSeen({ ...geometry, revealed }) : null;
  return {
    third,
    novel: (reconstructions) =>
      scoreNovelViews({
        ...seen,
        triplets,
        embeddings,
        revealed,
        ...(third && { third }),
        reconstructions,
        topology,
        recognition,
      }),
    perceptual: (reconstructions) => ({
      network: lpipsNetwork({ data }),
      held_triplets: triplets,
      held_crops: seen.crops,
      held_unwrapped: unwrapped,
      held_meshes: meshes,
      held_revealed: revealed,
      ...(third && { held_third: third }),
      held_reconstructions: reconstructions,
      topology,
    }),
  };
}

/** The scorers of an experiment. */
export function scorersOf({ test, heldOut, model, data, recognition }: ScoringData): Scorers {
  const faces = { real: regressFaces(test, { model }), made: regressFaces(heldOut, { model }) };
  const { truth } = heldOut;
  const known = heldOut.known && { known: heldOut.known };
  const { novel, perceptual: ofViews } = viewScorer(heldOut, { data, recognition });
  const perceptual = (reconstructions: Artifact<"reconstructions">) => ({
    ...ofViews(reconstructions),
    crops: test.crops,
    unwrapped: test.unwrapped,
  });
  const lpipsOf: Scorers["lpipsOf"] = ({ test, views }) =>
    scoreLpips({ ...perceptual(views), reconstructions: test, ...(truth && { truth, ...known }) });
  const trueTextures = truth && knownTextures({ crops: heldOut.crops, truth });
  return {
    real: photographScorer(test, { model, recognition }),
    novel: (method) => novel(method(faces.made)),
    truth: truth === undefined ? null : (method) => {
      const { crops, unwrapped } = heldOut;
      return scoreUvTruth({
        crops,
        unwrapped,
        truth,
        reconstructions: method(faces.made),
        topology: heldOut.topology,
        ...known,
      });
    },
    lpips: (method) => lpipsOf({ test: method(faces.real), views: method(faces.made) }),
    lpipsOf,
    oracle: trueTextures === undefined ? null : {
      novel: novel(trueTextures),
      lpips: scoreLpips(perceptual(trueTextures)),
    },
    bounds: truth === undefined || known === undefined ? {} : Object.fromEntries(WINDOWS.map((windows) => {
      const { crops, unwrapped, guesses } = faces.made;
      return [windows, novel(coarseTextures({ crops, unwrapped, guesses, truth, ...known }, { windows }))];
    })),
  };
}

/** What scores read of faces, and no more: what a stage does not read would make it stale. */
function prepared({ crops, meshes, unwrapped }: Pick<PreparedFaces, "crops" | "meshes" | "unwrapped">) {
  return { crops, meshes, unwrapped };
}
