/**
 * The passes of `normalize`. With z = gamma·x̂ + beta and dz = dy · activation'(z), the layouts are:
 *
 * - image [batch][pixel][channel]
 * - moments [batch][mean, 1/deviation][channel]
 * - partial results [batch][chunk][2][channel]
 * - sums [batch][Σ dz, Σ dz·x̂][channel]
 */

import { type Dispatch, program } from "../kernels/dispatch.ts";

type Pass = Pick<Dispatch, "key" | "code">;

const WALK = ["count", "columns", "pixels", "chunks", "chunk"];
const PLACE = `
  if (id >= u.count) { return; }
  let column = id % u.columns;
  let part = (id / u.columns) % u.chunks;
  let image = id / (u.columns * u.chunks);
  let first = part * u.chunk;
  let last = min(first + u.chunk, u.pixels);
  let base = image * u.pixels * u.columns + column;`;
const PARAMETERS = `
  let mean = moments[image * 2 * u.columns + column];
  let scale = moments[(image * 2 + 1) * u.columns + column];
  let g = gamma[column];
  let b = beta[column];`;

/** Mean and sum of squared deviations of each chunk. Inputs: x. */
export const PARTIAL_MOMENTS = (element: string): Pass => ({
  key: `normalize_partial_${element}`,
  code: () =>
    program({
      result: element,
      inputs: [["x", element]],
      uniforms: WALK,
      body: `${PLACE}
  let pivot = x[base + first * u.columns];
  var sum = ${element}();
  var squares = ${element}();
  for (var p = first; p < last; p++) {
    let d = x[base + p * u.columns] - pivot;
    sum += d;
    squares += d * d;
  }
  let n = f32(last - first);
  let at = (image * u.chunks + part) * 2 * u.columns + column;
  result[at] = pivot + sum / n;
  result[at + u.columns] = max(squares - sum * sum / n, ${element}());`,
    }),
});

/** Joins the chunks of a group's channels. Inputs: partial. */
export const MOMENTS: Pass = {
  key: "normalize_moments",
  code: () =>
    program({
      result: "f32",
      inputs: [["partial", "f32"]],
      uniforms: ["count", "channels", "perGroup", "groups", "chunks", "chunk", "pixels", "epsilon:f32"],
      body: `
  if (id >= u.count) { return; }
  let image = id / u.groups;
  let channel = (id % u.groups) * u.perGroup;
  var n = 0.0;
  var mean = 0.0;
  var squares = 0.0;
  for (var part = 0; part < u.chunks; part++) {
    let m = f32(min(u.chunk, u.pixels - part * u.chunk));
    for (var c = channel; c < channel + u.perGroup; c++) {
      let at = (image * u.chunks + part) * 2 * u.channels + c;
      let d = partial[at] - mean;
      let total = n + m;
      mean += d * (m / total);
      squares += partial[at + u.channels] + d * d * (n * m / total);
      n = total;
    }
  }
  let scale = 1.0 / sqrt(squares / n + u.epsilon);
  for (var c = channel; c < channel + u.perGroup; c++) {
    result[image * 2 * u.channels + c] = mean;
    result[(image * 2 + 1) * u.channels + c] = scale;
  }`,
    }),
};

/** The normalised and activated image. Inputs: x, moments, gamma, beta. */
export const APPLY = (element: string): Pass => ({
  key: `normalize_apply_${element}`,
  code: () =>
    program({
      result: element,
      inputs: [["x", element], ["moments", element], ["gamma", element], ["beta", element]],
      uniforms: [...WALK, "slope:f32"],
      body: `${PLACE}${PARAMETERS}
  for (var p = first; p < last; p++) {
    let at = base + p * u.columns;
    let z = (x[at] - mean) * scale * g + b;
    result[at] = select(z * u.slope, z, z > ${element}());
  }`,
    }),
});

const UPSTREAM = (element: string) => `
    let at = base + p * u.columns;
    let normal = (x[at] - mean) * scale;
    let d = dy[at];
    let dz = select(d * u.slope, d, normal * g + b > ${element}());`;

