/**
 * Where packed operands live (see texels.ts): in a slot that the next packing overwrites, or in a texture that stays
 * for as long as the data that was packed. tfjs never changes a tensor's data, so what was packed once is right until
 * the data is disposed.
 */

import type { TensorInfo } from "@tensorflow/tfjs";
import type { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";
import { submitRecorded } from "../backend.ts";
import { REMEMBERED, SWEEP } from "../buffer_pool.ts";
import { GpuError } from "../device.ts";
import { sizeOf } from "./dispatch.ts";

/** Texels in a row of a texture, as a power of two. */
export const ROW_BITS = 11;

/** What a texture is wanted for. */
export interface Wanted {
  /** Distinguishes one packing of a tensor from another. */
  readonly layout: string;
  /** Texels. */
  readonly count: number;
  /** Textures of different slots are different. */
  readonly slot: string;
  /**
   * Whether the packing stays with the data: "again" from its second request on, as of a filter that does not change
   * from run to run.
   */
  readonly keep: "never" | "again" | "always";
}

type DataId = TensorInfo["dataId"];

/** Packings of a tensor's data by layout; null: asked for once. */
const packings = new WeakMap<DataId, Map<string, TensorInfo | null>>();

/** The texture to pack a tensor into, or that it is packed in already. */
export function textureFor(
  backend: WebGPUBackend,
  source: TensorInfo,
  { layout, count, slot, keep }: Wanted,
): { readonly texture: TensorInfo; readonly written: boolean } {
  const known = packings.get(source.dataId)?.get(layout);
  if (known) return { texture: known, written: true };
  const height = heightFor(count);
  const stays = keep === "always" || (keep === "again" && known === null);
  const texture = stays ? ownTexture(backend, height) : slotTexture(backend, { slot, height });
  if (keep !== "never") {
    const own = packings.get(source.dataId) ?? new Map<string, TensorInfo | null>();
    packings.set(source.dataId, own.set(layout, stays ? texture : null));
  }
  return { texture, written: false };
}

/** Textures of one height. */
interface Height {
  /** Those that the next packing of a slot overwrites. */
  readonly slots: Map<string, TensorInfo>;
  /** Those whose data was disposed. */
  readonly free: TensorInfo[];
  /** When one of these was last asked for, in ms. */
  asked: number;
}

interface Textures {
  readonly heights: Map<number, Height>;
  /** When it was last looked for heights to give up, in ms. */
  swept: number;
}

const all = new WeakMap<WebGPUBackend, Textures>();

function texturesOf(backend: WebGPUBackend): Textures {
  let textures = all.get(backend);
  if (textures !== undefined) return textures;
  const { heights } = textures = { heights: new Map<number, Height>(), swept: performance.now() };
  all.set(backend, textures);
  // Waiting for the garbage collector instead would fill the device: it knows nothing of a texture's size.
  const dispose = backend.disposeData;
  backend.disposeData = (dataId: DataId, force?: boolean) => {
    const disposed = dispose.call(backend, dataId, force);
    if (disposed) {
      for (const texture of packings.get(dataId)?.values() ?? []) {
        // Work that is recorded already may still read it, and comes before the next packing into it.
        if (texture !== null) heights.get(heightOf(texture))?.free.push(texture);
      }
      packings.delete(dataId);
    }
    return disposed;
  };
  return textures;
}

/** The textures of a height, which is asked for now. */
function askFor(backend: WebGPUBackend, height: number): Height {
  const textures = texturesOf(backend);
  const now = performance.now();
  if (now - textures.swept >= SWEEP) {
    textures.swept = now;
    // Not at once: a kernel asks for its operands one after the other, however long it takes to pack one, and the
    // gradients of a convolution share a packed one. All of that is done before a microtask runs.
    queueMicrotask(() => giveUp(backend, { textures, now }));
  }
  let known = textures.heights.get(height);
  if (known === undefined) textures.heights.set(height, known = { slots: new Map(), free: [], asked: now });
  known.asked = now;
  return known;
}

/**
 * Destroys the textures of heights that were not asked for in a while before `now`, as buffer_pool.ts does with
 * buffers. What kernels have in their hands must not be among them.
 */
function giveUp(backend: WebGPUBackend, { textures, now }: { textures: Textures; now: number }): void {
  const old = [...textures.heights.values()].filter(({ asked }) => asked < now - REMEMBERED);
  const given = old.flatMap(({ slots, free }) => [...slots.values(), ...free.splice(0)]);
  if (given.length === 0) return;
  // What is recorded may still use them.
  submitRecorded(backend);
  for (const { slots } of old) slots.clear();
  for (const { dataId } of given) {
    (backend.tensorMap.get(dataId).resource as GPUTexture).destroy();
    backend.tensorMap.delete(dataId);
  }
}

function slotTexture(backend: WebGPUBackend, { slot, height }: { slot: string; height: number }): TensorInfo {
  const { slots } = askFor(backend, height);
  const texture = slots.get(slot) ?? makeTexture(backend, { label: `${slot}_${height}`, height });
  slots.set(slot, texture);
  return texture;
}

function ownTexture(backend: WebGPUBackend, height: number): TensorInfo {
  return askFor(backend, height).free.pop() ?? makeTexture(backend, { label: "packed", height });
}

/**
 * A tensor that is texels and no buffer: for programs that write and read textures, and for nothing else. Its texture
 * serves again once it is disposed, like a packing's.
 *
 * @param shape its last axis is whole groups of four
 */
export function texelTensor(backend: WebGPUBackend, shape: readonly number[]): TensorInfo {
  const texture = ownTexture(backend, heightFor(sizeOf(shape) / 4));
  const info = backend.makeTensorInfo([...shape], "float32");
  const data = backend.tensorMap.get(info.dataId);
  data.resource = backend.tensorMap.get(texture.dataId).resource!;
  // tfjs neither pools nor frees it.
  data.external = true;
  packings.set(info.dataId, new Map([["texels", texture]]));
  return info;
}

/**
 * Rows of a texture for so many texels: a power of two. A network then has a handful of textures. llvmpipe compiles a
 * kernel anew for textures of another height, which takes seconds for a convolution.
 */
function heightFor(count: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(1, count / (1 << ROW_BITS))));
}

function heightOf({ shape }: TensorInfo): number {
  return shape[0]! >> ROW_BITS;
}

/**
 * A texture as a tensor of its size.
 *
 * @param options.usage more than that programs read and write it
 * @throws {GpuError} if the device has no texture of so many rows
 */
export function makeTexture(
  backend: WebGPUBackend,
  { label, height, usage = 0 }: { readonly label: string; readonly height: number; readonly usage?: number },
): TensorInfo {
  const limit = backend.device.limits.maxTextureDimension2D;
  if (height > limit) {
    throw new GpuError(label, [
      `an operand has ${height << ROW_BITS} texels, a texture holds at most ${limit << ROW_BITS}; ` +
      "use a smaller batch or image",
    ]);
  }
  const info = backend.makeTensorInfo([height << ROW_BITS, 4], "float32");
  backend.tensorMap.get(info.dataId).resource = backend.device.createTexture({
    label,
    size: [1 << ROW_BITS, height],
    format: "rgba32float",
    usage: usage | GPUTextureUsage.STORAGE_BINDING,
  });
  return info;
}
