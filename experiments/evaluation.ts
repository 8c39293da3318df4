/**
 * The paper's Section 4, for any data: ours and the comparators are trained and applied, then scored on test
 * photographs, in other views of persons who were never trained on and, where they are known, against true textures.
 *
 * @module
 */
import { type Artifact, pick } from "@ftim/pipeline";
import type { LossWeights } from "../nets/losses.ts";
import { charts } from "../stages/figures/charts.ts";
import { compareChen } from "../stages/methods/compare_chen.ts";
import { compareDeca } from "../stages/methods/compare_deca.ts";
import { compareDeng } from "../stages/methods/compare_deng.ts";
import { compareTran } from "../stages/methods/compare_tran.ts";
import { embedFaces } from "../stages/scores/embed.ts";
import { fairness } from "../stages/tables/fairness.ts";
import { asset, assets } from "../stages/data/fetch.ts";
import { figure3 } from "../stages/figures/figure3.ts";
import { figure4 } from "../stages/figures/figure4.ts";
import { figure4Views } from "../stages/figures/figure4_views.ts";
import { scoreMetrics } from "../stages/scores/metrics.ts";
import { scoreLpips } from "../stages/scores/lpips.ts";
import { lpipsAblation } from "../stages/tables/lpips_ablation.ts";
import { lpipsTable } from "../stages/tables/lpips_table.ts";
import { novelTable } from "../stages/tables/novel_table.ts";
import { scoreNovelViews } from "../stages/scores/novel_views.ts";
import { reconstruct } from "../stages/methods/reconstruct.ts";
import { report } from "../stages/figures/report.ts";
import { seedSpread } from "../stages/tables/seed_spread.ts";
import { table1 } from "../stages/tables/table1.ts";
import { table2 } from "../stages/tables/table2.ts";
import type { Method } from "../stages/scores/parts/methods.ts";
import type { Variant } from "../stages/tables/parts/variants.ts";
import { trainFtim } from "../stages/training/train.ts";
import { trainTran } from "../stages/training/train_tran.ts";
import { packTrained } from "../stages/training/trained.ts";
import { scoreUvTruth } from "../stages/scores/uv_truth.ts";
import { withoutFtim } from "../stages/methods/without_ftim.ts";
import { lpipsNetwork } from "./lpips_network.ts";
import { type PreparedFaces, type RegressedFaces, regressFaces, topology } from "./faces.ts";

/** What is trained on. */
export interface TrainingData extends RegressedFaces {
  triplets: Artifact<"triplets">;
  poses: Artifact<"poses">;
  model: Artifact<"model">;
  correction: Artifact<"correction">;
  /** VGG-19 for ID-MRF; without it ID-MRF looks through the identity network. */
  vgg19?: Artifact<"assets">;
}

/** Views of persons who were never trained on. */
export type HeldOutViews = PreparedFaces & {
  triplets: Artifact<"triplets">;
  /** The true textures, where captures were made from them. */
  truth?: Artifact<"synthetic">;
};

/** All data of an experiment. */
export interface EvaluationData {
  training: TrainingData;
  test: PreparedFaces;
  heldOut: HeldOutViews;
  /** How well captures were filtered, where that is known. */
  filter?: Artifact<"filter_report">;
}

/** What is done with the data. */
export interface EvaluationOptions {
  steps: number;
  learningRate: number;
  seed: number;
  /** How often our training is repeated, with the seeds that follow. */
  seeds: number;
  /** Whether the ablation has rows that neither the paper has nor a single loss; default false. */
  more?: boolean | undefined;
  /** Channels of FTIM at full resolution; default as in `stages/train.ts`. */
  fullWidth?: number;
  /** Faces that a person counts in each test photograph, by key. */
  expectedFaces?: Record<string, number>;
  /** The folder of the user's own files, here LPIPS's network. Default `data`. */
  data?: string | undefined;
}

/** Tran's decoder, which starts from nothing, takes a rate of its own: the best of 1.25e-4 to 1e-3 in 240 steps. */
const TRAN_RATE = 2.5e-4;

/** A method, applied to faces. */
type Reconstruct = (faces: RegressedFaces) => Artifact<"reconstructions">;

