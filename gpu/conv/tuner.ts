// Chooses the family of kernels for each convolution that has run, by measurement, as jax-js and TVM choose their tiles. Choices go into a record
// that the caller keeps from run to run: measured once an adapter and a shape.

import type { TensorInfo } from "@tensorflow/tfjs";
import { type Gpu, isSoftware } from "../device.ts";
import { type Tfjs, webgpuBackend } from "../tfjs.ts";
import { conv2d, conv2dInputGradient } from "./conv2d.ts";
import { chooseFamily, type Family, type SeenShape, seenShapes } from "./families.ts";

/** Adapter and shape → family. A plain record, to be stored as JSON. */
export type TunedFamilies = Record<string, Family>;

/** Families from stored JSON; what is none is left out, and so measured again. */
export function readFamilies(stored: unknown): TunedFamilies {
  const known: TunedFamilies = {};
  if (typeof stored !== "object" || stored === null) return known;
  for (const [name, family] of Object.entries(stored)) {
    if (family === "register" || family === "tiled") known[name] = family;
  }
  return known;
}

const ROUNDS = 3;
const RUNS = 4;

/**
 * Measures both families for every shape that has run and that `known` lacks, and uses the faster one from now on. Results stay the same to the
 * bit, see families.ts.
 *
 * @param known choices of earlier runs, of this adapter or others; new ones are added
 * @returns how many shapes were measured
 */
export async function tuneConvolutions(tf: Tfjs, { gpu, known }: { gpu: Gpu; known: TunedFamilies }): Promise<number> {
  const { device, info } = gpu;
  let measured = 0;
  for (const [key, shape] of [...seenShapes(device)]) {
    const name = `${info.vendor}/${info.description}: ${key}`;
    if (known[name] === undefined) {
      known[name] = await faster(tf, device, { key, shape });
      measured++;
    }
    chooseFamily(device, key, known[name]);
  }
  await gpu.assertHealthy("tuneConvolutions");
  return measured;
}

async function faster(
  tf: Tfjs,
  device: GPUDevice,
  { key, shape: { geometry: g, direction } }: { key: string; shape: SeenShape },
): Promise<Family> {
  const backend = webgpuBackend(tf);
  const target = { backend, software: isSoftware(device) };
  const forward = direction === "forward";
  const input = tf.zeros(
    forward ? [g.batch, g.inHeight, g.inWidth, g.inChannels] : [g.batch, g.outHeight, g.outWidth, g.outChannels],
  );
  const filter = tf.zeros([g.kernelHeight, g.kernelWidth, g.inChannels, g.outChannels]);
  const run = (): TensorInfo =>
    forward ? conv2d(target, g, { x: input, filter }) : conv2dInputGradient(target, g, { dy: input, filter });
  const time = async (family: Family) => {
    chooseFamily(device, key, family);
    let least = Infinity;
    // The first round, which compiles, does not count.
    for (let round = 0; round <= ROUNDS; round++) {
      const start = performance.now();
      for (let i = 0; i < RUNS; i++) backend.disposeData(run().dataId);
      backend.endComputePassEncoder();
      backend.ensureCommandEncoderReady();
      backend.submitQueue();
      await device.queue.onSubmittedWorkDone();
      if (round > 0) least = Math.min(least, performance.now() - start);
    }
    return least;
  };
  const times = { register: await time("register"), tiled: await time("tiled") };
  tf.dispose([input, filter]);
  return times.tiled < times.register ? "tiled" : "register";
}
