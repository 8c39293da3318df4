/**
 * The same work on tfjs's own kernels. `convolve` and `upsampleConvolve`, each one kernel of ours, become what a user
 * of tfjs writes: doubling by nearest neighbour, conv2d, add, leakyRelu.
 *
 * What has no stock kernel at all (rendering, the inner part of ID-MRF, normalisation, Adam) stays ours, and so does
 * the order in which buffers serve: both flatter stock.
 */

import type { NamedAttrMap, Tensor, Tensor4D } from "@tensorflow/tfjs";
import { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";
import { type ConvAttrs, stockKernels } from "@ftim/gpu/fast-kernels";
import { type Tfjs, webgpuBackend } from "@ftim/gpu/backend";

/** Our composed kernels, and whether they double their input first. */
const COMPOSED = [{ name: "FtimConvolve", doubles: false }, { name: "FtimUpsampleConvolve", doubles: true }];

// What tfjs sets where nobody sets anything.
const STOCK_FLAGS = [["WEBGPU_MATMUL_PROGRAM_TYPE", -1], ["WEBGPU_DEFERRED_SUBMIT_BATCH_SIZE", 15]] as const;

// The member of the backend that its type declares private.
interface Internals {
  recordAndSubmit: unknown;
}

/** A kernel with its gradient. */
interface Composed {
  readonly kernel: ReturnType<Tfjs["getKernel"]>;
  readonly gradient: ReturnType<Tfjs["getGradient"]>;
}

/** Runs work with the stock kernels in the places of ours, and puts ours back. */
export async function withStockKernels<T>(tf: Tfjs, work: () => Promise<T>): Promise<T> {
  const ours = [...stockKernels.keys()].map((name) => tf.getKernel(name, "webgpu"));
  const backend = webgpuBackend(tf);
  const internals = backend as unknown as Internals;
  const { recordAndSubmit } = internals;
  const upload = backend.uploadToGPU;
  const flags = STOCK_FLAGS.map(([name, stock]) => ({ name, stock, ours: tf.env().getNumber(name) }));
  const composed = COMPOSED.filter(({ name }) => tf.getKernel(name, "webgpu") !== undefined).map((kernel) => ({
    ours: { kernel: tf.getKernel(kernel.name, "webgpu"), gradient: tf.getGradient(kernel.name) },
    stock: compose(tf, kernel),
  }));
  const put = (config: typeof ours[number]) => {
    tf.unregisterKernel(config.kernelName, "webgpu");
    tf.registerKernel(config);
  };
  const putBoth = ({ kernel, gradient }: Composed) => {
    put(kernel);
    tf.unregisterGradient(gradient.kernelName);
    tf.registerGradient(gradient);
  };
  for (const config of stockKernels.values()) put(config);
  for (const { name, stock } of flags) tf.env().set(name, stock);
  backend.uploadToGPU = WebGPUBackend.prototype.uploadToGPU;
  internals.recordAndSubmit = (WebGPUBackend.prototype as unknown as Internals).recordAndSubmit;
  for (const { stock } of composed) putBoth(stock);
  try {
    return await work();
  } finally {
    for (const config of ours) put(config);
    for (const { name, ours } of flags) tf.env().set(name, ours);
    backend.uploadToGPU = upload;
    internals.recordAndSubmit = recordAndSubmit;
    for (const { ours } of composed) putBoth(ours);
  }
}

/** leakyRelu(conv2d(x, filter) + bias) and its gradients, out of tfjs's own operations; x doubled first if asked. */
function compose(
  tf: Tfjs,
  { name, doubles }: typeof COMPOSED[number],
): Composed {
  type Attrs = Partial<ConvAttrs> & { readonly slope: number };
  const shared = (attrs: unknown) => {
    const { strides = 1, pad = "same", dilations = 1 } = attrs as Attrs;
    return { strides, pad, dataFormat: "NHWC", dilations } as unknown as NamedAttrMap;
  };
  const doubled = (x: Tensor4D): Tensor4D => {
    const [, height, width] = x.shape;
    return doubles ? tf.image.resizeNearestNeighbor(x, [2 * height, 2 * width]) : x;
  };
  // The four texels that repeat one are added.
  const halved = (dx: Tensor4D): Tensor => doubles ? tf.mul(4, tf.avgPool(dx, 2, 2, "valid")) : dx;
  return {
    kernel: {
      kernelName: name,
      backendName: "webgpu",
      kernelFunc: ({ inputs, attrs }) => {
        const { x, filter, bias } = inputs as unknown as Record<"x" | "filter" | "bias", Tensor4D>;
        const { slope } = attrs as unknown as Attrs;
        return tf.tidy(() => {
          let y: Tensor = tf.engine().runKernel("Conv2D", { x: doubled(x), filter }, shared(attrs));
          if (bias !== undefined) y = tf.add(y, bias);
          return slope === 1 ? y : slope === 0 ? tf.relu(y) : tf.leakyRelu(y, slope);
        });
      },
    },
    gradient: {
      kernelName: name,
      inputsToSave: ["x", "filter"],
      outputsToSave: [true],
      gradFunc: (upstream, [x, filter, y], attrs) => {
        const { slope } = attrs as unknown as Attrs;
        const dy = slope === 1 ? upstream as Tensor : through(tf, upstream as Tensor, { y: y!, slope });
        const input = doubled(x as Tensor4D);
        const run = (kernel: string, inputs: Record<string, Tensor>, extra: object) =>
          tf.engine().runKernel<Tensor4D>(kernel, inputs, { ...shared(attrs), ...extra } as unknown as NamedAttrMap);
        return {
          x: () => halved(run("Conv2DBackpropInput", { dy, filter: filter! }, { inputShape: input.shape })),
          filter: () => run("Conv2DBackpropFilter", { x: input, dy }, { filterShape: filter!.shape }),
          bias: () => tf.sum(dy, [0, 1, 2]),
        };
      },
    },
  };
}

/** As the gradients of tfjs's relu and leakyRelu have it. */
function through(tf: Tfjs, dy: Tensor, { y, slope }: { y: Tensor; slope: number }): Tensor {
  return slope === 0 ? tf.mul(dy, tf.cast(tf.step(y), "float32")) : tf.where(tf.greater(y, 0), dy, tf.mul(dy, slope));
}
