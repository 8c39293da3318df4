/**
 * Training of the comparator Tran et al. 2019: an albedo decoder without skip connections, on the same triplets,
 * geometry and light as FTIM. Its losses are the photometric one and the albedo's consistency and symmetry, where the
 * authors have a reconstruction loss, albedo constancy and albedo symmetry (tranluan/Nonlinear_Face_3DMM).
 */
import { z } from "zod";
import { defineStage } from "@ftim/pipeline";
import { lossChoices, lossWeights, OUR_CHOICES, trainInputs, trainParams } from "./parts/train_params.ts";

/** Sizes of the network. */
export const tranShape = z.strictObject({
  widths: z.array(z.int().positive()).min(2).default([16, 32, 64, 96, 128]),
  codeLength: z.int().positive().default(128),
});

/** Triplets → `network.safetensors` and `losses.csv`. */
export const trainTran = defineStage({
  name: "train_tran",
  module: import.meta.url,
  inputs: trainInputs,
  output: "weights",
  params: z.strictObject({
    ...trainParams,
    ...lossChoices(OUR_CHOICES),
    weights: lossWeights.prefault({ identity: 0, mrf: 0, regularisation: 0 }),
    shape: tranShape.prefault({}),
  }),
  determinism: "seeded",
  computes: { webgpu: "templates, rendering, the network, all losses, their gradients, Adam" },
  resources: { gpu: true, memoryMiB: 2048 },
  run: async (context) => {
    const { inputs, params: { shape }, out } = context;
    const { openTfjs } = await import("@ftim/gpu/tfjs");
    const { tranModel } = await import("../../nets/tran.ts");
    const { encodeNetwork } = await import("./parts/network_file.ts");
    const { trainStage } = await import("./parts/train_loop.ts");
    const { readMorphable } = await import("../faces/geometry.ts");
    const { albedoMean: mean } = await readMorphable(inputs.model);
    const side = Math.sqrt(mean.length / 3);
    const model = tranModel(await openTfjs(), { ...shape, side, mean });
    const { parameters, losses } = await trainStage({ ...context, model });
    out.write("network.safetensors", encodeNetwork(parameters, shape));
    out.write("losses.csv", losses);
  },
});
