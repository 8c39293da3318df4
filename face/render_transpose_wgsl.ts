/**
 * The shaders behind render_transpose.ts.
 *
 * link    the taps of each texel as a linked list
 * gather  the sum over each list, in the order of the pixels
 */
import { program } from "@ftim/gpu/wgsl";
import { eachChannel, eachPlace } from "./samples_wgsl.ts";

/**
 * Links the taps of each texel of some of the faces, in any order. Tap k has a fixed place, and is called k + 1; `taps`
 * has the name of the texel's next one, or 0, and its weight in bits. The result names each texel's first; 0 before.
 */
export function linkCode(samples: number): string {
  const axes = ["x", "y", "z", "w"];
  return eachPlace(samples, {
    result: "atomic<u32>",
    outputs: [["taps", "vec2<u32>"]],
    before: `let base = (mesh - u.firstMesh) * u.size * u.size;
  var tap = ${4 * samples ** 2} * (pixel - u.firstMesh * u.width * u.height);`,
    one: `let found = bilinear(at);
    ${
      axes.map((axis, k) =>
        `if (found.weights.${axis} > 0.0) {
      let before = atomicExchange(&result[base + found.texels.${axis}], u32(tap + ${k + 1}));
      taps[tap + ${k}] = vec2<u32>(before, bitcast<u32>(share * found.weights.${axis}));
    }`
      ).join(" ")
    }
    tap += 4;`,
  });
}

/**
 * What arrives at the pixels, [B, H, W, C], summed over each texel's taps. They are few, so they are linked here in the
 * order of the pixels, unless `sorted` says that they are already.
 */
export function gatherCode(samples: number, channels: number): string {
  return program({
    result: "vec2<u32>",
    inputs: [["pictures", "f32"]],
    outputs: [["firsts", "u32"], ["textures", "f32"]],
    uniforms: ["count", "firstTexel", "firstPixel", "sorted"],
    body: `
  if (id >= u.count) { return; }
  var first = firsts[id];
  var left = select(first, 0u, u.sorted != 0);
  first = select(0u, first, u.sorted != 0);
  while (left != 0u) {
    let tap = left;
    left = result[tap - 1u].x;
    var next = first;
    if (first == 0u || tap < first) { first = tap; } else {
      var before = first;
      loop {
        next = result[before - 1u].x;
        if (next == 0u || tap < next) { break; }
        before = next;
      }
      result[before - 1u].x = tap;
    }
    result[tap - 1u].x = next;
  }
  firsts[id] = first;
  ${eachChannel(channels, (c) => `var sum${c} = 0.0;`)}
  while (first != 0u) {
    let tap = result[first - 1u];
    let pixel = ${channels}u * (u32(u.firstPixel) + (first - 1u) / ${4 * samples ** 2}u);
    let weight = bitcast<f32>(tap.y);
    ${eachChannel(channels, (c) => `sum${c} += weight * pictures[pixel + ${c}u];`)}
    first = tap.x;
  }
  ${eachChannel(channels, (c) => `textures[${channels} * (u.firstTexel + id) + ${c}] = sum${c};`)}`,
  });
}
