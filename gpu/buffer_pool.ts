/**
 * Which buffer serves next. tfjs takes the one that was given back last, so the same work runs over other buffers each
 * time, and no bind group ever comes twice. This pool takes the oldest free buffer of a size: work that repeats, as a
 * training step does, finds the buffers of the time before, and with them its bind groups (recording.ts). The pool
 * keeps its buffers in a map, where tfjs searches a list for each buffer that is given back.
 *
 * Work whose sizes differ from time to time, such as the part of a photograph under each face, would fill the memory
 * with buffers that nothing fits again, and so would one piece of work after another, such as the stages of a pipeline.
 * So a size that was not asked for in the last seconds is given up, and sooner the shorter the spell of its requests
 * was.
 */

import type { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";

type BufferManager = WebGPUBackend["bufferManager"];

/** A buffer with its place in the order of age, and where it goes when it is free. */
interface Pooled {
  readonly buffer: GPUBuffer;
  readonly age: number;
  readonly bytes: number;
  readonly kind: Kind;
}

/** Buffers of one size and usage. */
interface Kind {
  /** The free ones, the oldest last. */
  readonly free: Pooled[];
  /** When the present spell of requests began, in ms: a pause longer than what is remembered ends a spell. */
  first: number;
  /** When one of these was last asked for, in ms. */
  asked: number;
}

/** Work that repeats, a training step or a batch of faces, comes again in fewer seconds than this. */
export const REMEMBERED = 10_000;
/** How often it is looked for sizes to give up, in ms. */
export const SWEEP = 1_000;
/** A size is remembered for so many times its spell, but for a sweep at least. */
const TRUST = 4;

/** What a backend asks of its buffer manager. */
export type BufferPool = Omit<BufferManager, "device">;

/**
 * A pool of buffers by size and usage.
 *
 * @param options `remembered`: a size that was not asked for in so many ms is given up; `now` is the clock, in ms
 */
export function bufferPool(
  device: GPUDevice,
  { remembered = REMEMBERED, now = () => performance.now() }: { remembered?: number; now?: () => number } = {},
): BufferPool {
  const sweep = Math.min(SWEEP, remembered);
  const kinds = new Map<string, Kind>();
  const used = new Map<GPUBuffer, Pooled>();
  let [made, freeBuffers, usedBytes, allBytes, swept] = [0, 0, 0, 0, now()];
  const take = (pooled: Pooled) => {
    used.set(pooled.buffer, pooled);
    usedBytes += pooled.bytes;
    return pooled.buffer;
  };
  const giveUp = (time: number) => {
    swept = time;
    for (const kind of kinds.values()) {
      const trusted = Math.max(sweep, TRUST * (kind.asked - kind.first));
      if (kind.asked >= time - Math.min(remembered, trusted)) continue;
      for (const { buffer, bytes } of kind.free.splice(0)) {
        buffer.destroy();
        allBytes -= bytes;
        freeBuffers--;
      }
    }
  };
  return {
    acquireBuffer(size, usage, mappedAtCreation = false, reuse = true) {
      const time = now();
      if (time - swept >= sweep) giveUp(time);
      const name = `${size}_${usage}`;
      let kind = kinds.get(name);
      if (kind === undefined) kinds.set(name, kind = { free: [], first: time, asked: time });
      if (kind.asked < time - remembered) kind.first = time;
      kind.asked = time;
      const pooled = reuse ? kind.free.pop() : undefined;
      if (pooled !== undefined) {
        freeBuffers--;
        return take(pooled);
      }
      allBytes += size;
      return take({
        buffer: device.createBuffer({ size, usage, mappedAtCreation }),
        age: made++,
        bytes: size,
        kind,
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
      const { kind: { free }, age } = pooled;
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
      for (const { free } of kinds.values()) for (const { buffer } of free) buffer.destroy();
      for (const buffer of used.keys()) buffer.destroy();
      kinds.clear();
      used.clear();
      [freeBuffers, usedBytes, allBytes] = [0, 0, 0];
    },
  } satisfies BufferPool;
}
