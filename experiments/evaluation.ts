/**
 * The paper's section 4 on any data, in its order: what is compared (4.2), the ablation (4.3), and what the paper
 * lacks: how far results depend on the seed, and a page that holds them all.
 */
import { type Artifact, cast, pick } from "@ftim/pipeline";
import type { LossWeights } from "../nets/losses.ts";
import { asset } from "../stages/data/fetch.ts";
import { charts } from "../stages/figures/charts.ts";
import { figure1 } from "../stages/figures/figure1.ts";
import { figure2 } from "../stages/figures/figure2.ts";
import { figure3 } from "../stages/figures/figure3.ts";
import { figure4 } from "../stages/figures/figure4.ts";
import { figure4Views } from "../stages/figures/figure4_views.ts";
import { oneFace } from "../stages/figures/one_face.ts";
import { report } from "../stages/figures/report.ts";
import { smallPictures } from "../stages/figures/small_pictures.ts";
import { tripletsOfPortraits } from "../stages/figures/triplets_of_portraits.ts";
import { COMPARATORS, type Method } from "../stages/scores/parts/methods.ts";
import { type NetworkRow, ROW_LABELS, TABLE1_ROWS } from "../stages/scores/parts/table1_rows.ts";
import { fairness } from "../stages/tables/fairness.ts";
import { lpipsAblation } from "../stages/tables/lpips_ablation.ts";
import { lpipsTable } from "../stages/tables/lpips_table.ts";
import { novelTable } from "../stages/tables/novel_table.ts";
import { trainedName } from "../stages/tables/parts/trained_variants.ts";
import type { Variant } from "../stages/tables/parts/variants.ts";
import { seedSpread } from "../stages/tables/seed_spread.ts";
import { table1 } from "../stages/tables/table1.ts";
import { table2 } from "../stages/tables/table2.ts";
import { packTrained } from "../stages/training/trained.ts";
import { type PreparedFaces, regressFaces } from "./faces.ts";
import {
  ablationVariants,
  comparedMethods,
  type Reconstruct,
  type TrainingData,
  type TrainingSettings,
  trainNetworks,
} from "./methods.ts";
import { mapValues } from "./map_values.ts";
import type { ComparatorNetworks } from "./networks.ts";
import { type RealCaptures, scoreRealViews } from "./real_views.ts";
import type { Regressor } from "./regressors.ts";
import { type HeldOutViews, type Scorers, scorersOf, secondOpinion } from "./scoring.ts";

/** All data of an experiment. */
export interface EvaluationData {
  training: TrainingData & { poses: Artifact<"poses"> };
  test: PreparedFaces;
  heldOut: HeldOutViews;
  /** Photographs of persons from several sides, for other views of real light and skin. */
  real?: RealCaptures;
  /** The networks of the comparators' authors; without them Table 1 has no rows of them. */
  networks?: ComparatorNetworks;
  /** The regressor of all faces, where Table 1 is to say which it is. */
  regressor?: Regressor;
  /** How well captures were filtered, where that is known. */
  filter?: Artifact<"filter_report">;
}

/** Photographs and portraits that figures may show, by key. */
export interface ShownPictures {
  readonly photographs: readonly string[];
  /** Portraits that heads are made of. */
  readonly heads: readonly string[];
}

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

/** The texture model behind each comparator's row, as a footnote of Table 1 says it. */
const TEXTURE_MODELS = {
  deca: "a linear albedo fitted with a Gaussian prior (MAP)",
  chen: "that linear albedo and a displacement map that bends the normals, fitted to the photograph",
  deng: "a linear albedo fitted with a weak prior, robust weights in place of a skin mask, and a perceptual term",
  tran: "an albedo decoder without skip connections, trained on the same triplets",
};

const font = () => asset("font/DejaVuSans.ttf");

/** All results as lazy artifacts by name. */
export function evaluation(data: EvaluationData, settings: EvaluationSettings) {
  const { training, test, heldOut, real, filter } = data;
  const { poses, triplets, model } = training;
  const networks = trainNetworks(training, settings);
  const { ours: weights } = networks;
  const losses = pick(weights, ["losses.csv"]);
  const methods = comparedMethods(networks, training);
  const variants = ablationVariants(training, settings, { more: settings.more ?? false });
  const scorers = scorersOf({ test, heldOut, model, data: settings.data });
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
  };
}

/** What reconstruction needs of a training on the face mesh network's meshes, and how those were corrected. */
export function packed(
  inputs: { weights: Artifact<"weights">; model: Artifact<"model">; correction: Artifact<"correction"> },
): { trained: Artifact<"trained">; calibration: Artifact<"correction"> } {
  return { trained: packTrained(inputs), calibration: pick(inputs.correction, ["calibration.json"]) };
}

interface Means {
  readonly data: EvaluationData;
  readonly scorers: Scorers;
  /** What figures may show; undefined: all. */
  readonly shown: ShownPictures | undefined;
}

/**
 * Section 4.2: every method beside ours in Table 1 and Figure 3, and, which the paper lacks, in other views, against
 * true textures, by LPIPS, by skin tone. In other views the first guess and the true textures stand beside the methods.
 * The networks of comparators' authors stand beside them where faces are drawn, not where textures are compared.
 */
