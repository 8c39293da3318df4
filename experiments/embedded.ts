/**
 * The experiment `embedded`: the paper on photographs and networks that come from the npm registry alone.
 *
 * No real multi-view set can be had there, so the training captures are rendered from single photographs with known
 * truth (`synthesize`); from `import` on, every stage is the one that the paper's own data goes through. The test set
 * are the 22 faces of six photographs; other views and true textures are of heads made from 17 more portraits. Nobody
 * in either is in a training photograph: between the sets no two faces are nearer than 0.43 to a recognition network
 * (cosine of `fr_feature`; `test/e2e/persons_test.ts`).
 *
 * @module
 */
import { assets } from "../stages/data/fetch.ts";
import { importPhotographs } from "../stages/data/import.ts";
import { heldOutCaptures, trainingData } from "./embedded_data.ts";
import { evaluation } from "./evaluation.ts";
import { findFaces, prepareFaces } from "./faces.ts";

/** What may be changed from the command line; the defaults make the committed results. */
export interface EmbeddedOptions {
  /** Heads to synthesise; default: one a person of the training photographs. */
  identities?: number;
  /** Triplets to train on. */
  triplets?: number;
  /** Training steps of FTIM and of Tran's decoder. */
  steps?: number;
  /** Seed of all trainings. */
  seed?: number;
  /** How often our training is repeated, with the seeds that follow; 1 to 8. */
  seeds?: number;
  /** Whether the ablation has rows that neither the paper has nor a single loss; default false. */
  more?: boolean;
  /** The folder of the user's own files, of which LPIPS alone needs one. Default `data`. */
  data?: string;
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

/** The whole experiment, as lazy artifacts by name. */
export function embedded(options: EmbeddedOptions = {}) {
  const { steps = 240, seed = 1, seeds = 1, more } = options;
  const { filter, ...training } = trainingData(options);
  const { correction } = training;
  const found = findFaces(importPhotographs(assets("test/"), { identities: "unknown" }), { keep: "all" });
  const data = {
    training,
    filter,
    test: prepareFaces(found, { correction }),
    heldOut: heldOutCaptures({ correction }),
  };
  return evaluation(data, {
    steps,
    seed,
    seeds,
    more,
    learningRate: 2e-3,
    fullWidth: 8,
    expectedFaces: TEST_FACES,
    data: options.data,
  });
}
