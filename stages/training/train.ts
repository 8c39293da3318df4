/**
 * Training of FTIM with a first guess, without ground truth (paper, sections 3.2 to 3.4). In each step the three views
 * of a triplet are completed, one of the three albedos is rendered into all three views, and the renders are compared
 * with the photographs. `train_printed.ts` trains the module as the paper prints it, in the same way.
 *
 * What the paper does not print, we decide: a step takes one triplet; the order of the triplets and the choice of the
 * albedo are drawn from the seed; the learning rate falls to a tenth along a half cosine; the weights are the mean of
 * those of the second half of the steps. The paper's rate of 1e-5 is the default, and `embedded` sets a larger one for
 * its fewer steps.
 */
import { z } from "zod";
import { defineFtimTraining, ftimShape } from "./parts/ftim_stage.ts";
import { OUR_CHOICES } from "./parts/train_params.ts";

const NETWORK = "first-guess";

/** The sizes as they are stored with the weights. Files from before there were two networks do not name theirs. */
export const ftimStoredShape = ftimShape.extend({
  network: z.literal(NETWORK, { error: `the weights are not of FTIM with a first guess ("${NETWORK}")` })
    .default(NETWORK),
  codeLength: z.int().positive(),
});

/** Triplets → `network.safetensors` (weights, sizes) and `losses.csv` (step, each term unweighted, total). */
export const trainFtim = defineFtimTraining({
  name: "train",
  module: import.meta.url,
  network: NETWORK,
  choices: OUR_CHOICES,
  model: async () => (await import("../../nets/ftim.ts")).ftimModel,
});
