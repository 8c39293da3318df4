/**
 * One WebGPU device for the whole process. TensorFlow.js, ONNX Runtime and our own WGSL all run on it, so buffers pass
 * between them without a copy.
 *
 * A broken shader does not throw in WebGPU: the error event fires and the output stays zero. So the error listener is
 * there from the first line after the device exists, and whoever finishes a piece of work asks `assertHealthy("name of
 * the work")`, which turns a recorded error into an exception.
 */

import { environmentVariable } from "./environment_variable.ts";
import { setLlvmpipeThreads } from "./llvmpipe_threads.ts";

/** What is known about the adapter. It goes into the run record. */
export interface GpuInfo {
  readonly vendor: string;
  readonly architecture: string;
  readonly device: string;
  /** For example "llvmpipe (LLVM 15.0.6, 256 bits)". */
  readonly description: string;
  /** True for a software adapter (llvmpipe, SwiftShader): its kernels want register tiles and no workgroup memory. */
  readonly software: boolean;
  /** Optional features that the device was given. */
  readonly features: readonly string[];
}

/** The one device and its health. */
export interface Gpu {
  readonly device: GPUDevice;
  readonly adapterInfo: GPUAdapterInfo;
  readonly info: GpuInfo;
  /** The limits of the device, raised to what the adapter has. Bytes and counts, as WebGPU names them. */
  readonly limits: Readonly<Record<string, number>>;
  /**
   * Throws if any GPU work since the last call went wrong. tfjs submits late: read a result, or wait for one, before
   * asking.
   *
   * @param where the stage or operation that has just finished; it names the error
   * @throws {GpuError} with every recorded message, if there is one or if the device was lost
   */
  assertHealthy(where: string): Promise<void>;
}

/** Work on the GPU failed: a shader did not compile, a call was invalid, memory ran out, or the device was lost. */
export class GpuError extends Error {
  override readonly name = "GpuError";
  /** The work during which it was noticed. */
  readonly where: string;
  /** Every recorded message, oldest first. */
  readonly messages: readonly string[];

  constructor(where: string, messages: readonly string[]) {
    super(`GPU work failed in ${where}: ${messages.join(" | ")}`);
    this.where = where;
    this.messages = messages;
  }
}

const WANTED_FEATURES: readonly GPUFeatureName[] = ["shader-f16", "timestamp-query", "float32-filterable"];

const RAISED_LIMITS = [
  "maxBindGroups",
  "maxBindingsPerBindGroup",
  "maxBufferSize",
  "maxComputeInvocationsPerWorkgroup",
  "maxComputeWorkgroupSizeX",
  "maxComputeWorkgroupSizeY",
  "maxComputeWorkgroupSizeZ",
  "maxComputeWorkgroupStorageSize",
  "maxComputeWorkgroupsPerDimension",
  "maxStorageBufferBindingSize",
  "maxStorageBuffersPerShaderStage",
  "maxTextureDimension2D",
  "maxUniformBufferBindingSize",
] as const;

// At most this many messages are kept: one broken shader can fail in every dispatch of a long run.
const MAX_MESSAGES = 20;

let shared: Promise<Gpu> | undefined;
const softwareDevices = new WeakSet<GPUDevice>();

/** Whether a device that `openGpu` made runs on the CPU. See `GpuInfo.software`. */
export function isSoftware(device: GPUDevice): boolean {
  return softwareDevices.has(device);
}

/**
 * Opens the process's one GPU device. Every call gives the same device.
 *
 * @throws {GpuError} if there is no WebGPU or no adapter; the message says what to install
 *
 * @example
 * ```ts
 * import { openGpu } from "@ftim/gpu/device";
 *
 * const gpu = await openGpu();
 * gpu.device.createBuffer({ size: 16, usage: GPUBufferUsage.STORAGE });
 * await gpu.assertHealthy("example");
 * ```
 */
export function openGpu(): Promise<Gpu> {
  shared ??= requestGpu().catch((error) => {
    shared = undefined;
    throw error;
  });
  return shared;
}

const ADAPTER_VARIABLE = "FTIM_ADAPTER";

/**
 * What the environment says of the adapter: `FTIM_ADAPTER=gpu` has everything computed as on a GPU, so that a machine
 * without one can test it.
 */
function saidToBeSoftware(): boolean | undefined {
  const kind = environmentVariable(ADAPTER_VARIABLE);
  if (kind !== undefined && kind !== "gpu" && kind !== "software") {
    throw new GpuError("openGpu", [`${ADAPTER_VARIABLE} is "${kind}"; it can be "gpu" or "software"`]);
  }
  return kind === undefined ? undefined : kind === "software";
}

async function requestGpu(): Promise<Gpu> {
  const gpu = (globalThis.navigator as Navigator | undefined)?.gpu;
  if (gpu === undefined) {
    throw new GpuError("openGpu", [
      "this runtime has no navigator.gpu; use Deno 2.9 or newer, or a browser with WebGPU",
    ]);
  }
  setLlvmpipeThreads();
  const adapter = await gpu.requestAdapter({ powerPreference: "high-performance" }) ?? await gpu.requestAdapter();
  if (adapter === null) {
    throw new GpuError("openGpu", [
      "no WebGPU adapter was found; install the GPU's Vulkan driver, or a software one: " +
      "apt-get install mesa-vulkan-drivers (Debian, Ubuntu), dnf install mesa-vulkan-drivers (Fedora)",
    ]);
  }
  const requiredFeatures = WANTED_FEATURES.filter((name) => adapter.features.has(name));
  const requiredLimits = Object.fromEntries(RAISED_LIMITS.map((name) => [name, adapter.limits[name]]));
  const device = await adapter.requestDevice({ requiredFeatures, requiredLimits, label: "ftim" });

  const messages: string[] = [];
  // Whoever asks while an error arrives is told of it: it may be anyone's.
  const asking = new Set<string[]>();
  let lost: string | undefined;
  device.addEventListener("uncapturederror", (event) => {
    event.preventDefault();
    const message = (event as GPUUncapturedErrorEvent).error.message;
    if (messages.length < MAX_MESSAGES) messages.push(message);
  });
  device.lost.then((info) => lost = `the device was lost (${info.reason}): ${info.message}`, () => {});

  const { vendor, architecture, device: deviceName, description } = adapter.info;
  const software = saidToBeSoftware() ??
    (adapter.info.isFallbackAdapter || /llvmpipe|swiftshader|lavapipe/i.test(description));
  if (software) softwareDevices.add(device);
  return {
    device,
    adapterInfo: adapter.info,
    info: { vendor, architecture, device: deviceName, description, software, features: requiredFeatures },
    limits: requiredLimits,
    async assertHealthy(where) {
      // Errors arrive as events, in a later turn of the event loop than the call that made them. Deno and browsers
      // order them differently against an error scope's answer, so wait for the queue and then for one more turn.
      const told: string[] = [];
      asking.add(told);
      try {
        await device.queue.onSubmittedWorkDone();
        await new Promise((resolve) => setTimeout(resolve, 0));
      } finally {
        asking.delete(told);
      }
      const news = messages.splice(0);
      for (const other of asking) other.push(...news);
      const found = [...told, ...news, ...lost === undefined ? [] : [lost]];
      if (found.length > 0) throw new GpuError(where, found);
    },
  };
}
