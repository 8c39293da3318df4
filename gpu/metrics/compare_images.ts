// L1, PSNR and SSIM of many image pairs, over the full frame and over a mask, with one readback for all of them (a readback costs about 11 ms in
// Deno, however small). face/metrics/ holds the definitions and the reference in double precision.

import type { Gpu } from "../device.ts";
import { arrayLayers } from "../layers.ts";
import { ERRORS, MOMENT_LAYERS, MOMENTS, SIMILARITY, STRIP, TOTALS } from "./shaders.ts";

/** Two images of one size, height × width × 3 values in 0..1, and the weight of each pixel, height × width values in 0..1. */
export interface ImagePair {
  readonly a: Float32Array;
  readonly b: Float32Array;
  readonly mask: Float32Array;
}

/** How far two images are apart. */
export interface ImageScores {
  /** Mean absolute difference, 0..1. */
  readonly l1: number;
  /** dB at peak 1; Infinity for equal images. */
  readonly psnr: number;
  /** −1..1; Gaussian 11×11, σ 1.5, windows inside the image. */
  readonly ssim: number;
}

/** The scores of one pair. NaN in `masked` if the mask is empty. */
export interface PairScores {
  readonly full: ImageScores;
  readonly masked: ImageScores;
}

// Pairs in flight at once: they take 32 bytes a pixel and their SSIM moments 64, together 77 MB for 16 images of 224².
const CHUNK = 16;
const SUMS = 8;

/**
 * Compares each pair.
 *
 * @param pairs images of `width` × `height` pixels
 * @returns one entry a pair, in order
 * @throws {TypeError} if an array has the wrong length
 * @throws {RangeError} if an image is smaller than SSIM's window of 11×11
 * @throws {GpuError} if the GPU reports an error
 */
export async function compareImages(
  gpu: Gpu,
  { pairs, width, height }: { pairs: readonly ImagePair[]; width: number; height: number },
): Promise<PairScores[]> {
  checkPairs(pairs, { width, height });
  if (pairs.length === 0) return [];
  const { device } = gpu;
  const owned: { destroy(): void }[] = [];
  const buffer = (floats: number, usage: number) => {
    const made = device.createBuffer({ label: "compareImages", size: 4 * floats, usage });
    owned.push(made);
    return made;
  };
  const texture = (size: [number, number, number], usage: number) => {
    const made = device.createTexture({
      label: "compareImages",
      size,
      format: "rgba32float",
      usage: usage | GPUTextureUsage.TEXTURE_BINDING,
    });
    owned.push(made);
    return made;
  };
  const { STORAGE, COPY_DST, COPY_SRC, MAP_READ, UNIFORM } = GPUBufferUsage;
  const pixels = width * height;
  const inOneDispatch = Math.floor(
    64 * STRIP * device.limits.maxComputeWorkgroupsPerDimension / (pixels + STRIP * height),
  );
  const chunk = Math.max(1, Math.min(CHUNK, pairs.length, inOneDispatch));
  const [a, b] = [0, 1].map(() => texture([width, height, arrayLayers(chunk)], GPUTextureUsage.COPY_DST)) as [
    GPUTexture,
    GPUTexture,
  ];
  const layers = arrayLayers(MOMENT_LAYERS * chunk);
  const moments = texture([width - 10, height, layers], GPUTextureUsage.STORAGE_BINDING);
  const texels = new Float32Array(4 * pixels);
  const map = buffer(2 * (width - 10) * (height - 10) * chunk, STORAGE);
  const weights = buffer(11, STORAGE | COPY_DST);
  const size = buffer(4, UNIFORM | COPY_DST);
  const sums = buffer(SUMS * height * pairs.length, STORAGE | COPY_SRC);
  const read = buffer(SUMS * height * pairs.length, MAP_READ | COPY_DST);
  device.queue.writeBuffer(weights, 0, gaussian());
  try {
    for (let start = 0; start < pairs.length; start += chunk) {
      const part = pairs.slice(start, start + chunk);
      for (const [i, pair] of part.entries()) {
        for (const [image, into] of [[pair.a, a], [pair.b, b]] as const) {
          interleave(image, pair.mask, texels);
          const rows = { bytesPerRow: 16 * width, rowsPerImage: height };
          device.queue.writeTexture({ texture: into, origin: [0, 0, i] }, texels, rows, [width, height, 1]);
        }
      }
      device.queue.writeBuffer(size, 0, Uint32Array.of(width, height, part.length, start * height));
      const encoder = device.createCommandEncoder();
      const pass = encoder.beginComputePass();
      const run = (code: string, { bound, threads }: { bound: (GPUBuffer | GPUTexture)[]; threads: number }) => {
        const pipeline = pipelineOf(device, code);
        const entries = [size, ...bound].map((resource, binding) => ({
          binding,
          resource: resource instanceof GPUTexture
            ? resource.createView({ dimension: "2d-array" })
            : { buffer: resource },
        }));
        pass.setPipeline(pipeline);
        pass.setBindGroup(0, device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }));
        pass.dispatchWorkgroups(Math.ceil(threads / 64));
      };
      const rows = part.length * height, windowRows = part.length * (height - 10);
      const [across, down] = [width - 10, height - 10].map((windows) => Math.ceil(windows / STRIP)) as [number, number];
      run(ERRORS, { bound: [a, b, sums], threads: rows });
      run(MOMENTS, { bound: [a, b, moments, weights], threads: rows * across });
      run(SIMILARITY, { bound: [moments, map, weights], threads: part.length * down * (width - 10) });
      run(TOTALS, { bound: [map, sums], threads: windowRows });
      pass.end();
      if (start + chunk >= pairs.length) encoder.copyBufferToBuffer(sums, 0, read, 0, read.size);
      device.queue.submit([encoder.finish()]);
    }
    await gpu.assertHealthy("compareImages");
    await read.mapAsync(GPUMapMode.READ);
    const values = new Float32Array(read.getMappedRange());
    return pairs.map((_, i) => scores(values.subarray(i * height * SUMS, (i + 1) * height * SUMS), { width, height }));
  } finally {
    for (const made of owned) made.destroy();
  }
}

