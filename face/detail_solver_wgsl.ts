/**
 * The shaders of the conjugate gradients behind fit_details.ts: two passes an iteration. Steps and norms stay on the
 * device: each invocation adds up the partial sums of the pass before, so that nothing is read back and no pass is
 * spent on a sum.
 *
 * One invocation walks down a strip of some elements of four texels. It keeps three rows of the strip, so that a value
 * is read once or twice, where the stencil of a squared Laplacian reads thirteen: on a software adapter reads are what
 * costs.
 *
 * A face's state is (squared norm of the residual, norm at which it is small enough, last step, 1 while it goes on).
 */
import { program } from "@ftim/gpu/wgsl";

/** Partial sums of a face that an invocation adds up itself; where there are more, a pass of its own folds them. */
export const MOST_PARTS = 256;

/** How a map is cut into strips. */
export interface Strips {
  /** Elements of four texels in a row of a strip. */
  readonly strip: number;
  /** Whether the last strip is as wide as the others, which saves asking for each element. */
  readonly whole: boolean;
}

/** What stands before the block of an element q that the last strip may lack. */
const guard = (whole: boolean) => (q: number) => whole ? "" : `if (column + ${q} < u.width)`;

/** Uniforms of both passes; `at` has the place of an invocation in the face. */
const UNIFORMS = ["total", "size", "width", "strips", "height", "parts", "sums", "first"];

/** What an invocation is, and the sum of its face's partial sums: `face`, `column` in elements, `top` row, `sum`. */
const HEAD = (strip: number) => `
  if (id >= u.total) { return; }
  let face = id / u.parts;
  let part = id % u.parts;
  let column = part % u.strips * ${strip};
  let top = part / u.strips * u.height;
  let bottom = min(top + u.height, u.size);
  var sum4 = vec4<f32>();
  var left = face * u.sums;
  for (; left + 4 <= (face + 1) * u.sums; left += 4) {
    sum4 += vec4<f32>(partial[left], partial[left + 1], partial[left + 2], partial[left + 3]);
  }
  for (; left < (face + 1) * u.sums; left++) { sum4.x += partial[left]; }
  let sum = (sum4.x + sum4.y) + (sum4.z + sum4.w);`;

/**
 * The next direction, r + turn · direction, and its image under GᵀWG + smoothness·ΔᵀΔ + damping; the last step of the
 * solution is taken by the way. The result is a partial sum of direction · image.
 *
 * @param strips elements of four texels in a row of a strip, and whether all strips are whole
 */
