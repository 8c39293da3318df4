// Where packed operands live (see texels.ts): in a slot that the next packing overwrites, kept beside a filter for as long as the filter lives,
// or lent from a forward pass to its gradient.

import type { TensorInfo } from "@tensorflow/tfjs";
import type { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";
import { GpuError } from "../device.ts";

/** Texels in a row of a texture, as a power of two. */
export const ROW_BITS = 11;

interface Textures {
  readonly slots: Map<string, TensorInfo>;
  /** Textures that were lent and given back, by height. */
  readonly free: Map<number, TensorInfo[]>;
}

const all = new WeakMap<GPUDevice, Textures>();

function texturesOf({ device }: WebGPUBackend): Textures {
  let textures = all.get(device);
  if (textures === undefined) all.set(device, textures = { slots: new Map(), free: new Map() });
  return textures;
}

/** The slot's texture for so many texels. It holds what was last written to it. */
export function slotTexture(backend: WebGPUBackend, { slot, count }: { slot: string; count: number }): TensorInfo {
  const height = heightFor(count);
  const { slots } = texturesOf(backend);
  const key = `${slot}_${height}`;
  const known = slots.get(key);
  if (known !== undefined && backend.tensorMap.has(known.dataId)) return known;
  const made = makeTexture(backend, { label: key, height });
  slots.set(key, made);
  return made;
}

/**
 * The texture that a filter was packed into before, or a new one to pack it into. Filters of a network that is not trained are the same from
 * run to run: one that is asked for twice gets a texture of its own, which is collected with the filter. tfjs never changes a tensor's data.
 *
 * @param packing what distinguishes one packing of the filter from another
 * @returns undefined at the first request
 */
export function keptTexture(
  backend: WebGPUBackend,
  filter: TensorInfo,
  { packing, count }: { packing: string; count: number },
): { texture: TensorInfo; fresh: boolean } | undefined {
  let packings = kept.get(filter.dataId);
  if (packings === undefined) kept.set(filter.dataId, packings = new Map());
  const texture = packings.get(packing);
  if (texture === undefined) {
    packings.set(packing, null);
    return undefined;
  }
  if (texture !== null) return { texture, fresh: false };
  const made = makeTexture(backend, { label: "kept filter", height: heightFor(count) });
  packings.set(packing, made);
  return { texture: made, fresh: true };
}

const kept = new WeakMap<TensorInfo["dataId"], Map<string, TensorInfo | null>>();

/** A texture that stays as it is until `giveBack`. Without that it is collected once nothing refers to it. */
export function lendTexture(backend: WebGPUBackend, count: number): TensorInfo {
  const height = heightFor(count);
  return texturesOf(backend).free.get(height)?.pop() ?? makeTexture(backend, { label: "lent", height });
}

/** Takes back what `lendTexture` gave. Work that is recorded already may still read it. */
export function giveBack(backend: WebGPUBackend, texture: TensorInfo): void {
  const { free } = texturesOf(backend);
  const height = (texture.shape[0] ?? 0) >> ROW_BITS;
  const textures = free.get(height);
  if (textures === undefined) free.set(height, [texture]);
  else textures.push(texture);
}

/**
 * Rows of a texture for so many texels: a power of two. A network then has a handful of textures, and llvmpipe compiles a kernel once: to it
 * a texture of another kind of height is another kernel, of which a convolution takes seconds.
 */
function heightFor(count: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(1, count / (1 << ROW_BITS))));
}

/** A texture as a tensor of its size. */
function makeTexture(backend: WebGPUBackend, { label, height }: { label: string; height: number }): TensorInfo {
  const limit = backend.device.limits.maxTextureDimension2D;
  if (height > limit) {
    throw new GpuError("pack", [
      `an operand has ${height << ROW_BITS} texels, a texture holds at most ${limit << ROW_BITS}; ` +
      "use a smaller batch or image",
    ]);
  }
  const info = backend.makeTensorInfo([height << ROW_BITS, 4], "float32");
  backend.tensorMap.get(info.dataId).resource = backend.device.createTexture({
    label,
    size: [1 << ROW_BITS, height],
    format: "rgba32float",
    usage: GPUTextureUsage.TEXTURE_BINDING | GPUTextureUsage.STORAGE_BINDING,
  });
  return info;
}
