/** Packing as plain loops: the definition of what texels.ts computes. */

import { type Dense, zeros } from "../dense.ts";
import type { Packing } from "./texels.ts";

/**
 * The texels of an array, four floats each: [texels, 4]. Slots and `keep` say where a kernel puts them, and change
 * nothing here.
 */
export function packCpu(source: Dense, packing: Omit<Packing<Dense>, "slot">): Dense<Float64Array> {
  const { outer, outerStride, inner, innerPadded, innerStride, channels, channelStride, through } = packing;
  const groups = Math.ceil(channels / 4);
  const texels = zeros([outer * innerPadded * groups, 4]);
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++) {
      for (let channel = 0; channel < channels; channel++) {
        const from = o * outerStride + i * innerStride + channel * channelStride;
        const slope = through === undefined || through.value.data[from]! > 0 ? 1 : through.slope;
        texels.data[4 * (o * innerPadded + i) * groups + channel] = slope * source.data[from]!;
      }
    }
  }
  return texels;
}
