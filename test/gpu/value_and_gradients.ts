/**
 * An op as a test calls it: its result and the gradients of all inputs as numbers. Nothing may leak, and the device
 * must stay well.
 */

import type { Rank, Tensor } from "@tensorflow/tfjs";
import assert from "node:assert/strict";
import { openGpu } from "../../gpu/device.ts";
import { openTfjs } from "../../gpu/tfjs.ts";
import type { Values } from "./arrays.ts";

/** [result, gradient of each input] of `op` for an upstream gradient `dy`. */
export async function valueAndGradients(
  op: (...inputs: Tensor[]) => Tensor,
  { inputs, dy }: { readonly inputs: readonly Values[]; readonly dy: Values },
): Promise<Float32Array[]> {
  const tf = await openTfjs();
  const tensor = ({ data, shape }: Values): Tensor<Rank> => tf.tensor(data, shape);
  const [given, upstream] = [inputs.map(tensor), tensor(dy)];
  const before = tf.memory().numTensors;
  const tensors = [op(...given), ...tf.grads(op)(given, upstream)];
  assert.equal(tf.memory().numTensors, before + tensors.length, "tensors leak");
  const values = await Promise.all(tensors.map((t) => t.data<"float32">()));
  tf.dispose([tensors, given, upstream]);
  await (await openGpu()).assertHealthy("valueAndGradients");
  return values;
}
