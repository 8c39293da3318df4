/** The convolution of a map with what is added to it, by its definition in convolve_cpu.ts. */

import { activateCpu } from "../conv/activation_cpu.ts";
import type { Dense } from "../dense.ts";
import { convolveCpu } from "./convolve_cpu.ts";
import type { ConvolveMapOptions } from "./feature_map.ts";

/** leakyRelu(conv2d(x, filter) + bias + plus). Shapes as in `convolveMap`. */
export function convolveMapCpu(x: Dense, options: ConvolveMapOptions<Dense, Dense, Dense>): Dense<Float64Array> {
  const { plus, slope: alpha = 1, ...rest } = options;
  const { shape, data } = convolveCpu(x, { ...rest, slope: 1 });
  const sum = (value: number, i: number) => value + (plus?.data[i] ?? 0);
  return { shape, data: data.map((value, i) => activateCpu(sum(value, i), { activation: "leakyrelu", alpha })) };
}
