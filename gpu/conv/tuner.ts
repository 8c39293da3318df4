/**
 * Chooses the family of kernels for each convolution that has run, by measurement, as jax-js and TVM choose their
 * tiles. Choices go into a record that the caller keeps from run to run: measured once an adapter and a shape.
 */

import type { TensorInfo } from "@tensorflow/tfjs";
import { type Gpu, isSoftware } from "../device.ts";
import { hasPassTimes, timePasses } from "../pass_times.ts";
import { type Tfjs, webgpuBackend } from "../backend.ts";
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

const FAMILIES = ["register", "tiled"] as const satisfies readonly Family[];
// The least of so many passes of so many runs counts.
const PASSES = 3;
const RUNS = 8;

/**
 * Measures both families for every shape that has run and that `known` lacks, and uses the faster one from now on.
 * Results stay the same to the bit, see families.ts. On an adapter without timestamps nothing is measured.
 *
 * @param known choices of earlier runs, of this adapter or others; new ones are added
 * @returns how many shapes were measured
 */
export async function tuneConvolutions(tf: Tfjs, { gpu, known }: { gpu: Gpu; known: TunedFamilies }): Promise<number> {
  const { device, info } = gpu;
  const shapes = [...seenShapes(device)].map(([key, shape]) => ({
    key,
    shape,
    name: `${info.vendor}/${info.description}: ${key}`,
  }));
  const unknown = hasPassTimes(device) ? shapes.filter(({ name }) => known[name] === undefined) : [];
  for (const { key, shape, name } of unknown) known[name] = await faster(tf, device, { key, shape });
  for (const { key, name } of shapes) chooseFamily(device, key, known[name]);
  await gpu.assertHealthy("tuneConvolutions");
  return unknown.length;
}

async function faster(
  tf: Tfjs,
  device: GPUDevice,
  { key, shape: { geometry: g, direction } }: { key: string; shape: SeenShape },
): Promise<Family> {
  const backend = webgpuBackend(tf);
  const target = { backend, software: isSoftware(device) };
  const forward = direction === "forward";
  // Not zeros, on which some GPUs are faster.
  const input = tf.fill(
    forward ? [g.batch, g.inHeight, g.inWidth, g.inChannels] : [g.batch, g.outHeight, g.outWidth, g.outChannels],
    0.3,
  );
  const filter = tf.fill([g.kernelHeight, g.kernelWidth, g.inChannels, g.outChannels], 0.7);
  const run = (): TensorInfo =>
    forward ? conv2d(target, g, { x: input, filter }) : conv2dInputGradient(target, g, { dy: input, filter });
  const pass = (family: Family, runs: number) => () => {
    chooseFamily(device, key, family);
    for (let i = 0; i < runs; i++) backend.disposeData(run().dataId);
  };
  // Pipelines are made, and operands uploaded, before it counts.
  for (const family of FAMILIES) pass(family, 1)();
  const passes = FAMILIES.flatMap((family) => Array.from({ length: PASSES }, () => pass(family, RUNS)));
  const times = await timePasses(backend, passes);
  tf.dispose([input, filter]);
  const [register, tiled] = FAMILIES.map((_, i) => Math.min(...times.slice(i * PASSES, (i + 1) * PASSES)));
  return tiled! < register! ? "tiled" : "register";
}
