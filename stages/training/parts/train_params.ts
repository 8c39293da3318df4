/** What both training stages take. */
import { z } from "zod";
import { PAPER_WEIGHTS } from "../../../nets/losses.ts";
import type { LossChoices } from "../../../nets/triplet_loss.ts";
import { faceInputs } from "../../faces/face_inputs.ts";

/**
 * Inputs of a training stage. `identity`: the 128-d network that the identity loss looks through; never one that
 * scores. `known`: which texels of made heads are known to be true; the losses count no others. `vgg19`: what ID-MRF
 * looks through, as in the paper; without it ID-MRF looks through the 128-d network too.
 */
export const trainInputs = {
  triplets: "triplets",
  ...faceInputs,
  known: "known?",
  identity: "assets",
  vgg19: "assets?",
} as const;

const weight = z.number().min(0);

/** Weights of the losses; the paper's by default, 0 switches a term off. */
export const lossWeights = z.strictObject({
  photometric: weight.default(PAPER_WEIGHTS.photometric),
  albedo: weight.default(PAPER_WEIGHTS.albedo),
  identity: weight.default(PAPER_WEIGHTS.identity),
  mrf: weight.default(PAPER_WEIGHTS.mrf),
  symmetry: weight.default(PAPER_WEIGHTS.symmetry),
  regularisation: weight.default(PAPER_WEIGHTS.regularisation),
});

/**
 * Courses of the learning rate. `constant`: it stays, and the weights are those of the last step, which is the plain
 * reading of the paper. `falling`: it falls to a tenth along a half cosine, and the weights are the mean over the
 * second half of the steps, because single weights sway with one triplet a step.
 */
export const SCHEDULES = ["constant", "falling"] as const;
/** One of {@link SCHEDULES}. */
export type Schedule = typeof SCHEDULES[number];

/** Settings of the optimisation. */
export const trainParams = {
  steps: z.int().positive().default(400),
  /** At the start; the paper's is 1e-5. */
  learningRate: z.number().positive().default(1e-5),
  schedule: z.enum(SCHEDULES).default("falling"),
  seed: z.int().default(1),
  /** Steps between two checkpoints. */
  checkpoint: z.int().positive().default(50),
};

/** What is decided of the losses beside their weights, see `nets/triplet_loss.ts`, as a stage's parameters. */
export function lossChoices(defaults: LossChoices) {
  return {
    /** Which light the views are rendered in. */
    light: z.enum(["picked", "own"]).default(defaults.light),
    /** Texels that the symmetry loss looks at. */
    symmetry: z.enum(["seen", "unseen"]).default(defaults.symmetry),
    /** What the regularisation draws to. */
    prior: z.enum(["guess", "template"]).default(defaults.prior),
  };
}

/** What we decide otherwise than the paper, for our network and Tran's (docs/departures.md). */
export const OUR_CHOICES: LossChoices = { light: "picked", symmetry: "unseen", prior: "guess" };
