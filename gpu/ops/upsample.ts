// What stands before a U-Net decoder's convolution: the coarse map doubled in size (nearest), and the encoder's map of that size beside it.
// One pass forward, one for each gradient; the gradient of a coarse texel is the sum of its four, added in a fixed order.

import type { Tensor4D } from "@tensorflow/tfjs";
import { program, sizeOf } from "../kernels/dispatch.ts";
import type { Tfjs } from "../tfjs.ts";
import { differentiable, elementFor, run } from "./run.ts";

/** Doubles height and width by repeating texels. Differentiable. @param x [batch, height, width, channels] */
export function upsample2x(tf: Tfjs, x: Tensor4D): Tensor4D {
  return differentiable(tf, {
    inputs: [x],
    forward: () => join(tf, { coarse: x }),
    gradient: (dy) => [coarseGradient(tf, dy as Tensor4D, x.shape)],
  }) as Tensor4D;
}

/**
 * [upsample2x(coarse), fine] along the channels. Differentiable in both.
 *
 * @param coarse [batch, height, width, a]
 * @param fine [batch, 2·height, 2·width, b]
 * @returns [batch, 2·height, 2·width, a + b]
 * @throws {RangeError} if the sizes do not fit
 */
export function upsampleConcat(tf: Tfjs, coarse: Tensor4D, { fine }: { readonly fine: Tensor4D }): Tensor4D {
  const [batch, height, width] = coarse.shape;
  if (fine.shape[0] !== batch || fine.shape[1] !== 2 * height || fine.shape[2] !== 2 * width) {
    throw new RangeError(`Cannot join [${fine.shape}] to the doubled [${coarse.shape}]`);
  }
  return differentiable(tf, {
    inputs: [coarse, fine],
    forward: () => join(tf, { coarse, fine }),
    gradient: (dy) => [coarseGradient(tf, dy as Tensor4D, coarse.shape), fineGradient(tf, dy as Tensor4D, fine.shape)],
  }) as Tensor4D;
}

type Shape = [number, number, number, number];

function join(tf: Tfjs, { coarse, fine }: { coarse: Tensor4D; fine?: Tensor4D }): Tensor4D {
  const [batch, height, width, a] = coarse.shape;
  const b = fine?.shape[3] ?? 0;
  const { element, width: lanes } = elementFor(a, b);
  const count = batch * 4 * height * width * (a + b) / lanes;
  return run(tf, {
    key: `upsample_join_${element}`,
    code: () =>
      program({
        result: element,
        inputs: [["coarse", element], ["fine", element]],
        uniforms: ["count", "width", "height", "a", "b"],
        body: `
  if (id >= u.count) { return; }
  let column = id % (u.a + u.b);
  let pixel = id / (u.a + u.b);
  if (column >= u.a) {
    result[id] = fine[pixel * u.b + column - u.a];
  } else {
    let x = pixel % (2 * u.width) / 2;
    let y = pixel / (2 * u.width) % (2 * u.height) / 2;
    let image = pixel / (4 * u.width * u.height);
    result[id] = coarse[((image * u.height + y) * u.width + x) * u.a + column];
  }`,
      }),
    inputs: [coarse, fine ?? coarse],
    shape: [batch, 2 * height, 2 * width, a + b],
    uniforms: [count, width, height, a / lanes, b / lanes],
    invocations: count,
  }) as Tensor4D;
}

function coarseGradient(tf: Tfjs, dy: Tensor4D, shape: Shape): Tensor4D {
  const [batch, height, width, a] = shape;
  const all = dy.shape[3];
  const { element, width: lanes } = elementFor(a, all);
  const count = batch * height * width * a / lanes;
  return run(tf, {
    key: `upsample_coarse_gradient_${element}`,
    code: () =>
      program({
        result: element,
        inputs: [["dy", element]],
        uniforms: ["count", "width", "a", "all"],
        body: `
  if (id >= u.count) { return; }
  let pixel = id / u.a;
  let row = pixel / u.width;
  let first = (row * 4 * u.width + pixel % u.width * 2) * u.all + id % u.a;
  let next = first + 2 * u.width * u.all;
  result[id] = (dy[first] + dy[first + u.all]) + (dy[next] + dy[next + u.all]);`,
      }),
    inputs: [dy],
    shape,
    uniforms: [count, width, a / lanes, all / lanes],
    invocations: count,
  }) as Tensor4D;
}

function fineGradient(tf: Tfjs, dy: Tensor4D, shape: Shape): Tensor4D {
  const b = shape[3];
  const all = dy.shape[3];
  const { element, width: lanes } = elementFor(b, all);
  const count = sizeOf(shape) / lanes;
  return run(tf, {
    key: `upsample_fine_gradient_${element}`,
    code: () =>
      program({
        result: element,
        inputs: [["dy", element]],
        uniforms: ["count", "b", "all"],
        body: `
  if (id >= u.count) { return; }
  result[id] = dy[id / u.b * u.all + u.all - u.b + id % u.b];`,
      }),
    inputs: [dy],
    shape,
    uniforms: [count, b / lanes, all / lanes],
    invocations: count,
  }) as Tensor4D;
}
