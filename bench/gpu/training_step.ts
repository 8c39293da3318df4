/**
 * The training step of FTIM with all losses, as the stage `train` runs it: ours, and the same on tfjs's own kernels.
 */

import type { Tensor, Tensor2D, Tensor4D } from "@tensorflow/tfjs";
import { disposeAlbedoParts, uploadAlbedoParts } from "../../face/albedo_maps.ts";
import { uvMap } from "../../face/uv_map.ts";
import { submitRecorded, webgpuBackend } from "@ftim/gpu/backend";
import { adam, valueAndGradients } from "../../nets/adam.ts";
import { PAPER_WEIGHTS } from "../../nets/losses.ts";
import { drawParameters, toVariables } from "../../nets/parameters.ts";
import { openRecognition128 } from "../../nets/recognition128.ts";
import { ftimModel } from "../../nets/ftim.ts";
import { uploadTriplet } from "../../nets/device_triplet.ts";
import { coveredByHalf, lookAtPhotographs } from "../../nets/known_faces.ts";
import { totalLoss, tripletLoss } from "../../nets/triplet_loss.ts";
import { ftimStoredShape } from "../../stages/training/train.ts";
import { perceptualNetwork } from "../../stages/training/parts/train_loop.ts";
import { asset } from "../../test/assets.ts";
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
  const { views, topology, albedo } = tripletViews();
  const parts = uploadAlbedoParts(tf, albedo);
  // Training remembers it from one look at each photograph.
  const seen = tf.tidy(() => {
    const { descriptor, layers, covered } = lookAtPhotographs(tf, views, { network: identity, topology });
    return [descriptor, ...layers, ...covered] as Tensor[];
  });
  const layers = seen.slice(1, (seen.length + 1) / 2) as Tensor4D[];
  const shares = await Promise.all(seen.slice(1 + layers.length).map((tensor) => tensor.data<"float32">()));
  const known = { descriptor: seen[0] as Tensor2D, layers, inside: shares.map(coveredByHalf) };
  const chart = tf.tensor3d(Float32Array.from(uvMap(topology, SIZE).inside), [SIZE, SIZE, 1]);
  const model = ftimModel(tf, ftimStoredShape.parse({ codeLength: CODE_LENGTH }));
  const variables = toVariables(tf, drawParameters(model.parameters, 1));
  const optimiser = adam(tf, variables);
  const run = () => {
    // As in training, where it is another triplet each time.
    const triplet = uploadTriplet(tf, views, { topology, parts, side: identity.side });
    const total = tf.tidy(() => {
      const { value, gradients } = valueAndGradients(tf, variables, () => {
        const albedo: Parameters<typeof tripletLoss>[1]["model"]["albedo"] = (input) => model.albedo(variables, input);
        const terms = tripletLoss(tf, {
          triplet,
          chosen: 1,
          weights: PAPER_WEIGHTS,
          light: "picked",
          symmetry: "unseen",
          prior: "guess",
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
    triplet.dispose();
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
      optimiser.dispose();
      tf.dispose([variables, seen, chart]);
      disposeAlbedoParts(parts);
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
