/**
 * How the programs of a convolution read inputs, weights and biases and write results, four channels at a time: from
 * buffers, whose rows of channels may end in the middle of a group, and from and into texels, which are whole groups.
 */

import { fetchTexel, storeTexel } from "../kernels/texels.ts";

/** WGSL of `loadInput(pixel, first channel, inside)`. */
export function loadInput({ inputVec4 }: { readonly inputVec4: boolean }): string {
  return `fn loadInput(pixel : i32, c : i32, inside : bool) -> vec4<f32> {
  ${
    inputVec4
      ? "return select(vec4<f32>(), x[(pixel * u.inChannels + c) >> 2u], inside);"
      : `let i = pixel * u.inChannels + c;
  let left = u.inChannels - c;
  let there = vec4<bool>(inside, inside && left > 1, inside && left > 2, inside && left > 3);
  return select(vec4<f32>(), vec4<f32>(x[i], x[i + 1], x[i + 2], x[i + 3]), there);`
  }
}`;
}

/** WGSL of `loadWeight(row, group of four channels)`. */
export function loadWeight({ outputVec4 }: { readonly outputVec4: boolean }): string {
  return `fn loadWeight(row : i32, channel : i32) -> vec4<f32> {
  ${
    outputVec4
      ? "return w[row * (u.outChannels >> 2u) + channel];"
      : "let i = row * u.outChannels + channel * 4; return vec4<f32>(w[i], w[i + 1], w[i + 2], w[i + 3]);"
  }
}`;
}

const LOAD_BIAS = `fn loadBias(channel : i32) -> vec4<f32> {
  if (u.hasBias == 0) { return vec4<f32>(); }
  let c = channel * 4;
  return vec4<f32>(bias[c], bias[c + 1], bias[c + 2], bias[c + 3]);
}`;

/** WGSL of `loadBias` and `store` as below, for a result of texels, and of `loadMore(pixel, group)` for `plus`. */
export function storeTexels({ plus }: { readonly plus: boolean }): string {
  const place = "let i = pixel * u.outGroups + channel;";
  return `${LOAD_BIAS}
fn store(pixel : i32, channel : i32, v : vec4<f32>) { ${place} ${storeTexel("i", "v")} }
${plus ? `fn loadMore(pixel : i32, channel : i32) -> vec4<f32> { ${place} return ${fetchTexel("more", "i")}; }` : ""}`;
}

/** WGSL of `loadBias(group of four channels)` and `store(pixel, group of four channels, value)`. */
export function store({ outputVec4 }: { readonly outputVec4: boolean }): string {
  return `${LOAD_BIAS}
fn store(pixel : i32, channel : i32, v : vec4<f32>) {
  ${
    outputVec4 ? "result[pixel * u.outGroups + channel] = v;" : `let c = channel * 4;
  let i = pixel * u.outChannels + c;
  ${[0, 1, 2, 3].map((k) => `if (c + ${k} < u.outChannels) { result[i + ${k}] = v[${k}]; }`).join("\n  ")}`
  }
}`;
}
