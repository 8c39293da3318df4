/**
 * The gradients of tf.maximum(x, c) and tf.minimum(x, c) with one constant, which is how converted networks spell
 * relu6, in one pass.
 *
 * tfjs compares, casts and multiplies: three passes over the image.
 */

import type { GradConfig, Tensor } from "@tensorflow/tfjs";
import { type Tfjs, webgpuBackend } from "../backend.ts";
import { dispatch, program } from "./dispatch.ts";

/** Registers both gradients. Where the other operand is not one value, tfjs's own gradient serves. */
export function registerClipGradients(tf: Tfjs): void {
  for (const [kernelName, comparison] of [["Maximum", ">="], ["Minimum", "<="]] as const) {
    const stock: GradConfig | undefined = tf.getGradient(kernelName);
    if (stock === undefined) continue;
    tf.unregisterGradient(kernelName);
    tf.registerGradient({
      ...stock,
      gradFunc: (upstream, saved, attrs) => {
        const gradients = stock.gradFunc(upstream, saved, attrs);
        const dy = upstream as Tensor;
        const [a, b] = saved;
        const serves = tf.getBackend() === "webgpu" && a?.dtype === "float32" && b?.dtype === "float32" &&
          b.size === 1 && a.size === dy.size;
        if (!serves) return gradients;
        return { ...gradients, a: () => clipGradient(tf, dy, { a, b, kernelName, comparison }) };
      },
    });
  }
}

/** What is differentiated. */
export interface Clip<Operand = Tensor> {
  readonly a: Operand;
  /** One value. */
  readonly b: Operand;
  readonly kernelName: "Maximum" | "Minimum";
  /** The operator of WGSL that holds for `a` and `b` where the gradient passes. */
  readonly comparison: string;
}

function clipGradient(tf: Tfjs, dy: Tensor, { a, b, kernelName, comparison }: Clip): Tensor {
  const vector = a.size % 4 === 0;
  const element = vector ? "vec4<f32>" : "f32";
  const count = vector ? a.size / 4 : a.size;
  const result = dispatch(webgpuBackend(tf), {
    key: `clip_gradient_${kernelName}_${element}`,
    code: () =>
      program({
        result: element,
        inputs: [["dy", element], ["a", element], ["b", "f32"]],
        uniforms: ["count"],
        body: `
  if (id >= u.count) { return; }
  result[id] = select(${element}(), dy[id], a[id] ${comparison} ${element}(b[0]));`,
      }),
    inputs: [dy, a, b],
    shape: a.shape,
    uniforms: [count],
    invocations: count,
  });
  return tf.engine().makeTensorFromTensorInfo(result);
}
