/**
 * Training without FTIM but with all losses, for the ablation: of one map that every face has where it was not seen
 * (`nets/learned_map.ts`). Triplets, losses and optimiser are those of FTIM with a first guess (`train.ts`).
 */
import { z } from "zod";
import { defineStage } from "@ftim/pipeline";
import { lossChoices, lossWeights, OUR_CHOICES, trainInputs, trainParams } from "./parts/train_params.ts";

/** What is stored with the map. */
export const mapStoredShape = z.strictObject({ network: z.literal("map"), size: z.int().positive() });

/** Triplets → `network.safetensors` (the map) and `losses.csv`. */
export const trainMap = defineStage({
  name: "train_map",
  module: import.meta.url,
  inputs: trainInputs,
  output: "weights",
  params: z.strictObject({ ...trainParams, ...lossChoices(OUR_CHOICES), weights: lossWeights.prefault({}) }),
  determinism: "seeded",
  computes: { webgpu: "templates, rendering, all losses, their gradients, Adam" },
  resources: { gpu: true, memoryMiB: 2048 },
  run: async (context) => {
    const { inputs, out } = context;
    const { openTfjs } = await import("@ftim/gpu/tfjs");
    const { learnedMapModel } = await import("../../nets/learned_map.ts");
    const { encodeNetwork } = await import("./parts/network_file.ts");
    const { trainStage } = await import("./parts/train_loop.ts");
    const { readMorphable } = await import("../faces/geometry.ts");
    const { albedoMean } = await readMorphable(inputs.model);
    const size = Math.sqrt(albedoMean.length / 3);
    const model = learnedMapModel(await openTfjs(), { size });
    const { parameters, losses } = await trainStage({ ...context, model });
    out.write("network.safetensors", encodeNetwork(parameters, { network: "map", size }));
    out.write("losses.csv", losses);
  },
});
