/**
 * The device of a benchmark, and how it takes time: least of some rounds, each of many runs in one submission's queue.
 */

import type { TensorInfo } from "@tensorflow/tfjs";
import type { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";
import { tuneConvolutions, type TunedFamilies } from "@ftim/gpu/tuner";
import { type Gpu, openGpu } from "@ftim/gpu/device";
import { hasPassTimes, timePasses } from "@ftim/gpu/pass-times";
import { submitRecorded, type Tfjs, webgpuBackend } from "@ftim/gpu/backend";
import { openTfjs } from "@ftim/gpu/tfjs";

/** What every benchmark works with. */
export interface Lab {
  readonly gpu: Gpu;
  readonly tf: Tfjs;
  readonly backend: WebGPUBackend;
  /** The adapter's measured multiply-add peak, GFLOP/s. */
  readonly peak: number;
  /** Its measured bandwidth of a copy, read and written, GB/s. */
  readonly bandwidth: number;
}

/** One line of a table: label → value. */
export type Row = Record<string, string | number>;

/** Opens the device and measures what it can do. */
export async function openLab(): Promise<Lab> {
  const gpu = await openGpu();
  const tf = await openTfjs();
  const { measureBandwidth, measurePeak } = await import("./adapter.ts");
  const [peak, bandwidth] = [await measurePeak(gpu), await measureBandwidth(gpu)];
  return { gpu, tf, backend: webgpuBackend(tf), peak, bandwidth };
}

/** Submits what is recorded and waits until the GPU has done it. */
export async function finish({ gpu, backend }: Pick<Lab, "gpu" | "backend">): Promise<void> {
  submitRecorded(backend);
  await gpu.device.queue.onSubmittedWorkDone();
}

const chosen: TunedFamilies = {};

/**
 * On a GPU, chooses the kernels of the convolutions that have run by measurement, as training does after its first
 * step.
 */
export async function chooseFamilies({ tf, gpu }: Pick<Lab, "tf" | "gpu">): Promise<void> {
  if (!gpu.info.software) await tuneConvolutions(tf, { gpu, known: chosen });
}

// Compiling matters little beside a first step of half a minute, and noise beside one of ten seconds.
const FIRST_COUNTS = 30_000;
const LONG = 10_000;

/**
 * Milliseconds of a training step, the least of some rounds of a second each; of a step of many seconds it is the first
 * or second.
 *
 * @param several runs so many steps, waits once and says how long each took
 */
export async function timeSteps(
  lab: Pick<Lab, "tf" | "gpu">,
  several: (count: number) => Promise<number>,
): Promise<number> {
  let least = await several(1);
  await chooseFamilies(lab);
  if (least < FIRST_COUNTS) least = await several(1);
  if (least >= LONG) return least;
  const count = Math.max(2, Math.ceil(1000 / least));
  for (let round = 0; round < 3; round++) least = Math.min(least, await several(count));
  return least;
}

/** How long to measure. */
export interface TimeOptions {
  readonly rounds?: number;
  /** What a round should last, milliseconds. */
  readonly budget?: number;
}

/** Milliseconds of one run of a kernel, the least of some rounds. The first run, which compiles, is not counted. */
export async function time(
  lab: Pick<Lab, "gpu" | "backend">,
  run: () => TensorInfo,
  { rounds = 6, budget = 60 }: TimeOptions = {},
): Promise<number> {
  const several = async (count: number) => {
    const start = performance.now();
    for (let i = 0; i < count; i++) lab.backend.disposeData(run().dataId);
    await finish(lab);
    return (performance.now() - start) / count;
  };
  await several(1);
  const estimate = await several(1);
  if (estimate > 5 * budget) return estimate; // long enough for what is noise in shorter ones
  // Most of a short time is the wait for the queue (Deno looks every 10 ms), so the count that fills a round is found
  // by trying.
  let count = 1;
  for (let each = estimate; count * each < budget && count < 4096; each = await several(count)) {
    count *= Math.min(4, Math.ceil(budget / (count * each)));
  }
  let least = estimate;
  for (let round = 0; round < rounds; round++) least = Math.min(least, await several(count));
  return least;
}

/**
 * Milliseconds that a GPU itself takes for one run of a kernel, the least of some passes; null on a software adapter,
 * where the wall clock tells.
 */
export async function timeOnGpu(
  { gpu, backend }: Pick<Lab, "gpu" | "backend">,
  run: () => TensorInfo,
): Promise<number | null> {
  if (gpu.info.software || !hasPassTimes(gpu.device)) return null;
  const several = (runs: number) => () => {
    for (let i = 0; i < runs; i++) backend.disposeData(run().dataId);
  };
  several(1)();
  // tfjs's own limit of a submission holds 15 dispatches, and a run may take two.
  const times = await timePasses(backend, Array.from({ length: 5 }, () => several(5)));
  return Math.min(...times) / 5;
}

/** Milliseconds of an asynchronous piece of work that waits for its own result, the least of some rounds. */
export async function timeAsync(
  run: () => Promise<unknown>,
  { rounds = 3 }: { rounds?: number } = {},
): Promise<number> {
  await run();
  let least = Infinity;
  for (let round = 0; round < rounds; round++) {
    const start = performance.now();
    await run();
    least = Math.min(least, performance.now() - start);
  }
  return least;
}

/** A number with so many digits after the point. */
export function rounded(value: number, digits = 2): number {
  return Number(value.toFixed(digits));
}
