/** Counting semaphores over cores, memory and the one GPU: who runs when. What runs never depends on it. */
import { AbortedError } from "./errors.ts";
import { type Lock, tryPermanentLock } from "./locks.ts";
import type { Resources } from "./contract.ts";

/** Frees what was taken. */
export type Release = () => void;

/** Resources with every question answered. */
export type Request = Omit<Resources, "gpu"> & { readonly gpu?: boolean };

/** Asks what a stage leaves to the machine. */
export async function requestOf({ gpu = false, ...rest }: Resources): Promise<Request> {
  return { ...rest, gpu: typeof gpu === "function" ? await gpu() : gpu };
}

/** Hands out cores, memory and the GPU, first come first served. */
export interface Pool {
  /**
   * Waits for all of it at once; a request larger than the machine gets the whole machine. `onWait` is called where
   * another process has the GPU.
   */
  take(request: Request, onWait?: () => void): Promise<Release>;
}

interface Waiting {
  readonly need: Need;
  readonly start: (release: Release) => void;
}

interface Need {
  readonly cores: number;
  readonly memoryMiB: number;
  readonly gpu: number;
}

/** What a pool hands out. */
export interface PoolOptions {
  readonly cores: number;
  readonly memoryMiB: number;
  /** A file whose lock stands for the one GPU between processes; freed by the kernel however its holder dies. */
  readonly gpuLock: string;
  /** Ends the wait for another process's GPU. */
  readonly signal: AbortSignal;
}

/** How often a process that waits for the GPU asks again, in ms. */
const POLL = 50;

/** Waits for another process to leave the GPU. */
async function lockGpu({ gpuLock, signal }: PoolOptions, onWait: () => void): Promise<Lock> {
  for (let attempt = 0;; attempt++) {
    if (signal.aborted) throw new AbortedError("interrupted");
    const lock = tryPermanentLock(gpuLock, { exclusive: true });
    if (lock !== null) return lock;
    if (attempt === 0) onWait();
    await new Promise((resolve) => setTimeout(resolve, POLL));
  }
}

function once(release: Release): Release {
  let held = true;
  return () => {
    if (held) release();
    held = false;
  };
}

/** A pool of the given size. */
export function openPool(limits: PoolOptions): Pool {
  const total: Need = { cores: Math.max(1, limits.cores), memoryMiB: limits.memoryMiB, gpu: 1 };
  let free = total;
  const queue: Waiting[] = [];

  function fits({ cores, memoryMiB, gpu }: Need): boolean {
    return cores <= free.cores && memoryMiB <= free.memoryMiB && gpu <= free.gpu;
  }
  function change({ cores, memoryMiB, gpu }: Need, sign: 1 | -1): void {
    free = {
      cores: free.cores + sign * cores,
      memoryMiB: free.memoryMiB + sign * memoryMiB,
      gpu: free.gpu + sign * gpu,
    };
  }
  function advance(): void {
    for (let index = 0; index < queue.length;) {
      const waiting = queue[index];
      if (waiting === undefined) break;
      // what waits for the GPU alone must not hold up what needs none
      if (!fits(waiting.need)) {
        if (waiting.need.gpu <= free.gpu) break;
        index++;
        continue;
      }
      queue.splice(index, 1);
      change(waiting.need, -1);
      waiting.start(once(() => {
        change(waiting.need, 1);
        advance();
      }));
    }
  }
  async function withGpu(granted: Promise<Release>, onWait: () => void): Promise<Release> {
    const release = await granted;
    try {
      const lock = await lockGpu(limits, onWait);
      return once(() => {
        lock[Symbol.dispose]();
        release();
      });
    } catch (error) {
      release();
      throw error;
    }
  }
  return {
    take({ cores = 0, memoryMiB = 0, gpu = false }, onWait = () => {}) {
      const need = {
        cores: Math.min(cores, total.cores),
        memoryMiB: Math.min(memoryMiB, total.memoryMiB),
        gpu: gpu ? 1 : 0,
      };
      const granted = new Promise<Release>((start) => {
        queue.push({ need, start });
        advance();
      });
      return gpu ? withGpu(granted, onWait) : granted;
    },
  };
}