export function imageCode({ strip, whole }: Strips): string {
  const within = guard(whole);
  const own = [...Array(strip).keys()];
  const all = [...Array(strip + 2).keys()];
  const each = (line: (q: number) => string, over = own) => over.map(line).join("\n    ");
  // Elements of a row are numbered from the one left of the strip: d0, then d1 to d<strip>, then the one right of it.
  const toLeft = (name: string, q: number) => `vec4<f32>(${name}${q - 1}.w, ${name}${q}.xyz)`;
  const toRight = (name: string, q: number) => `vec4<f32>(${name}${q}.yzw, ${name}${q + 1}.x)`;
  return program({
    result: "f32",
    inputs: [
      ["residual", "vec4<f32>"],
      ["before", "vec4<f32>"],
      ["slopes", "vec4<f32>"],
      ["slopesDown", "vec4<f32>"],
      ["states", "vec4<f32>"],
      ["partial", "f32"],
    ],
    outputs: [
      ["direction", "vec4<f32>"],
      ["image", "vec4<f32>"],
      ["solution", "vec4<f32>"],
      ["nextStates", "vec4<f32>"],
    ],
    uniforms: [...UNIFORMS, "smoothness:f32", "damping:f32"],
    functions: `
/** The first element of a row; above and below the map lies its border. */
fn rowAt(face : i32, row : i32) -> i32 { return (face * u.size + clamp(row, 0, u.size - 1)) * u.width; }
fn mask(condition : vec4<bool>) -> vec4<f32> { return select(vec4<f32>(), vec4<f32>(1.0), condition); }`,
    body: `${HEAD(strip)}
  let state = states[face];
  let enough = select(state.y, 1e-10 * sum, u.first != 0);
  let going = sum > enough;
  let turn = select(0.0, sum / state.x, going && u.first == 0);
  if (part == 0) { nextStates[face] = vec4<f32>(sum, enough, 0.0, select(0.0, 1.0, going)); }
  ${all.map((q) => `let column${q} = clamp(column + ${q - 1}, 0, u.width - 1);`).join(" ")}
  let texel = vec4<i32>(4 * column) + vec4<i32>(0, 1, 2, 3);
  ${
      own.map((q) => `
  let inside${q + 1} = mask(texel + ${4 * q} < vec4<i32>(u.size));
  let leftOf${q + 1} = mask((texel + ${4 * q} > vec4<i32>()) & (texel + ${4 * q} < vec4<i32>(u.size)));
  let rightOf${q + 1} = mask(texel + ${4 * q + 1} < vec4<i32>(u.size));`).join("")
    }
  let beyondLeft = select(0.0, 1.0, 4 * column - 2 >= 0);
  let hasLeft = select(0.0, 1.0, column > 0);
  let beyondRight = select(0.0, 1.0, 4 * (column + ${strip}) + 1 < u.size);
  // Rows a, d and b: the one that is finished next, its next, and the one that is read; o, c and n: their Laplacians.
  ${
      all.map((q) => `
  var a${q} = vec4<f32>();
  var d${q} = vec4<f32>();`).join("")
    }
  ${
      own.map((q) => `
  var o${q + 1} = vec4<f32>();
  var c${q + 1} = vec4<f32>();
  var above${q + 1} = vec4<f32>();`).join("")
    }
  var cLeft = 0.0;
  var cRight = 0.0;
  var dot4 = vec4<f32>();
  for (var row = top - 4; row < bottom; row++) {
    let read = row + 2;
    let reading = rowAt(face, read);
    ${
      each((q) => `
    let cell${q} = reading + column${q};
    let old${q} = before[cell${q}];
    let b${q} = fma(vec4<f32>(turn), old${q}, residual[cell${q}]);`, all)
    }
    if (read >= top && read < bottom) {
      ${
      each((q) =>
        `${within(q)} { solution[cell${q + 1}] = fma(vec4<f32>(state.z), old${q + 1}, solution[cell${q + 1}]); }`
      )
    }
    }
    // The Laplacian of the row before the one that is read.
    let up = select(0.0, 1.0, row + 1 > 0);
    let down = select(0.0, 1.0, row + 2 < u.size);
    ${
      each((q) => `
    let n${q + 1} = rightOf${q + 1} * (${toRight("d", q + 1)} - d${q + 1}) + leftOf${q + 1} * (${
        toLeft("d", q + 1)
      } - d${q + 1}) + down * (b${q + 1} - d${q + 1}) + up * (a${q + 1} - d${q + 1});`)
    }
    let nLeft = beyondLeft * (d0.z - d0.w) + (d1.x - d0.w) + down * (b0.w - d0.w) + up * (a0.w - d0.w);
    let last = d${strip + 1}.x;
    let nRight = beyondRight * (d${strip + 1}.y - last) + (d${strip}.w - last) + down * (b${strip + 1}.x - last) +
      up * (a${strip + 1}.x - last);
    if (row >= top - 1) {
      let real = select(0.0, 1.0, row >= 0);
      let making = rowAt(face, row);
      let across0 = slopes[making + column0].w;
      let down0 = slopesDown[making + column0].w;
      let shaded0 = vec4<f32>(hasLeft * across0 * (across0 * (a1.x - a0.w) + down0 * (d0.w - a0.w)));
      ${
      each((q) => `
      let across${q + 1} = slopes[making + column${q + 1}] * inside${q + 1};
      let down${q + 1} = slopesDown[making + column${q + 1}] * inside${q + 1} * real;
      let grown${q + 1} = across${q + 1} * (${toRight("a", q + 1)} - a${q + 1}) + down${q + 1} * (d${q + 1} - a${
        q + 1
      });
      let shaded${q + 1} = across${q + 1} * grown${q + 1};
      let below${q + 1} = down${q + 1} * grown${q + 1};`)
    }
      if (row >= top) {
        let upper = select(0.0, 1.0, row > 0);
        let lower = select(0.0, 1.0, row + 1 < u.size);
        ${
      each((q) => {
        const before = q === 0 ? "vec4<f32>(shaded0.w, shaded1.xyz)" : toLeft("shaded", q + 1);
        const left = q === 0 ? "vec4<f32>(cLeft, c1.xyz)" : toLeft("c", q + 1);
        const right = q === strip - 1 ? `vec4<f32>(c${strip}.yzw, cRight)` : toRight("c", q + 1);
        return `
        ${within(q)} {
          let bent = rightOf${q + 1} * (${right} - c${q + 1}) + leftOf${q + 1} * (${left} - c${q + 1}) +
            lower * (n${q + 1} - c${q + 1}) + upper * (o${q + 1} - c${q + 1});
          let made = inside${q + 1} * (u.damping * a${q + 1} + ${before} + above${q + 1} - shaded${q + 1} -
            below${q + 1} + u.smoothness * bent);
          let cell = making + column${q + 1};
          direction[cell] = a${q + 1};
          image[cell] = made;
          dot4 = fma(a${q + 1}, made, dot4);
        }`;
      })
    }
      }
      ${each((q) => `above${q + 1} = below${q + 1};`)}
    }
    ${each((q) => `a${q} = d${q}; d${q} = b${q};`, all)}
    ${each((q) => `o${q + 1} = c${q + 1}; c${q + 1} = n${q + 1};`)}
    cLeft = nLeft;
    cRight = nRight;
  }
  result[id] = (dot4.x + dot4.y) + (dot4.z + dot4.w);`,
  });
}

