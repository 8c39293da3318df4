/** Reading between the texels of maps and the pixels of pictures by cubic convolution, in WGSL. */

/**
 * WGSL of `cubic(part)`, the weights of the texels −1, 0, 1 and 2 for a place that lies by `part` of a texel behind
 * texel 0: the kernel with a = −1/2, which keeps straight lines and parabolas (Keys 1981, "Cubic convolution
 * interpolation for digital image processing").
 */
export const CUBIC = /* wgsl */ `
fn cubic(part : f32) -> vec4<f32> {
  let square = part * part;
  let cube = square * part;
  return vec4<f32>(
    -0.5 * cube + square - 0.5 * part, 1.5 * cube - 2.5 * square + 1.0,
    -1.5 * cube + 2.0 * square + 0.5 * part, 0.5 * cube - 0.5 * square);
}
`;

/**
 * WGSL of a function that reads a map at a place in texels, whose centres are at +0.5; beyond the border the border
 * repeats.
 *
 * @param name of the function: `name(place : vec2<f32>, size : vec2<i32>, base : i32) -> type`
 * @param options.type what a texel is; `at(i)` WGSL of texel i, counted from the beginning of all maps
 */
export function cubicRead(
  name: string,
  { type, at }: { readonly type: "vec3<f32>" | "vec4<f32>"; readonly at: (texel: string) => string },
): string {
  return /* wgsl */ `
fn ${name}(place : vec2<f32>, size : vec2<i32>, base : i32) -> ${type} {
  let start = place - 0.5;
  let low = floor(start);
  let across = cubic(start.x - low.x);
  let down = cubic(start.y - low.y);
  let first = vec2<i32>(low) - 1;
  var sum = ${type}();
  for (var j = 0; j < 4; j++) {
    let row = base + clamp(first.y + j, 0, size.y - 1) * size.x;
    var line = ${type}();
    for (var i = 0; i < 4; i++) {
      let texel = row + clamp(first.x + i, 0, size.x - 1);
      line += across[i] * ${at("texel")};
    }
    sum += down[j] * line;
  }
  return sum;
}
`;
}
