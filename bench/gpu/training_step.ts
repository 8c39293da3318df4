/**
 * The training step of FTIM with all losses, as the stage `train` runs it: ours, and the same on tfjs's own kernels.
 */

import type { Tensor2D, Tensor4D } from "@tensorflow/tfjs";
import { uvMap } from "../../face/uv_map.ts";
import { disposeSparse } from "@ftim/gpu/sparse";
import { submitRecorded, webgpuBackend } from "@ftim/gpu/backend";
import { adam, valueAndGradients } from "../../nets/adam.ts";
import { PAPER_WEIGHTS } from "../../nets/losses.ts";
import { drawParameters, toVariables } from "../../nets/parameters.ts";
import { openRecognition128 } from "../../nets/recognition128.ts";
import { ftimModel } from "../../nets/ftim.ts";
import { seenIn, totalLoss, tripletLoss } from "../../nets/triplet_loss.ts";
import { ftimStoredShape } from "../../stages/training/train.ts";
import { perceptualNetwork } from "../../stages/training/parts/train_loop.ts";
import { asset } from "../../test/assets.ts";
import { gridHead } from "../../test/face/head.ts";
import { type Lab, rounded, type Row, timeSteps } from "./lab.ts";
import { CODE_LENGTH, SIZE, tripletViews } from "./scene.ts";
import { withStockKernels } from "./stock.ts";

/** Training on fixed data. */
interface Training {
  /** Runs so many steps and waits once, as training does: milliseconds a step, and the last loss. */
  several(count: number): Promise<{ readonly milliseconds: number; readonly loss: number }>;
  dispose(): void;
}

async function openTraining({ tf, gpu }: Pick<Lab, "tf" | "gpu">): Promise<Training> {
  const network = await openRecognition128({
    manifest: await asset("models/face_recognition_model-weights_manifest.json"),
    weights: await asset("models/face_recognition_model.bin"),
  });
  const identity = perceptualNetwork(network);
  const views = tripletViews();
  // Training remembers it from one look at each photograph.
  const seen = tf.tidy(() => {
    const { descriptor, layers } = seenIn(tf, views, identity);
    return [descriptor, ...layers];
  });
  const known = { descriptor: seen[0] as Tensor2D, layers: seen.slice(1) as Tensor4D[] };
  const chart = Float32Array.from(uvMap(gridHead(21).topology, SIZE).inside);
  const model = ftimModel(tf, ftimStoredShape.parse({ codeLength: CODE_LENGTH }));
  const variables = toVariables(tf, drawParameters(model.parameters, 1));
  const optimiser = adam(tf, variables);
  const run = () => {
    // As in training, where the operators are another triplet's each time.
    for (const { operator } of views) disposeSparse(operator);
    const total = tf.tidy(() => {
      const { value, gradients } = valueAndGradients(tf, variables, () => {
        const albedo: Parameters<typeof tripletLoss>[1]["model"]["albedo"] = (input) => model.albedo(variables, input);
        const terms = tripletLoss(tf, {
          views,
          chosen: 1,
          weights: PAPER_WEIGHTS,
          light: "picked",
          chart,
          model: { ...model, albedo },
          identity,
          known,
        });
        return totalLoss(tf, terms, PAPER_WEIGHTS);
      });
      optimiser.step(gradients, 1e-4);
      return value;
    });
    submitRecorded(webgpuBackend(tf));
    return total;
  };
  return {
    async several(count) {
      const start = performance.now();
      for (let i = 1; i < count; i++) run().dispose();
      const value = run();
      const [loss] = await value.data();
      value.dispose();
      await gpu.assertHealthy("training step");
      return { milliseconds: (performance.now() - start) / count, loss: loss! };
    },
    dispose() {
      for (const { operator } of views) disposeSparse(operator);
      optimiser.dispose();
      tf.dispose(variables);
      tf.dispose(seen);
      network.dispose();
    },
  };
}

/** Ours beside stock: milliseconds a step and the first losses, which must agree. */
export async function benchTrainingStep(lab: Lab): Promise<Row> {
  const measure = async () => {
    const training = await openTraining(lab);
    const losses: number[] = [];
    const milliseconds = await timeSteps(lab, async (count) => {
      const { loss, milliseconds } = await training.several(count);
      losses.push(loss);
      return milliseconds;
    });
    training.dispose();
    return { losses: losses.slice(0, 2), milliseconds };
  };
  const ours = await measure();
  const stock = await withStockKernels(lab.tf, measure);
  for (const [i, loss] of ours.losses.slice(0, stock.losses.length).entries()) {
    if (!(Math.abs(loss - stock.losses[i]!) < 1e-3 * Math.abs(loss))) {
      throw new Error(`Ours and stock train differently: losses ${ours.losses} and ${stock.losses}`);
    }
  }
  return {
    "ours ms": rounded(ours.milliseconds, 0),
    "stock ms": rounded(stock.milliseconds, 0),
    speedup: rounded(stock.milliseconds / ours.milliseconds, 1),
    loss: rounded(ours.losses[0]!, 4),
  };
}