function comparison(
  methods: Record<Method, Reconstruct>,
  {
    data: { test, heldOut, training, regressor, networks = { runs: {}, absent: {} } },
    scorers,
    guess,
    expectedFaces,
    shown,
  }:
    & Means
    & {
      readonly guess: Reconstruct;
      readonly expectedFaces: Record<string, number>;
    },
) {
  const { oracle } = scorers;
  const { crops, meshes, unwrapped, detections } = test;
  const scores = mapValues(methods, (method) => scorers.real(method, { features: secondOpinion() }));
  const faces = regressFaces(test, training);
  const reconstructions = mapValues(methods, (method) => method(faces));
  const runs = networks.runs as Required<typeof networks.runs>;
  const renders = mapValues(runs, (network) => network.faces(test));
  const views = mapValues(runs, (network) => network.views(heldOut));
  const named: Partial<Record<NetworkRow, Artifact<"reconstructions">>> = Object.fromEntries(
    Object.entries(renders).map(([name, made]) => [`${name}_network`, made]),
  );
  const drawn = { ...reconstructions, ...named, ours: showable(reconstructions.ours, shown) };
  const figure = figure3({ reconstructions: drawn, crops, unwrapped, font: font() }, {
    rows: TABLE1_ROWS.filter((row) => row in drawn).map((name) => ({ name, label: ROW_LABELS[name] })),
  });
  return {
    table1: table1({
      scores,
      networks: mapValues(renders, (made) => scorers.real(() => made, { features: secondOpinion() })),
      detections,
      crops,
      meshes,
    }, {
      expectedFaces,
      models: TEXTURE_MODELS,
      absent: networks.absent,
      ...(regressor && { regressor: regressor.note }),
    }),
    figure3: figure,
    figure3Small: smallPictures({ figure }),
    others: novelTable({
      novel: mapValues(methods, scorers.novel),
      networks: mapValues(views, (made) => scorers.novel(() => made)),
      uv: scorers.truth === null ? {} : mapValues(methods, scorers.truth),
      guess: scorers.novel(guess),
      ...(scorers.truth && { guess_uv: scorers.truth(guess) }),
      ...(oracle && { oracle: oracle.novel }),
      bounds: scorers.bounds,
    }),
    lpips: lpipsTable({
      scores: mapValues(methods, scorers.lpips),
      networks: Object.fromEntries(
        COMPARATORS.filter((name) => name in runs).map((name) => {
          return [name, scorers.lpipsOf({ test: renders[name], views: views[name] })];
        }),
      ),
      guess: scorers.lpips(guess),
      ...(oracle && { oracle: oracle.lpips }),
    }),
    fairness: fairness({ scores, unwrapped, albedos: reconstructions.ours }),
    ...named,
    ...reconstructions,
  };
}

/**
 * Section 4.3: every variant beside the full method in Table 2 and Figure 4, and, which the paper lacks, in other
 * views, against true textures and by LPIPS.
 */
function ablation(
  variants: ReturnType<typeof ablationVariants>,
  { data: { test, heldOut, training }, scorers, shown: allowed }: Means,
) {
  const trained = everyTraining(variants);
  const shown = { map: variants.map[0]!, plain: variants.plain[0]!, full: variants.full[0]! };
  const [real, made] = [regressFaces(test, training), regressFaces(heldOut, training)];
  const { crops, meshes } = heldOut;
  const details = figure4({
    crops: test.crops,
    meshes: test.meshes,
    topology: test.topology,
    ...mapValues(shown, (variant) => variant(real)),
    full: showable(shown.full(real), allowed),
    font: font(),
  });
  const views = figure4Views({
    triplets: showableViews(heldOut, allowed),
    crops,
    meshes,
    ...mapValues(shown, (variant) => variant(made)),
    topology: heldOut.topology,
    font: font(),
  });
  return {
    table2: table2({
      real: mapValues(trained, (variant) => scorers.real(variant)),
      novel: mapValues(trained, scorers.novel),
      uv: scorers.truth === null ? {} : mapValues(trained, scorers.truth),
      ...(scorers.oracle && { oracle: scorers.oracle.novel }),
    }),
    figure4: details,
    figure4Small: smallPictures({ figure: details }),
    figure4Views: views,
    figure4ViewsSmall: smallPictures({ figure: views }),
    lpipsAblation: lpipsAblation({
      scores: mapValues(trained, scorers.lpips),
      ...(scorers.oracle && { oracle: scorers.oracle.lpips }),
    }),
  };
}

/** The faces of photographs that figures may show. */
function showable(
  reconstructions: Artifact<"reconstructions">,
  shown: ShownPictures | undefined,
): Artifact<"reconstructions"> {
  return shown === undefined ? reconstructions : pick(reconstructions, shown.photographs.map((key) => `${key}/`));
}

/** The views of heads that figures may show. */
function showableViews({ triplets, truth }: HeldOutViews, shown: ShownPictures | undefined): Artifact<"triplets"> {
  if (shown === undefined) return triplets;
  if (truth === undefined) throw new Error("Real heads are made of no portraits, so figures show all or none of them");
  return tripletsOfPortraits({ triplets, heads: truth }, { portraits: [...shown.heads] });
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
  const { crops, unwrapped, regressed, topology } = regressFaces(test, training);
  const { model } = training;
  return figure1({ crops, unwrapped, regressed, reconstructions, model, topology, font: font() }, {
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

/** The trainings of all variants by the names that the ablation's tables know. */
function everyTraining(variants: Partial<Record<Variant, readonly Reconstruct[]>>): Record<string, Reconstruct> {
  return Object.fromEntries(
    (Object.entries(variants) as [Variant, readonly Reconstruct[]][]).flatMap(([variant, trainings]) =>
      trainings.map((method, i) => [trainedName(variant, i + 1), method])
    ),
  );
}
