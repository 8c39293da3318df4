/**
 * How a method is scored: on the test photographs, in other views of persons who were never trained on, against true
 * textures, and by LPIPS on all of these.
 */
import type { Artifact } from "@ftim/pipeline";
import { asset, assets } from "../stages/data/fetch.ts";
import { embedFaces } from "../stages/scores/embed.ts";
import { scoreLpips } from "../stages/scores/lpips.ts";
import { scoreMetrics } from "../stages/scores/metrics.ts";
import { scoreNovelViews } from "../stages/scores/novel_views.ts";
import { knownTextures } from "../stages/scores/oracle.ts";
import { findRevealed } from "../stages/scores/revealed.ts";
import { scoreUvTruth } from "../stages/scores/uv_truth.ts";
import { type PreparedFaces, regressFaces, topology } from "./faces.ts";
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
  /** The true textures scored as a method is, in other views; null where none are known. */
  oracle: { novel: Artifact<"novel">; lpips: Artifact<"lpips_scores"> } | null;
}

/** The network that scores identity; no loss looks through it. */
const recognition = () => assets("models/faceres.");
/** The network of a second opinion on identity. */
export const secondOpinion = () => asset("models/fr_feature.onnx");

/** Scores methods on photographs, in the view that was unwrapped. */
export function photographScorer(
  test: PreparedFaces,
  { model }: { model: Artifact<"model"> },
): Scorers["real"] {
  const seen = prepared(test);
  const faces = regressFaces(test, { model });
  const embeddings = embedFaces({ ...seen, recognition: recognition(), features: secondOpinion() });
  return (method, opinions = {}) =>
    scoreMetrics({
      ...seen,
      embeddings,
      reconstructions: method(faces),
      recognition: recognition(),
      ...opinions,
    });
}

/** Scores textures of some views of triplets in their other views. */
export interface ViewScorer {
  /** Which pixels each view reveals to each other one. */
  readonly revealed: Artifact<"revealed">;
  /** The scores of textures of every view, whatever made them: a method, or an oracle. */
  novel(reconstructions: Artifact<"reconstructions">): Artifact<"novel">;
}

/** The scorer of views of triplets. */
export function viewScorer(views: HeldOutViews): ViewScorer {
  const { triplets, unwrapped, meshes, known } = views;
  const seen = prepared(views);
  // Other views are scored on the face alone.
  const embeddings = embedFaces({ ...seen, recognition: recognition() }, { whole: false });
  const revealed = findRevealed({ triplets, unwrapped, meshes, topology: topology(), ...(known && { known }) });
  return {
    revealed,
    novel: (reconstructions) =>
      scoreNovelViews({
        ...seen,
        triplets,
        embeddings,
        revealed,
        reconstructions,
        topology: topology(),
        recognition: recognition(),
      }),
  };
}

/** The scorers of an experiment. */
export function scorersOf({ test, heldOut, model, data }: ScoringData): Scorers {
  const faces = { real: regressFaces(test, { model }), made: regressFaces(heldOut, { model }) };
  const { truth, triplets } = heldOut;
  const known = heldOut.known && { known: heldOut.known };
  const { revealed, novel } = viewScorer(heldOut);
  // What LPIPS reads of other views, whatever made the textures.
  const perceptual = (reconstructions: Artifact<"reconstructions">) => ({
    network: lpipsNetwork({ data }),
    crops: test.crops,
    unwrapped: test.unwrapped,
    held_triplets: triplets,
    held_crops: heldOut.crops,
    held_unwrapped: heldOut.unwrapped,
    held_meshes: heldOut.meshes,
    held_revealed: revealed,
    held_reconstructions: reconstructions,
    topology: topology(),
  });
  const trueTextures = truth && knownTextures({ crops: heldOut.crops, truth });
  return {
    real: photographScorer(test, { model }),
    novel: (method) => novel(method(faces.made)),
    truth: truth === undefined ? null : (method) => {
      const { crops, unwrapped } = heldOut;
      return scoreUvTruth({
        crops,
        unwrapped,
        truth,
        reconstructions: method(faces.made),
        topology: topology(),
        ...known,
      });
    },
    lpips: (method) =>
      scoreLpips({
        ...perceptual(method(faces.made)),
        reconstructions: method(faces.real),
        ...(truth && { truth, ...known }),
      }),
    oracle: trueTextures === undefined ? null : {
      novel: novel(trueTextures),
      lpips: scoreLpips(perceptual(trueTextures)),
    },
  };
}

/** What scores read of faces, and no more: what a stage does not read would make it stale. */
function prepared({ crops, meshes, unwrapped }: PreparedFaces) {
  return { crops, meshes, unwrapped };
}
