/**
 * ONNX Runtime Web 1.30 on our device, or, where that device is the CPU in disguise, on the CPU itself.
 *
 * On a software adapter the runtime's WebAssembly kernels are 8 (a detector of 320×240) to 30 times (a ResNet-50) as
 * fast as its WebGPU kernels, and agree with them to 3e-6. There they run on threads beside the device's
 * (onnx_threads.ts).
 *
 * The device goes in through the execution provider's own option: in 1.30 the setter `env.webgpu.device` is ignored,
 * and later versions deprecate the option. That is why the version is pinned and why this file is the only one that
 * knows.
 */

import type { InferenceSession } from "onnxruntime-web/webgpu";
import { type Gpu, openGpu } from "./device.ts";
import { environmentVariable } from "./environment_variable.ts";
import { type Network, openOnThreads } from "./onnx_threads.ts";
import type { Feeds, OnnxTensor } from "./onnx_tensor.ts";

export type { DeviceTensor, Feeds, OnnxTensor } from "./onnx_tensor.ts";

/** A network that is ready to run. */
export interface OnnxSession {
  /** Where it runs; on the GPU it also takes tensors that are there already. */
  readonly place: "gpu" | "cpu";
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  /**
   * Runs the network once.
   *
   * @param feeds one tensor for each input name
   * @returns one tensor for each output name
   * @throws {TypeError} if an input is missing, does not fit its dims, or is in a buffer while the network runs on the
   *   CPU
   * @throws {GpuError} if the GPU work went wrong
   */
  run(feeds: Feeds): Promise<Readonly<Record<string, OnnxTensor>>>;
  /** Frees the network's memory. */
  release(): Promise<void>;
}

/** Options of `openSession`. */
export interface OpenSessionOptions {
  /** Names the network in errors. Default "onnx model". */
  readonly name?: string;
  /** Where it runs. Default: on the shared device, unless that is a software adapter. */
  readonly on?: "gpu" | "cpu";
}

type OrtTensor = import("onnxruntime-web/webgpu").Tensor;
/** The runtime has a declaration of WebGPU of its own. */
type OrtBuffer = Parameters<typeof import("onnxruntime-web/webgpu").Tensor.fromGpuBuffer>[0];

/** A network in its place; one on threads is never given a tensor of the device. */
interface PlacedNetwork extends Omit<Network, "run"> {
  run(feeds: Feeds): ReturnType<Network["run"]>;
  close(): void | Promise<void>;
}

/** Most threads of a network on the CPU: each holds a copy of it. */
const MOST_THREADS = 4;

/**
 * Whether networks run on the GPU where nothing else is asked for. The environment variable `FTIM_ONNX`, "webgpu" or
 * "cpu", decides it whatever the adapter.
 *
 * @throws {RangeError} if `FTIM_ONNX` is anything else
 */
export async function runsOnGpu(): Promise<boolean> {
  const asked = environmentVariable("FTIM_ONNX");
  if (asked === "webgpu" || asked === "cpu") return asked === "webgpu";
  if (asked !== undefined) throw new RangeError(`FTIM_ONNX is "${asked}"; it can be "webgpu" or "cpu"`);
  return !(await openGpu()).info.software;
}

/**
 * Opens a network with deterministic kernels.
 *
 * @param model the bytes of an `.onnx` file
 */
export async function openSession(
  model: Uint8Array,
  { name = "onnx model", on }: OpenSessionOptions = {},
): Promise<OnnxSession> {
  const place = on ?? (await runsOnGpu() ? "gpu" : "cpu");
  const { close, ...network }: PlacedNetwork = place === "cpu"
    ? await openOnThreads(model, { most: Math.min(MOST_THREADS, navigator.hardwareConcurrency) })
    : await openOnGpu(model, name);
  return {
    place,
    inputNames: network.inputNames,
    outputNames: network.outputNames,
    async run(feeds) {
      for (const input of network.inputNames) {
        const feed = feeds[input];
        if (feed === undefined) throw new TypeError(`Cannot run ${name}: input "${input}" is missing`);
        if (place === "cpu" && "buffer" in feed) {
          throw new TypeError(`Cannot run ${name}: input "${input}" is on the GPU, the network on the CPU`);
        }
        const size = feed.dims.reduce((product, dim) => product * dim, 1);
        const values = "buffer" in feed ? feed.buffer.size / 4 : feed.data.length;
        // The runtime's kernels read a buffer four values at a time.
        const needed = "buffer" in feed ? 4 * Math.ceil(size / 4) : size;
        if (values < needed || ("data" in feed && values > size)) {
          throw new TypeError(`Cannot run ${name}: input "${input}" has ${values} values for dims [${feed.dims}]`);
        }
      }
      const given = Object.fromEntries(network.inputNames.map((input) => [input, feeds[input]!]));
      const outputs = await network.run(given);
      const missing = network.outputNames.find((output) => outputs[output] === undefined);
      if (missing !== undefined) throw new TypeError(`Cannot run ${name}: output "${missing}" is missing`);
      return outputs;
    },
    release: async () => await close(),
  };
}

