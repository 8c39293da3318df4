/**
 * Training of FTIM without ground truth (paper, sections 3.2 to 3.4). In each step the three views of a triplet are
 * completed, one of the three albedos is rendered into all three views, and the renders are compared with the
 * photographs.
 *
 * What the paper does not print, we decide: a step takes one triplet; the order of the triplets and the choice of the
 * albedo are drawn from the seed; the learning rate falls to a tenth along a half cosine; the weights are the mean of
 * those of the second half of the steps. The paper's rate of 1e-5 is the default, and `embedded` sets a larger one for
 * its fewer steps.
 */
import { z } from "zod";
import { defineStage } from "@ftim/pipeline";
import { lossWeights, trainInputs, trainParams } from "./parts/train_params.ts";

/** Sizes of the network. */
const ftimShape = z.strictObject({
  widths: z.array(z.int().positive()).min(2).default([16, 32, 64, 96, 96]),
  fullWidth: z.int().positive().default(16),
});

/** The sizes as they are stored with the weights. */
export const ftimStoredShape = ftimShape.extend({ codeLength: z.int().positive() });

/** Triplets → `network.safetensors` (weights, sizes) and `losses.csv` (step, each term unweighted, total). */
export const trainFtim = defineStage({
  name: "train",
  module: import.meta.url,
  inputs: trainInputs,
  output: "weights",
  params: z.strictObject({ ...trainParams, weights: lossWeights.prefault({}), shape: ftimShape.prefault({}) }),
  determinism: "seeded",
  computes: { webgpu: "templates, rendering, the network, all losses, their gradients, Adam" },
  resources: { gpu: true, memoryMiB: 2048 },
  run: async (context) => {
    const { inputs, params, out } = context;
    const { openTfjs } = await import("@ftim/gpu/tfjs");
    const { ftimModel } = await import("../../nets/ftim.ts");
    const { encodeNetwork } = await import("./parts/network_file.ts");
    const { trainStage } = await import("./parts/train_loop.ts");
    const { readMorphable } = await import("../faces/geometry.ts");
    const { expressionSigma } = await readMorphable(inputs.model);
    // Expression coefficients beside yaw, pitch and roll.
    const shape = { ...params.shape, codeLength: expressionSigma.length + 3 };
    const { parameters, losses } = await trainStage({ ...context, model: ftimModel(await openTfjs(), shape) });
    out.write("network.safetensors", encodeNetwork(parameters, shape));
    out.write("losses.csv", losses);
  },
});
