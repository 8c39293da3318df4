/**
 * The experiment `embedded`: the paper on photographs and networks that come from the npm registry alone.
 *
 * No real multi-view set can be had there, so the training captures are rendered from single photographs with known truth
 * (`synthesize`); from `import` on, every stage is the one that the paper's own data goes through. The test set are the 22
 * faces of six photographs, of which nobody is in a training photograph.
 *
 * @module
 */
import { type Artifact, pick } from "../pipeline/mod.ts";
import { charts } from "../stages/charts.ts";
import { compareChen } from "../stages/compare_chen.ts";
import { compareDeca } from "../stages/compare_deca.ts";
import { compareDeng } from "../stages/compare_deng.ts";
import { compareTran } from "../stages/compare_tran.ts";
import { embedFaces } from "../stages/embed.ts";
import { fairness } from "../stages/fairness.ts";
import { asset, assets } from "../stages/fetch.ts";
import { figure3 } from "../stages/figure3.ts";
import { figure4 } from "../stages/figure4.ts";
import { importPhotographs } from "../stages/import.ts";
import type { LossWeights } from "../nets/losses.ts";
import { scoreMetrics } from "../stages/metrics.ts";
import { novelTable } from "../stages/novel_table.ts";
import { scoreNovelViews } from "../stages/novel_views.ts";
import { reconstruct } from "../stages/reconstruct.ts";
import { regress } from "../stages/regress.ts";
import { report } from "../stages/report.ts";
import { seedSpread } from "../stages/seed_spread.ts";
import { table1 } from "../stages/table1.ts";
import { table2 } from "../stages/table2.ts";
import type { Method } from "../stages/tables/methods.ts";
import type { Variant } from "../stages/tables/variants.ts";
import { trainFtim } from "../stages/train.ts";
import { trainTran } from "../stages/train_tran.ts";
import { packTrained } from "../stages/trained.ts";
import { scoreUvTruth } from "../stages/uv_truth.ts";
import { withoutFtim } from "../stages/without_ftim.ts";
import { findFaces, heldOutCaptures, prepareFaces, topology, trainingData } from "./embedded_data.ts";

/** What may be changed from the command line; the defaults make the committed results. */
export interface EmbeddedOptions {
  /** Heads to synthesise. */
  identities?: number;
  /** Triplets to train on. */
  triplets?: number;
  /** Training steps of FTIM, which starts from its first guess. Tran's decoder, which starts from nothing, takes twice as many. */
  steps?: number;
  /** Seed of all trainings. */
  seed?: number;
  /** How often our training is repeated, with the seeds that follow; 1 to 8. */
  seeds?: number;
}

/** Faces that a person counts in each test photograph. */
const TEST_FACES = {
  "test/sample1": 3,
  "test/sample2": 3,
  "test/sample3": 3,
  "test/sample4": 4,
  "test/sample5": 5,
  "test/sample6": 4,
};

/** What every method reads of a face. */
interface Faces {
  crops: Artifact<"aligned">;
  unwrapped: Artifact<"unwrapped">;
  regressed: Artifact<"regressed">;
}
/** A method, applied to faces. */
type Reconstruct = (faces: Faces) => Artifact<"reconstructions">;

/** The whole experiment, as lazy artifacts by name. */
export function embedded(options: EmbeddedOptions = {}) {
  const { steps = 80, seed = 1, seeds = 1 } = options;
  const { synthetic, filter, poses, correction, ...training } = trainingData(options);
  const shared = { model: training.model, topology: topology() };
  const schooling = { ...training, topology: topology(), identity: assets("models/face_recognition_model") };
  const train = (weights: Partial<LossWeights> = {}, offset = 0) =>
    trainFtim(schooling, { steps, seed: seed + offset, learningRate: 5e-4, weights });
  const weights = train();
  const tranWeights = trainTran(schooling, { steps: 2 * steps, seed, learningRate: 5e-4 });
  const ftim = (weights: Artifact<"weights">): Reconstruct => (faces) => reconstruct({ ...faces, weights, ...shared });

  const methods: Record<Method, Reconstruct> = {
    deca: ({ crops, regressed }) => compareDeca({ crops, regressed, ...shared }),
    chen: (faces) => compareChen({ ...faces, ...shared }),
    deng: (faces) => compareDeng({ ...faces, ...shared, identity: schooling.identity }),
    tran: (faces) => compareTran({ ...faces, weights: tranWeights, ...shared }),
    ours: ftim(weights),
  };
  const variants: Record<Variant, Reconstruct> = {
    copy: (faces) => withoutFtim({ ...faces, ...shared }, { fill: "copy" }),
    guess: (faces) => withoutFtim({ ...faces, ...shared }, { fill: "guess" }),
    plain: ftim(train({ mrf: 0, symmetry: 0 })),
    photometric: ftim(train({ photometric: 0 })),
    albedo: ftim(train({ albedo: 0 })),
    identity: ftim(train({ identity: 0 })),
    mrf: ftim(train({ mrf: 0 })),
    symmetry: ftim(train({ symmetry: 0 })),
    regularisation: ftim(train({ regularisation: 0 })),
    full: methods.ours,
  };

  const found = findFaces(importPhotographs(assets("test/"), { identities: "unknown" }), { keep: "all" });
  const test = prepareFaces(found, { correction });
  const heldOut = heldOutCaptures(found, { correction });
  const regressed = ({ crops, meshes, unwrapped }: typeof test): Faces => ({
    crops,
    unwrapped,
    regressed: regress({ meshes, unwrapped, ...shared }),
  });
  const [real, made] = [regressed(test), regressed(heldOut)];
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
  const onTruth = (method: Reconstruct) =>
    scoreUvTruth({
      crops: heldOut.crops,
      unwrapped: heldOut.unwrapped,
      truth: heldOut.truth,
      reconstructions: method(made),
      topology: topology(),
    });

  const scores = byName(methods, (method) => onReal(method, { features }));
  const table = table1({
    ...scores,
    detections: test.detections,
    aligned,
    meshes,
  }, {
    experiment: "embedded",
    expectedFaces: TEST_FACES,
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
    ...prefixed("uv", byName(methods, onTruth)),
  });
  const ablation = table2({
    ...prefixed("real", byName(variants, (method) => onReal(method))),
    ...prefixed("novel", byName(variants, onNovel)),
    ...prefixed("uv", byName(variants, onTruth)),
  });
  const repeated = Object.fromEntries(Array.from({ length: seeds }, (_, i) => [i + 1, ftim(train({}, i))]));
  const tables = {
    table1: table,
    others,
    fairness: fairness({ ...scores, unwrapped }),
    figure3: figure,
    charts: charts({ losses: pick(weights, ["losses.csv"]), poses, triplets: training.triplets, font }),
    filter,
  };
  return {
    ...tables,
    table2: ablation,
    figure4: figure4({
      aligned,
      meshes,
      copy: variants.copy(real),
      plain: variants.plain(real),
      full: variants.full(real),
      font,
    }),
    seeds: seeds === 1 ? null : seedSpread({
      ...prefixed("real", byName(repeated, (method) => onReal(method))),
      ...prefixed("novel", byName(repeated, onNovel)),
    }),
    report: report(tables),
    losses: pick(weights, ["losses.csv"]),
    calibration: pick(correction, ["calibration.json"]),
    trained: packTrained({ weights, model: training.model, correction }),
    ...renders,
    weights,
    synthetic,
  };
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
