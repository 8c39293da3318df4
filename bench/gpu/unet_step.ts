/**
 * One training step of FTIM's U-Net alone (mean absolute error, Adam): ours, stock tfjs, and PyTorch where Python has
 * it.
 */

import type { Scalar, Tensor, Tensor2D, Tensor4D } from "@tensorflow/tfjs";
import { adam, valueAndGradients } from "../../nets/adam.ts";
import { ftim, ftimParameters } from "../../nets/ftim.ts";
import { drawParameters, toVariables } from "../../nets/parameters.ts";
import { ftimStoredShape } from "../../stages/training/train.ts";
import { finish, type Lab, rounded, type Row, timeSteps } from "./lab.ts";
import { CODE_LENGTH, SIZE } from "./scene.ts";
import { withStockKernels } from "./stock.ts";

/** Milliseconds a step of each, and how they compare. */
export async function benchUnetStep(lab: Lab): Promise<Row> {
  const { tf, gpu } = lab;
  const shape = ftimStoredShape.parse({ codeLength: CODE_LENGTH });
  const measure = async () => {
    const variables = toVariables(tf, drawParameters(ftimParameters(shape), 1));
    const optimiser = adam(tf, variables);
    const map = (channels: number, seed: number) =>
      tf.randomUniform([3, SIZE, SIZE, channels], 0, 1, "float32", seed) as Tensor4D;
    const input = {
      incomplete: map(3, 1),
      visibility: map(1, 2),
      guess: map(3, 3),
      templateAlbedo: map(3, 4),
      templateTexture: map(3, 5),
      code: tf.randomUniform([3, CODE_LENGTH]) as Tensor2D,
    };
    const target = map(3, 6);
    const step = () =>
      tf.tidy(() => {
        const { value, gradients } = valueAndGradients(
          tf,
          variables,
          () => tf.mean(tf.abs(tf.sub(ftim(tf, variables, { ...input, ...shape }), target))) as Scalar,
        );
        optimiser.step(gradients, 1e-4);
        value.dispose();
      });
    const several = async (steps: number) => {
      const start = performance.now();
      for (let i = 0; i < steps; i++) step();
      await finish(lab);
      return (performance.now() - start) / steps;
    };
    const milliseconds = await timeSteps(lab, several);
    optimiser.dispose();
    tf.dispose([variables, target, Object.values(input) as Tensor[]]);
    await gpu.assertHealthy("U-Net step");
    return milliseconds;
  };
  const ours = await measure();
  const stock = await withStockKernels(tf, measure);
  const peer = await pyTorchStep({ ...shape, size: SIZE });
  return {
    "ours ms": rounded(ours, 0),
    "stock ms": rounded(stock, 0),
    speedup: rounded(stock / ours, 1),
    "PyTorch CPU": typeof peer === "string"
      ? peer
      : `${peer.cpu.toFixed(0)} ms (${peer.version}, ${peer.threads} threads)`,
    ...typeof peer !== "string" && peer.cuda !== null && { "PyTorch CUDA ms": rounded(peer.cuda) },
  };
}

interface PeerStep {
  /** Milliseconds a step. */
  readonly cpu: number;
  /** The same on CUDA in single precision, where there is one. */
  readonly cuda: number | null;
  readonly version: string;
  readonly threads: number;
}

/** The peer's own measurement, or why there is none. The first `python3` on the PATH is asked. */
async function pyTorchStep(shape: object): Promise<PeerStep | string> {
  const python = "python3";
  const script = new URL("../peers/unet_step.py", import.meta.url).pathname;
  try {
    const { success, stdout, stderr } = await new Deno.Command(python, { args: [script, JSON.stringify(shape)] })
      .output();
    if (success) return JSON.parse(new TextDecoder().decode(stdout));
    const error = new TextDecoder().decode(stderr).trim().split("\n").at(-1) ?? "";
    return /No module named 'torch'/.test(error) ? "not installed" : `failed: ${error}`;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "not installed";
    throw error;
  }
}
