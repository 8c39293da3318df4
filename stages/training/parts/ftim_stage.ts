/** What the trainings of both FTIMs have in common: sizes, the network's name beside them, and the stage itself. */
import { z } from "zod";
import { defineStage } from "@ftim/pipeline";
import type { Tfjs } from "@ftim/gpu/tfjs";
import type { TextureModel } from "../../../nets/texture_model.ts";
import type { LossChoices } from "../../../nets/triplet_loss.ts";
import type { UnetShape } from "../../../nets/unet.ts";
import { keysOf } from "../../faces/keys_of.ts";
import { lossChoices, lossWeights, trainInputs, trainParams } from "./train_params.ts";

/** Sizes of the network. */
export const ftimShape = z.strictObject({
  widths: z.array(z.int().positive()).min(2).default([16, 32, 64, 96, 96]),
  fullWidth: z.int().positive().default(16),
});

/**
 * Triplets → `network.safetensors` (weights; sizes and name of the network) and `losses.csv` (step, each term
 * unweighted, total).
 *
 * @param stage `name` and `module` as of `defineStage`; `network` is the name that is stored with the weights;
 *   `choices` are the defaults of what is decided of the losses
 */
export function defineFtimTraining(
  { name, module, network, choices, model }: {
    name: string;
    module: string;
    network: string;
    choices: LossChoices;
    model(): Promise<(tf: Tfjs, shape: UnetShape) => TextureModel>;
  },
) {
  return defineStage({
    name,
    module,
    inputs: trainInputs,
    output: "weights",
    params: z.strictObject({
      ...trainParams,
      ...lossChoices(choices),
      weights: lossWeights.prefault({}),
      shape: ftimShape.prefault({}),
    }),
    determinism: "seeded",
    computes: { webgpu: "templates, rendering, the network, all losses, their gradients, Adam" },
    resources: { gpu: true, memoryMiB: 2048 },
    run: async (context) => {
      const { inputs, params, out } = context;
      const { openTfjs } = await import("@ftim/gpu/tfjs");
      const { encodeNetwork } = await import("./network_file.ts");
      const { trainStage } = await import("./train_loop.ts");
      const { conditionCode } = await import("../../../nets/ftim_input.ts");
      const { readRegression } = await import("../../faces/regression.ts");
      const [key] = keysOf(inputs.regressed, ".safetensors");
      if (key === undefined) throw new Error("Nothing was regressed to train on; see what mesh and regress skipped");
      const shape = { ...params.shape, codeLength: conditionCode(await readRegression(inputs.regressed, key)).length };
      const built = (await model())(await openTfjs(), shape);
      const { parameters, losses } = await trainStage({ ...context, model: built });
      out.write("network.safetensors", encodeNetwork(parameters, { network, ...shape }));
      out.write("losses.csv", losses);
    },
  });
}