/**
 * One step: residual − step · image. The result is a partial sum of the residual's square. At first there is no step.
 */
export function stepCode({ strip, whole }: Strips): string {
  const within = guard(whole);
  const own = [...Array(strip).keys()];
  return program({
    result: "f32",
    inputs: [["image", "vec4<f32>"], ["states", "vec4<f32>"], ["partial", "f32"]],
    outputs: [["residual", "vec4<f32>"], ["nextStates", "vec4<f32>"]],
    uniforms: UNIFORMS,
    body: `${HEAD(strip)}
  let state = states[face];
  let step = select(0.0, state.x / sum, state.w > 0.0 && u.first == 0);
  if (part == 0) { nextStates[face] = vec4<f32>(state.xy, step, state.w); }
  var square = vec4<f32>();
  for (var row = top; row < bottom; row++) {
    let cell = (face * u.size + row) * u.width + column;
    ${
      own.map((q) => `
    ${within(q)} {
      let next = fma(vec4<f32>(-step), image[cell + ${q}], residual[cell + ${q}]);
      residual[cell + ${q}] = next;
      square = fma(next, next, square);
    }`).join("")
    }
  }
  result[id] = (square.x + square.y) + (square.z + square.w);`,
  });
}

/** Fewer partial sums: each of `sums` for a face adds every so manieth of `parts`. */
export function foldCode(): string {
  return program({
    result: "f32",
    inputs: [["partial", "f32"]],
    uniforms: ["total", "parts", "sums"],
    body: `
  if (id >= u.total) { return; }
  var sum = 0.0;
  for (var k = id % u.sums; k < u.parts; k += u.sums) { sum += partial[id / u.sums * u.parts + k]; }
  result[id] = sum;`,
  });
}