/** All results as lazy artifacts by name. */
export function evaluation(
  { training, test, heldOut, filter }: EvaluationData,
  { steps, learningRate, seed, seeds, more = false, fullWidth, expectedFaces = {}, data }: EvaluationOptions,
) {
  const { poses, correction, ...trainable } = training;
  const shared = { model: training.model, topology: topology() };
  const schooling = { ...trainable, topology: topology(), identity: assets("models/face_recognition_model") };
  const train = (changed: Parameters<typeof trainFtim>[1] = {}) =>
    trainFtim(schooling, { steps, seed, learningRate, shape: { fullWidth }, ...changed });
  /** The training and its repetitions with the seeds that follow. */
  const repeated = (changed: Parameters<typeof trainFtim>[1] = {}): Reconstruct[] =>
    Array.from({ length: seeds }, (_, i) => ftim(train({ ...changed, seed: seed + i })));
  const without = (...losses: (keyof LossWeights)[]) =>
    repeated({ weights: Object.fromEntries(losses.map((loss) => [loss, 0])) });
  const weights = train();
  const tranWeights = trainTran(schooling, { steps, seed, learningRate: TRAN_RATE });
  const ftim = (weights: Artifact<"weights">): Reconstruct => (faces) => reconstruct({ ...faces, weights, ...shared });

  const methods: Record<Method, Reconstruct> = {
    deca: ({ crops, regressed }) => compareDeca({ crops, regressed, ...shared }),
    chen: ({ crops, unwrapped, regressed }) => compareChen({ crops, unwrapped, regressed, ...shared }),
    deng: ({ crops, unwrapped, regressed }) =>
      compareDeng({ crops, unwrapped, regressed, ...shared, identity: schooling.identity }),
    tran: (faces) => compareTran({ ...faces, weights: tranWeights, ...shared }),
    ours: ftim(weights),
  };
  /** Each variant's trainings; one where there is nothing to train. */
  const variants = {
    copy: [(faces) => withoutFtim({ ...faces, ...shared }, { fill: "copy" })],
    guess: [(faces) => withoutFtim({ ...faces, ...shared }, { fill: "guess" })],
    plain: without("mrf", "symmetry"),
    photometric: without("photometric"),
    albedo: without("albedo"),
    identity: without("identity"),
    mrf: without("mrf"),
    symmetry: without("symmetry"),
    regularisation: without("regularisation"),
    ...(more && {
      direct: without("photometric", "albedo"),
      alone: without("photometric", "albedo", "identity", "mrf"),
      light: repeated({ light: "own" }),
    }),
    full: repeated(),
  } satisfies Partial<Record<Variant, readonly Reconstruct[]>>;

  const [real, made] = [regressFaces(test, shared), regressFaces(heldOut, shared)];
  const recognition = assets("models/faceres.");
  const features = asset("models/fr_feature.onnx");
  const { meshes, unwrapped, crops: aligned } = test;
  const embeddings = embedFaces({ aligned, meshes, unwrapped, recognition, features });
  const onReal = (method: Reconstruct, opinions: { features?: Artifact<"assets"> } = {}) =>
    scoreMetrics({ aligned, meshes, unwrapped, embeddings, reconstructions: method(real), recognition, ...opinions });
  const heldOutEmbeddings = embedFaces({
    aligned: heldOut.crops,
    meshes: heldOut.meshes,
    unwrapped: heldOut.unwrapped,
    recognition,
  });
  const onNovel = (method: Reconstruct) =>
    scoreNovelViews({
      triplets: heldOut.triplets,
      crops: heldOut.crops,
      unwrapped: heldOut.unwrapped,
      meshes: heldOut.meshes,
      embeddings: heldOutEmbeddings,
      reconstructions: method(made),
      topology: topology(),
      recognition,
    });
  const { truth } = heldOut;
  const onTruth = truth && ((method: Reconstruct) =>
    scoreUvTruth({
      crops: heldOut.crops,
      unwrapped: heldOut.unwrapped,
      truth,
      reconstructions: method(made),
      topology: topology(),
    }));
  const lpipsOf = (method: Reconstruct) =>
    scoreLpips({
      network: lpipsNetwork({ data }),
      aligned,
      unwrapped,
      reconstructions: method(real),
      held_triplets: heldOut.triplets,
      held_crops: heldOut.crops,
      held_unwrapped: heldOut.unwrapped,
      held_meshes: heldOut.meshes,
      held_reconstructions: method(made),
      topology: topology(),
      ...(truth && { truth }),
    });

  const scores = byName(methods, (method) => onReal(method, { features }));
  const table = table1({
    ...scores,
    detections: test.detections,
    aligned,
    meshes,
  }, {
    expectedFaces,
    models: {
      deca: "a linear albedo fitted with a Gaussian prior (MAP)",
      chen: "that linear albedo and a displacement map that bends the normals, fitted to the photograph",
      deng: "a linear albedo fitted with a weak prior, robust weights in place of a skin mask, and a perceptual term",
      tran: "an albedo decoder without skip connections, trained on the same triplets",
    },
  });
  const renders = byName(methods, (method) => method(real));
  const font = asset("font/DejaVuSans.ttf");
  const figure = figure3({ ...renders, aligned, unwrapped, font });
  const others = novelTable({
    ...prefixed("novel", byName(methods, onNovel)),
    ...(onTruth && prefixed("uv", byName(methods, onTruth))),
  });
  const trained = Object.fromEntries(
    Object.entries(variants).flatMap(([name, trainings]) =>
      numbered(trainings).map(([i, one]) => [`${name}_${i}`, one])
    ),
  );
  const ablation = table2({
    ...prefixed("real", byName(trained, (method) => onReal(method))),
    ...prefixed("novel", byName(trained, onNovel)),
    ...(onTruth && prefixed("uv", byName(trained, onTruth))),
  });
  const repetitions = Object.fromEntries(numbered(variants.full));
  const tables = {
    table1: table,
    others,
    fairness: fairness({ ...scores, unwrapped }),
    figure3: figure,
    charts: charts({ losses: pick(weights, ["losses.csv"]), poses, triplets: training.triplets, font }),
  };
  return {
    ...tables,
    filter: filter ?? null,
    lpips: lpipsTable(prefixed("lpips", byName(methods, lpipsOf))),
    lpipsAblation: lpipsAblation(prefixed("lpips", byName(trained, lpipsOf))),
    table2: ablation,
    figure4: figure4({
      aligned,
      meshes,
      copy: variants.copy[0]!(real),
      plain: variants.plain[0]!(real),
      full: methods.ours(real),
      font,
    }),
    figure4Views: figure4Views({
      triplets: heldOut.triplets,
      crops: heldOut.crops,
      meshes: heldOut.meshes,
      copy: variants.copy[0]!(made),
      plain: variants.plain[0]!(made),
      full: methods.ours(made),
      topology: topology(),
      font,
    }),
    seeds: seeds === 1 ? null : seedSpread({
      ...prefixed("real", byName(repetitions, (method) => onReal(method))),
      ...prefixed("novel", byName(repetitions, onNovel)),
    }),
    report: report({ ...tables, filter }),
    losses: pick(weights, ["losses.csv"]),
    calibration: pick(correction, ["calibration.json"]),
    trained: packTrained({ weights, model: training.model, correction }),
    ...renders,
    weights,
  };
}

/** Trainings with their numbers, from 1. */
function numbered<T>(trainings: readonly T[]): [number, T][] {
  return trainings.map((one, i) => [i + 1, one]);
}

function byName<Name extends string, In, Out>(record: Record<Name, In>, make: (value: In) => Out): Record<Name, Out> {
  return Object.fromEntries(Object.entries<In>(record).map(([name, value]) => [name, make(value)])) as Record<
    Name,
    Out
  >;
}

function prefixed<Prefix extends string, Name extends string, T>(
  prefix: Prefix,
  record: Record<Name, T>,
): Record<`${Prefix}_${Name}`, T> {
  const named = Object.entries<T>(record).map(([name, value]) => [`${prefix}_${name}`, value]);
  return Object.fromEntries(named) as Record<`${Prefix}_${Name}`, T>;
}
