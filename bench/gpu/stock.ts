// The same work on tfjs's own kernels. `convolve`, which is one kernel of ours, becomes what a user of tfjs writes: conv2d, add, leakyRelu.
//
// What has no stock kernel at all (rendering, the inner part of ID-MRF, doubling and joining maps, Adam) stays ours, which flatters stock.

import type { NamedAttrMap, Tensor, Tensor4D } from "@tensorflow/tfjs";
import { stockKernels } from "../../gpu/kernels/replace.ts";
import type { ConvAttrs } from "../../gpu/conv/register.ts";
import type { Tfjs } from "../../gpu/tfjs.ts";

const CONVOLVE = "FtimConvolve";

/** Runs work with the stock kernels in the places of ours, and puts ours back. */
export async function withStockKernels<T>(tf: Tfjs, work: () => Promise<T>): Promise<T> {
  const ours = [...stockKernels.keys()].map((name) => tf.getKernel(name, "webgpu"));
  const matMul = tf.env().getNumber("WEBGPU_MATMUL_PROGRAM_TYPE");
  const convolve = { kernel: tf.getKernel(CONVOLVE, "webgpu"), gradient: tf.getGradient(CONVOLVE) };
  const put = (config: typeof ours[number]) => {
    tf.unregisterKernel(config.kernelName, "webgpu");
    tf.registerKernel(config);
  };
  for (const config of stockKernels.values()) put(config);
  tf.env().set("WEBGPU_MATMUL_PROGRAM_TYPE", -1);
  if (convolve.kernel !== undefined) composeConvolve(tf, put);
  try {
    return await work();
  } finally {
    for (const config of ours) put(config);
    tf.env().set("WEBGPU_MATMUL_PROGRAM_TYPE", matMul);
    if (convolve.kernel !== undefined) {
      put(convolve.kernel);
      tf.unregisterGradient(CONVOLVE);
      tf.registerGradient(convolve.gradient);
    }
  }
}

/** leakyRelu(conv2d(x, filter) + bias) and its gradients, out of tfjs's own operations. */
function composeConvolve(tf: Tfjs, put: (config: ReturnType<Tfjs["getKernel"]>) => void): void {
  type Attrs = ConvAttrs & { readonly slope: number };
  const shared = (attrs: unknown) => {
    const { strides, pad, dilations } = attrs as Attrs;
    return { strides, pad, dataFormat: "NHWC", dilations } as unknown as NamedAttrMap;
  };
  put({
    kernelName: CONVOLVE,
    backendName: "webgpu",
    kernelFunc: ({ inputs, attrs }) => {
      const { x, filter, bias } = inputs as unknown as Record<"x" | "filter" | "bias", Tensor4D>;
      const { slope } = attrs as unknown as Attrs;
      return tf.tidy(() => {
        let y: Tensor = tf.engine().runKernel("Conv2D", { x, filter }, shared(attrs));
        if (bias !== undefined) y = tf.add(y, bias);
        return slope === 1 ? y : slope === 0 ? tf.relu(y) : tf.leakyRelu(y, slope);
      });
    },
  });
  tf.unregisterGradient(CONVOLVE);
  tf.registerGradient({
    kernelName: CONVOLVE,
    inputsToSave: ["x", "filter"],
    outputsToSave: [true],
    gradFunc: (upstream, [x, filter, y], attrs) => {
      const { slope } = attrs as unknown as Attrs;
      const dy = slope === 1 ? upstream as Tensor : through(tf, upstream as Tensor, { y: y!, slope });
      const run = (kernel: string, inputs: Record<string, Tensor>, extra: object) =>
        tf.engine().runKernel<Tensor>(kernel, inputs, { ...shared(attrs), ...extra } as unknown as NamedAttrMap);
      return {
        x: () => run("Conv2DBackpropInput", { dy, filter: filter! }, { inputShape: x!.shape }),
        filter: () => run("Conv2DBackpropFilter", { x: x!, dy }, { filterShape: filter!.shape }),
        bias: () => tf.sum(dy, [0, 1, 2]),
      };
    },
  });
}

/** As the gradients of tfjs's relu and leakyRelu have it. */
function through(tf: Tfjs, dy: Tensor, { y, slope }: { y: Tensor; slope: number }): Tensor {
  return slope === 0 ? tf.mul(dy, tf.cast(tf.step(y), "float32")) : tf.where(tf.greater(y, 0), dy, tf.mul(dy, slope));
}
