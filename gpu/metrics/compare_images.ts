/**
 * L1, PSNR and SSIM of many image pairs, over the full frame and over a mask, with one readback for all of them (a
 * readback costs about 11 ms in Deno, however small). compare_images_cpu.ts is the definition, in double precision.
 */

import type { Gpu } from "../device.ts";
import { arrayLayers } from "../array_layers.ts";
import { psnrOfError } from "./psnr.ts";
import { COLUMNS, COMPARE, SUMS, WINDOW } from "./shaders.ts";

/**
 * Two images of one size, height × width × 3 values in 0..1, and the weight of each pixel, height × width values in
 * 0..1.
 */
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

/** The scores of one pair. NaN in `masked` and as `centredSsim` if the mask is empty. */
export interface PairScores {
  readonly full: ImageScores;
  /** Its SSIM is the mean over the windows that meet the mask, which reach up to 10 pixels beyond it. */
  readonly masked: ImageScores;
  /**
   * The mean over the mask of SSIM's map, whose value at a pixel is that of the window around it. The five pixels along
   * the image's border have none; NaN if the mask has no other.
   */
  readonly centredSsim: number;
}

// Pairs in flight at once, which take 28 bytes a pixel, and the most rows of a block, which fetches ten more. A GPU
// wants many blocks; a software adapter little work and what fits its cache: 11 MB for 8 images of 224².
const AT_ONCE = { software: { most: 8, rows: 128 }, hardware: { most: 32, rows: 32 } } as const;

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
  const keep = <T extends { destroy(): void }>(resource: T): T => {
    owned.push(resource);
    return resource;
  };
  const { most, rows: mostRows } = AT_ONCE[gpu.info.software ? "software" : "hardware"];
  const [across, down] = [Math.ceil(width / COLUMNS), Math.ceil(height / mostRows)];
  const rows = Math.ceil(height / down);
  const blocks = across * Math.ceil(height / rows);
  const inOneDispatch = Math.floor(64 * device.limits.maxComputeWorkgroupsPerDimension / blocks);
  const chunk = Math.max(1, Math.min(most, pairs.length, inOneDispatch));
  try {
    const { STORAGE, COPY_DST, COPY_SRC, MAP_READ, UNIFORM } = GPUBufferUsage;
    const buffer = (size: number, usage: number) => keep(device.createBuffer({ label: "compareImages", size, usage }));
    const layers = (channels: number) =>
      keep(device.createTexture({
        label: "compareImages",
        size: [channels * across, height, arrayLayers(chunk)],
        format: "rgba32float",
        usage: GPUTextureUsage.COPY_DST | GPUTextureUsage.TEXTURE_BINDING,
      }));
    const [a, b, mask] = [layers(3), layers(3), layers(1)] as const;
    const size = buffer(20, UNIFORM | COPY_DST);
    const sums = buffer(4 * SUMS * blocks * pairs.length, STORAGE | COPY_SRC);
    const read = buffer(sums.size, MAP_READ | COPY_DST);
    const pipeline = pipelineOf(device);
    const views = [a, b, mask].map((images) => images.createView({ dimension: "2d-array" }));
    const bindings = device.createBindGroup({
      layout: pipeline.getBindGroupLayout(0),
      entries: [{ buffer: size }, ...views, { buffer: sums }].map((resource, binding) => ({ binding, resource })),
    });
    for (let start = 0; start < pairs.length; start += chunk) {
      const part = pairs.slice(start, start + chunk);
      for (const [layer, pair] of part.entries()) {
        for (const [from, into] of [[pair.a, a], [pair.b, b], [pair.mask, mask]] as const) {
          const texels = wholeTexels(from, { width, height });
          const [wide, origin] = [into.width, [0, 0, layer]];
          device.queue.writeTexture({ texture: into, origin }, texels, { bytesPerRow: 16 * wide }, [wide, height]);
        }
      }
      device.queue.writeBuffer(size, 0, Uint32Array.of(width, height, part.length, rows, start * blocks));
      const encoder = device.createCommandEncoder({ label: "compareImages" });
      const pass = encoder.beginComputePass();
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, bindings);
      pass.dispatchWorkgroups(Math.ceil(part.length * blocks / 64));
      pass.end();
      if (start + chunk >= pairs.length) encoder.copyBufferToBuffer(sums, 0, read, 0, read.size);
      device.queue.submit([encoder.finish()]);
    }
    await Promise.all([read.mapAsync(GPUMapMode.READ), gpu.assertHealthy("compareImages")]);
    const values = new Float32Array(read.getMappedRange());
    return pairs.map((_, i) => scores(values.subarray(i * blocks * SUMS, (i + 1) * blocks * SUMS), { width, height }));
  } finally {
    for (const made of owned) made.destroy();
  }
}

/** The values with each row filled up with zeros to a multiple of four pixels; if it is one, the values themselves. */
function wholeTexels(
  values: Float32Array,
  { width, height }: { width: number; height: number },
): Float32Array<ArrayBuffer> {
  if (width % COLUMNS === 0) return values as Float32Array<ArrayBuffer>;
  const row = values.length / height;
  const stride = row / width * COLUMNS * Math.ceil(width / COLUMNS);
  const out = new Float32Array(stride * height);
  for (let y = 0; y < height; y++) out.set(values.subarray(y * row, (y + 1) * row), y * stride);
  return out;
}

/** Adds the sums of one pair's blocks in double precision and divides. */
function scores(blocks: Float32Array, { width, height }: { width: number; height: number }): PairScores {
  const total = new Float64Array(SUMS);
  for (let i = 0; i < blocks.length; i++) total[i % SUMS]! += blocks[i] as number;
  const [abs, square, maskedAbs, maskedSquare, weight, ssim, maskedSsim, windows, centred, middles] =
    total as unknown as [...[number, number, number, number, number, number, number, number, number, number]];
  const pixels = width * height;
  return {
    full: {
      l1: abs / (3 * pixels),
      psnr: psnrOfError(square / (3 * pixels)),
      ssim: ssim / ((width - 10) * (height - 10)),
    },
    masked: {
      l1: maskedAbs / (3 * weight),
      psnr: psnrOfError(maskedSquare / (3 * weight)),
      ssim: maskedSsim / windows,
    },
    centredSsim: centred / middles,
  };
}

const pipelines = new WeakMap<GPUDevice, GPUComputePipeline>();

function pipelineOf(device: GPUDevice): GPUComputePipeline {
  let pipeline = pipelines.get(device);
  if (pipeline === undefined) {
    const module = device.createShaderModule({ label: "compareImages", code: COMPARE });
    pipeline = device.createComputePipeline({
      label: "compareImages",
      layout: "auto",
      compute: { module, entryPoint: "main" },
    });
    pipelines.set(device, pipeline);
  }
  return pipeline;
}

function checkPairs(pairs: readonly ImagePair[], { width, height }: { width: number; height: number }): void {
  if (width < WINDOW || height < WINDOW) {
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
