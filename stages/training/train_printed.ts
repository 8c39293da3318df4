/**
 * Training of FTIM as the paper prints it (sections 3.2 to 3.4): each view is rendered in its own light, and the
 * symmetry loss looks at the visible region. All else that the paper does not print is as in `train.ts`.
 *
 * What the paper regularises is not printed. Here albedos are drawn to the template where no view of the triplet shows
 * anything, since this network has no first guess.
 */
import { z } from "zod";
import { defineFtimTraining, ftimShape } from "./parts/ftim_stage.ts";

const NETWORK = "printed";

/** The sizes as they are stored with the weights. */
export const printedStoredShape = ftimShape.extend({
  network: z.literal(NETWORK, { error: `the weights are not of FTIM as printed ("${NETWORK}")` }),
  codeLength: z.int().positive(),
});

/** Triplets → `network.safetensors` (weights, sizes) and `losses.csv` (step, each term unweighted, total). */
export const trainPrinted = defineFtimTraining({
  name: "train_printed",
  module: import.meta.url,
  network: NETWORK,
  choices: { light: "own", symmetry: "seen", prior: "template" },
  model: async () => (await import("../../nets/ftim_printed.ts")).ftimPrintedModel,
});
