/**
 * ONNX Runtime Web's WebAssembly kernels on threads of their own, so that a network of half a second does not stop
 * everything else. The runtime's own threads do not start in Deno 2.9 (a worker from a blob is refused): each thread
 * here runs the whole network, several run several inputs at a time.
 *
 * The plain build is a fifth faster than the WebAssembly part of the WebGPU build, and gives the same bits.
 */

import type { OnnxTensor } from "./onnx_tensor.ts";

/** Named tensors. */
export type Tensors = Readonly<Record<string, OnnxTensor>>;

/** An open network. */
export interface Network {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  run(feeds: Tensors): Promise<Tensors>;
}

/** A network on threads. */
export interface ThreadedNetwork extends Network {
  /** Ends the threads; runs that have not ended fail. */
  close(): void;
}

/** What a thread is asked: first to open a network, then to run it. */
export type Request = { readonly model: Uint8Array } | { readonly feeds: Tensors };
/** What it answers, in the order of the requests. */
export type Answer =
  | { readonly opened: Omit<Network, "run">; readonly code: WebAssembly.Module | undefined }
  | { readonly outputs: Tensors }
  | { readonly error: string };

/** Opens a network on this thread. */
export async function openOnThisThread(model: Uint8Array): Promise<Network> {
  const ort = await import("onnxruntime-web/wasm");
  ort.env.logLevel = "error";
  ort.env.wasm.numThreads = 1;
  const session = await ort.InferenceSession.create(model, {
    executionProviders: ["wasm"],
    logSeverityLevel: 3,
    extra: { session: { use_deterministic_compute: "1" } },
  });
  return {
    inputNames: session.inputNames,
    outputNames: session.outputNames,
    async run(feeds) {
      const tensors = Object.entries(feeds).map(([name, { data, dims }]) =>
        [name, new ort.Tensor("float32", data, dims)] as const
      );
      const results = Object.entries(await session.run(Object.fromEntries(tensors)));
      return Object.fromEntries(
        results.map(([name, { data, dims }]) => [name, { data: Float32Array.from(data as ArrayLike<number>), dims }]),
      );
    },
  };
}

/**
 * The runtime's compiled code. V8 gives it to every thread that loads the same bytes for as long as one holds it, with
 * what it has optimised while networks ran. Without this the first network of each stage compiles again, and runs
 * unoptimised at first: 0.6 s of a core.
 */
let compiled: WebAssembly.Module | undefined;

/**
 * Opens a network on a thread; a run for which none is free starts another, up to `most`.
 *
 * @throws {Error} with ONNX Runtime's message if the model cannot be opened
 */
export async function openOnThreads(model: Uint8Array, { most }: { most: number }): Promise<ThreadedNetwork> {
  const first = startThread();
  const threads = [first];
  try {
    const answer = await first.ask({ model });
    if (!("opened" in answer)) throw new TypeError("Cannot open a network: its thread gave no names");
    compiled ??= answer.code;
    return {
      ...answer.opened,
      async run(feeds) {
        let thread = threads.reduce((least, other) => other.load() < least.load() ? other : least);
        if (thread.load() > 0 && threads.length < most) {
          threads.push(thread = startThread());
          // The model was opened before. Should this thread fail to, the run says so.
          thread.ask({ model }).catch(() => {});
        }
        const answer = await thread.ask({ feeds });
        if (!("outputs" in answer)) throw new TypeError("Cannot run a network: its thread gave no outputs");
        return answer.outputs;
      },
      close: () => threads.splice(0).forEach((thread) => thread.close()),
    };
  } catch (error) {
    first.close();
    throw error;
  }
}

interface Thread {
  /** Requests without an answer. */
  load(): number;
  ask(request: Request): Promise<Answer>;
  close(): void;
}

function startThread(): Thread {
  const worker = new Worker(new URL("./onnx_worker.ts", import.meta.url), { type: "module" });
  const asked: PromiseWithResolvers<Answer>[] = [];
  let ended: string | null = null;
  const fail = (message: string) => {
    ended = message;
    for (const { reject } of asked.splice(0)) reject(new Error(message));
  };
  worker.onmessage = ({ data }: MessageEvent<Answer>) => {
    const { resolve, reject } = asked.shift()!;
    if ("error" in data) reject(new Error(data.error));
    else resolve(data);
  };
  worker.onerror = (event) => {
    event.preventDefault();
    fail(event.message);
  };
  return {
    load: () => asked.length,
    ask(request) {
      // A thread that has ended would never answer.
      if (ended !== null) return Promise.reject(new Error(ended));
      const answer = Promise.withResolvers<Answer>();
      asked.push(answer);
      worker.postMessage(request);
      return answer.promise;
    },
    close() {
      worker.terminate();
      fail("the network was closed");
    },
  };
}
