/**
 * Which buffer serves next. tfjs takes the one that was given back last, so the same work runs over other buffers each
 * time, and no bind group ever comes twice. This pool takes the oldest free buffer of a size: work that repeats, as a
 * training step does, finds the buffers of the time before, and with them its bind groups (recording.ts). The pool
 * keeps its buffers in a map, where tfjs searches a list for each buffer that is given back.
 */

import type { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";

type BufferManager = WebGPUBackend["bufferManager"];

/** A buffer with its place in the order of age, and where it goes when it is free. */
interface Pooled {
  readonly buffer: GPUBuffer;
  readonly age: number;
  readonly bytes: number;
  /** The free buffers of its kind, the oldest last. */
  readonly free: Pooled[];
}

/** What a backend asks of its buffer manager. */
export type BufferPool = Omit<BufferManager, "device">;

/** A pool of buffers by size and usage. */
export function bufferPool(device: GPUDevice): BufferPool {
  const kinds = new Map<string, Pooled[]>();
  const used = new Map<GPUBuffer, Pooled>();
  let [made, freeBuffers, usedBytes, allBytes] = [0, 0, 0, 0];
  const take = (pooled: Pooled) => {
    used.set(pooled.buffer, pooled);
    usedBytes += pooled.bytes;
    return pooled.buffer;
  };
  return {
    acquireBuffer(size, usage, mappedAtCreation = false, reuse = true) {
      const name = `${size}_${usage}`;
      let free = kinds.get(name);
      if (free === undefined) kinds.set(name, free = []);
      const pooled = reuse ? free.pop() : undefined;
      if (pooled !== undefined) {
        freeBuffers--;
        return take(pooled);
      }
      allBytes += size;
      return take({
        buffer: device.createBuffer({ size, usage, mappedAtCreation }),
        age: made++,
        bytes: size,
        free,
      });
    },
    releaseBuffer(buffer, reuse = true) {
      const pooled = used.get(buffer);
      if (pooled === undefined) throw new TypeError("Cannot take back a buffer that this pool did not give");
      used.delete(buffer);
      usedBytes -= pooled.bytes;
      if (!reuse) {
        buffer.destroy();
        allBytes -= pooled.bytes;
        return;
      }
      freeBuffers++;
      const { free, age } = pooled;
      let place = free.length;
      while (place > 0 && free[place - 1]!.age < age) place--;
      free.splice(place, 0, pooled);
    },
    getNumUsedBuffers: () => used.size,
    getNumFreeBuffers: () => freeBuffers,
    get numBytesUsed() {
      return usedBytes;
    },
    get numBytesAllocated() {
      return allBytes;
    },
    dispose() {
      for (const free of kinds.values()) for (const { buffer } of free) buffer.destroy();
      for (const buffer of used.keys()) buffer.destroy();
      kinds.clear();
      used.clear();
      [freeBuffers, usedBytes, allBytes] = [0, 0, 0];
    },
  } satisfies BufferPool;
}