let turn: Promise<unknown> = Promise.resolve();

/**
 * Runs work of the runtime when what was asked before it is done. While a network waits for the GPU its WebAssembly is
 * suspended halfway (Asyncify), and all sessions share that: a second call then waits for ever.
 */
function inTurn<T>(work: () => Promise<T>): Promise<T> {
  const result = turn.then(work);
  turn = result.catch(() => {});
  return result;
}

async function openOnGpu(model: Uint8Array, name: string): Promise<PlacedNetwork> {
  const gpu = await openGpu();
  const ort = await import("onnxruntime-web/webgpu");
  ort.env.logLevel = "error";
  ort.env.wasm.numThreads = 1;
  const options: InferenceSession.SessionOptions = {
    executionProviders: [{ name: "webgpu", device: gpu.device } as InferenceSession.ExecutionProviderConfig],
    // Else the runtime waits for each output in turn, 10 ms apiece in Deno, and nobody else can run a network
    // meanwhile.
    preferredOutputLocation: "gpu-buffer",
    logSeverityLevel: 3,
    extra: { session: { use_deterministic_compute: "1" } },
  };
  // Where its WebAssembly starts, the runtime puts node:worker_threads in the place of the web's workers, for the whole
  // process.
  const { Worker } = globalThis;
  const session = await inTurn(() =>
    ort.InferenceSession.create(model, options).finally(() => globalThis.Worker = Worker)
  );
  const run = async (feeds: Feeds) => {
    const tensors = Object.fromEntries(
      Object.entries(feeds).map(([input, feed]) => [
        input,
        "buffer" in feed
          ? ort.Tensor.fromGpuBuffer(feed.buffer as OrtBuffer, { dataType: "float32", dims: feed.dims })
          : new ort.Tensor("float32", feed.data, feed.dims),
      ]),
    );
    const { outputs } = await inTurn(async () => {
      const results = await session.run(tensors);
      const outputs = readOutputs(gpu, Object.entries(results));
      for (const tensor of [...Object.values(tensors), ...Object.values(results)]) tensor.dispose();
      // Nobody waits in turn for the copies, which are on their way.
      return { outputs };
    });
    const [read] = await Promise.all([outputs, gpu.assertHealthy(name)]);
    return read;
  };
  return {
    inputNames: session.inputNames,
    outputNames: session.outputNames,
    run,
    close: () => inTurn(() => session.release()),
  };
}

/**
 * Copies outputs out of their buffers, all in one go; the buffers may be given back at once, and the session with them.
 * (The runtime's own `getData` gives them back when it has read, and crashes if the session is gone by then.)
 */
async function readOutputs(
  { device }: Gpu,
  results: readonly (readonly [name: string, tensor: OrtTensor])[],
): Promise<Record<string, OnnxTensor>> {
  const wrong = results.find(([, { type }]) => type !== "float32");
  if (wrong !== undefined) throw new TypeError(`Cannot read output "${wrong[0]}": it is ${wrong[1].type}, not float32`);
  const starts: number[] = [];
  let bytes = 0;
  for (const [, { size }] of results) {
    starts.push(bytes);
    bytes += 4 * size;
  }
  const usage = GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST;
  const answer = device.createBuffer({ size: Math.max(4, bytes), usage });
  try {
    const encoder = device.createCommandEncoder();
    for (const [i, [, { size, gpuBuffer }]] of results.entries()) {
      if (size > 0) encoder.copyBufferToBuffer(gpuBuffer as unknown as GPUBuffer, 0, answer, starts[i]!, 4 * size);
    }
    device.queue.submit([encoder.finish()]);
    await answer.mapAsync(GPUMapMode.READ);
    const all = new Float32Array(answer.getMappedRange());
    const outputs: Record<string, OnnxTensor> = {};
    for (const [i, [name, { dims, size }]] of results.entries()) {
      const start = starts[i]! / 4;
      outputs[name] = { data: all.slice(start, start + size), dims };
    }
    return outputs;
  } finally {
    answer.destroy();
  }
}
