/**
 * The operations of a training step that move or repeat elements, at the sizes of three UV maps of 256², beside stock
 * tfjs.
 */

import type { Rank, Tensor } from "@tensorflow/tfjs";
import { type Lab, rounded, type Row, time } from "./lab.ts";
import { withStockKernels } from "./stock.ts";

/** Milliseconds of each. */
export async function benchLayout(lab: Lab): Promise<Row[]> {
  const { tf } = lab;
  const [maps, others] = [tf.randomUniform([3, 256, 256, 3]), tf.randomUniform([3, 256, 256, 3])];
  const [visibility, chart] = [tf.randomUniform([3, 256, 256, 1]), tf.randomUniform([256, 256, 1])];
  const one = tf.randomUniform<Rank.R4>([1, 256, 256, 3]);
  const works: Record<string, () => Tensor> = {
    "concat, 12 channels of six maps": () => tf.concat([maps, visibility, visibility, maps, others, visibility], 3),
    "concat, three images": () => tf.concat([one, one, one]),
    "multiply, one value a pixel": () => tf.mul(maps, visibility),
    "multiply, one map for all": () => tf.mul(visibility, chart),
    "multiply, 3 channels": () => tf.mul(maps, others),
    "mirror image, 3 channels": () => tf.reverse(maps, 2),
    "mirror image, 1 channel": () => tf.reverse(visibility, 2),
    "pad, one image of three": () => tf.pad(one, [[1, 1], [0, 0], [0, 0], [0, 0]]),
  };
  const measure = async () => {
    const times: Record<string, number> = {};
    for (const [name, work] of Object.entries(works)) times[name] = await time(lab, work);
    return times;
  };
  const [ours, stock] = [await measure(), await withStockKernels(tf, measure)];
  tf.dispose([maps, others, visibility, chart, one]);
  return Object.keys(works).map((name) => ({
    work: name,
    "ours ms": rounded(ours[name]!, 2),
    "stock ms": rounded(stock[name]!, 2),
    speedup: rounded(stock[name]! / ours[name]!, 1),
  }));
}
