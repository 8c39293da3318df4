/**
 * The paper's section 4 on any data, in its order: what is compared (4.2), the ablation (4.3), and what the paper
 * lacks: how far results depend on the seed, and a page that holds them all.
 */
import { type Artifact, cast, pick } from "@ftim/pipeline";
import type { LossWeights } from "../nets/losses.ts";
import { charts } from "../stages/figures/charts.ts";
import { figure1 } from "../stages/figures/figure1.ts";
import { figure2 } from "../stages/figures/figure2.ts";
import { oneFace } from "../stages/figures/one_face.ts";
import { report } from "../stages/figures/report.ts";
import { smallPictures } from "../stages/figures/small_pictures.ts";
import { seedSpread } from "../stages/tables/seed_spread.ts";
import { packTrained } from "../stages/training/trained.ts";
import { ablation } from "./ablation.ts";
import { comparison } from "./comparison.ts";
import type { EvaluationData } from "./evaluation_data.ts";
import { regressFaces } from "./faces.ts";
import { mapValues } from "./map_values.ts";
import {
  ablationVariants,
  comparedMethods,
  type Reconstruct,
  templateFaces,
  type TrainingSettings,
  trainNetworks,
} from "./methods.ts";
import { scoreRealViews } from "./real_views.ts";
import { type Scorers, scorersOf } from "./scoring.ts";
import { font, type ShownPictures } from "./shown_pictures.ts";

/** What is done with the data. */
export interface EvaluationSettings extends TrainingSettings {
  /** Whether the ablation has rows that neither the paper has nor leave out a single loss; default false. */
  more?: boolean | undefined;
  /** Faces that a person counts in each test photograph, by key. */
  expectedFaces?: Record<string, number>;
  /**
   * A test face for Figure 1 and the picture of what comes of one photograph, by key; neither is made without it.
   */
  shownFace?: string;
  /** What figures may show; default all. */
  shown?: ShownPictures | undefined;
  /** The folder of the user's own files, here a copy of LPIPS's network. Default `data`. */
  data?: string | undefined;
}

/** All results as lazy artifacts by name. */
export function evaluation(data: EvaluationData, settings: EvaluationSettings) {
  const { training, test, heldOut, real, filter, recognition } = data;
  const { poses, triplets, model } = training;
  const networks = trainNetworks(training, settings);
  const { ours: weights } = networks;
  const losses = pick(weights, ["losses.csv"]);
  const methods = comparedMethods(networks, training);
  const variants = ablationVariants(training, settings, { more: settings.more ?? false });
  const scorers = scorersOf({ test, heldOut, model, data: settings.data, recognition });
  const compared = comparison(methods, {
    data,
    scorers,
    guess: variants.guess[0]!,
    expectedFaces: settings.expectedFaces ?? {},
    shown: settings.shown,
  });
  const drawn = charts({ losses, poses, triplets, font: font() });
  const { table1, others, fairness, figure3 } = compared;
  const framework = settings.shownFace === undefined
    ? null
    : frameworkOf(settings.shownFace, { data, reconstructions: compared.printed, weights: settings.weights });
  const module = figure2({ printed: networks.printed, ours: weights, model, font: font() });
  return {
    ...compared,
    ...ablation(variants, { data, scorers, shown: settings.shown }),
    ...(real === undefined ? { realViews: null, realLpips: null } : scoreRealViews(real, {
      methods,
      guess: variants.guess[0]!,
      copy: variants.copy[0]!,
      model,
      data: settings.data,
      recognition,
    })),
    seeds: settings.seeds === 1 ? null : repetition(variants.full, scorers),
    filter: filter ?? null,
    oneFaceSmall: settings.shownFace === undefined
      ? null
      : shown(settings.shownFace, { data, reconstructions: compared.ours }),
    figure1: framework,
    figure1Small: framework && smallPictures({ figure: framework }),
    figure2: module,
    figure2Small: smallPictures({ figure: module }),
    charts: drawn,
    chartsSmall: smallPictures({ figure: cast(drawn, "figure") }),
    report: report({
      table1,
      others,
      fairness,
      ...(framework && { figure1: framework }),
      figure2: module,
      figure3,
      charts: drawn,
      filter,
    }),
    losses,
    triplets: pick(triplets, ["triplets.csv"]),
    weights,
    printedWeights: networks.printed,
    tranWeights: networks.tran,
    linearModel: training.linearModel,
  };
}

/** What reconstruction needs of a training on the face mesh network's meshes, and how those were corrected. */
export function packed(
  inputs: { weights: Artifact<"weights">; model: Artifact<"model">; correction: Artifact<"correction"> },
): { trained: Artifact<"trained">; calibration: Artifact<"correction"> } {
  return { trained: packTrained(inputs), calibration: pick(inputs.correction, ["calibration.json"]) };
}

/** Section 3: Figure 1, with the maps of one face. */
function frameworkOf(
  face: string,
  { data: { test, training }, reconstructions, weights }: {
    data: EvaluationData;
    /** By FTIM as printed. */
    reconstructions: Artifact<"reconstructions">;
    weights: LossWeights;
  },
): Artifact<"figure"> {
  const { guesses: _, ...faces } = templateFaces(regressFaces(test, training), training);
  return figure1({ ...faces, reconstructions, font: font() }, {
    face,
    weights,
  });
}

/** What comes of one photograph: a picture for the README. */
function shown(
  face: string,
  { data: { test }, reconstructions }: { data: EvaluationData; reconstructions: Artifact<"reconstructions"> },
): Artifact<"small_pictures"> {
  const { crops, unwrapped, meshes, topology } = test;
  const faces = { crops, unwrapped, meshes, reconstructions };
  return smallPictures({ figure: oneFace({ ...faces, topology, font: font() }, { face }) });
}

/** How far the scores of the full method depend on the seed of its training. */
function repetition(trainings: readonly Reconstruct[], { real, novel, truth }: Scorers): Artifact<"seed_spread"> {
  const numbered = Object.fromEntries(trainings.map((method, i) => [i + 1, method]));
  return seedSpread({
    real: mapValues(numbered, (method) => real(method)),
    novel: mapValues(numbered, novel),
    uv: truth === null ? {} : mapValues(numbered, truth),
  });
}