const GRADIENT_INPUTS = (element: string): [string, string][] => [
  ["x", element],
  ["moments", element],
  ["gamma", element],
  ["beta", element],
  ["dy", element],
];

/** Σ dz and Σ dz·x̂ of each chunk. Inputs: x, moments, gamma, beta, dy. */
export const GRADIENT_SUMS = (element: string): Pass => ({
  key: `normalize_gradient_sums_${element}`,
  code: () =>
    program({
      result: element,
      inputs: GRADIENT_INPUTS(element),
      uniforms: [...WALK, "slope:f32"],
      body: `${PLACE}${PARAMETERS}
  var sum = ${element}();
  var product = ${element}();
  for (var p = first; p < last; p++) {${UPSTREAM(element)}
    sum += dz;
    product += dz * normal;
  }
  let at = (image * u.chunks + part) * 2 * u.columns + column;
  result[at] = sum;
  result[at + u.columns] = product;`,
    }),
});

/** Adds the chunks of each image in order. Inputs: parts. */
export const JOIN_SUMS: Pass = {
  key: "normalize_join_sums",
  code: () =>
    program({
      result: "f32",
      inputs: [["parts", "f32"]],
      uniforms: ["count", "chunks", "stride"],
      body: `
  if (id >= u.count) { return; }
  let first = id / u.stride * u.chunks * u.stride + id % u.stride;
  var sum = 0.0;
  for (var part = 0; part < u.chunks; part++) { sum += parts[first + part * u.stride]; }
  result[id] = sum;`,
    }),
};

/** Means of gamma·dz and of gamma·dz·x̂ over a group. Inputs: sums, gamma. */
export const GROUP_MEANS: Pass = {
  key: "normalize_group_means",
  code: () =>
    program({
      result: "f32",
      inputs: [["sums", "f32"], ["gamma", "f32"]],
      uniforms: ["count", "channels", "perGroup", "groups", "pixels"],
      body: `
  if (id >= u.count) { return; }
  let image = id / u.groups;
  let channel = (id % u.groups) * u.perGroup;
  let n = f32(u.pixels * u.perGroup);
  let at = image * 2 * u.channels;
  var sum = 0.0;
  var product = 0.0;
  for (var c = channel; c < channel + u.perGroup; c++) {
    sum += gamma[c] * sums[at + c];
    product += gamma[c] * sums[at + u.channels + c];
  }
  for (var c = channel; c < channel + u.perGroup; c++) {
    result[at + c] = sum / n;
    result[at + u.channels + c] = product / n;
  }`,
    }),
};

/** The gradient of the image. Inputs: x, moments, gamma, beta, dy, means. */
export const GRADIENT = (element: string): Pass => ({
  key: `normalize_gradient_${element}`,
  code: () =>
    program({
      result: element,
      inputs: [...GRADIENT_INPUTS(element), ["means", element]],
      uniforms: [...WALK, "slope:f32"],
      body: `${PLACE}${PARAMETERS}
  let meanSum = means[image * 2 * u.columns + column];
  let meanProduct = means[(image * 2 + 1) * u.columns + column];
  for (var p = first; p < last; p++) {${UPSTREAM(element)}
    result[at] = scale * (g * dz - meanSum - normal * meanProduct);
  }`,
    }),
});

/** The gradient of gamma (row 1) or beta (row 0): the sums of all images. Inputs: sums. */
export const PARAMETER_GRADIENT: Pass = {
  key: "normalize_parameter_gradient",
  code: () =>
    program({
      result: "f32",
      inputs: [["sums", "f32"]],
      uniforms: ["count", "batch", "row"],
      body: `
  if (id >= u.count) { return; }
  var sum = 0.0;
  for (var image = 0; image < u.batch; image++) { sum += sums[(image * 2 + u.row) * u.count + id]; }
  result[id] = sum;`,
    }),
};