/** RGB with the mask as alpha. */
function interleave(image: Float32Array, mask: Float32Array, texels: Float32Array): void {
  for (let i = 0, from = 0, to = 0; i < mask.length; i++) {
    texels[to++] = image[from++]!;
    texels[to++] = image[from++]!;
    texels[to++] = image[from++]!;
    texels[to++] = mask[i]!;
  }
}

/** Adds one pair's row sums in double precision and divides. */
function scores(rows: Float32Array, { width, height }: { width: number; height: number }): PairScores {
  const total = new Float64Array(SUMS);
  for (let i = 0; i < rows.length; i++) total[i % SUMS]! += rows[i] as number;
  const [abs, square, maskedAbs, maskedSquare, weight, ssim, maskedSsim, windows] = total as unknown as [
    ...[number, number, number, number, number, number, number, number],
  ];
  const pixels = width * height;
  return {
    full: { l1: abs / (3 * pixels), psnr: psnr(square / (3 * pixels)), ssim: ssim / ((width - 10) * (height - 10)) },
    masked: { l1: maskedAbs / (3 * weight), psnr: psnr(maskedSquare / (3 * weight)), ssim: maskedSsim / windows },
  };
}

function psnr(meanSquaredError: number): number {
  return meanSquaredError === 0 ? Infinity : -10 * Math.log10(meanSquaredError);
}

function gaussian(): Float32Array<ArrayBuffer> {
  const weights = Array.from({ length: 11 }, (_, i) => Math.exp(-((i - 5) ** 2) / (2 * 1.5 ** 2)));
  const sum = weights.reduce((s, w) => s + w, 0);
  return Float32Array.from(weights, (w) => w / sum);
}

const pipelines = new WeakMap<GPUDevice, Map<string, GPUComputePipeline>>();

function pipelineOf(device: GPUDevice, code: string): GPUComputePipeline {
  const known = pipelines.get(device) ?? new Map<string, GPUComputePipeline>();
  pipelines.set(device, known);
  const pipeline = known.get(code) ?? device.createComputePipeline({
    label: "compareImages",
    layout: "auto",
    compute: { module: device.createShaderModule({ code }), entryPoint: "main" },
  });
  known.set(code, pipeline);
  return pipeline;
}

function checkPairs(pairs: readonly ImagePair[], { width, height }: { width: number; height: number }): void {
  if (width < 11 || height < 11) {
    throw new RangeError(`Cannot compute SSIM of ${width}×${height} pixels: the window is 11×11`);
  }
  for (const [i, { a, b, mask }] of pairs.entries()) {
    const pixels = width * height;
    if (a.length !== 3 * pixels || b.length !== 3 * pixels || mask.length !== pixels) {
      throw new TypeError(
        `Cannot compare pair ${i}: lengths ${a.length}, ${b.length} and ${mask.length} do not fit ${width}×${height}`,
      );
    }
  }
}
