/**
 * The direction of each feature from a mean: one pass forward, one for the gradient, where plain operations took a
 * dozen.
 */
import type * as tfjs from "@tensorflow/tfjs";
import { differentiable, elementFor, program, run } from "@ftim/gpu/wgsl";
import type { Tfjs } from "@ftim/gpu/backend";

/** Added to the squared length: keeps a feature of length zero, and its gradient, finite. */
const LEAST_LENGTH = 1e-8;

/**
 * (x − mean) / √(|x − mean|² + 1e-8). Differentiable in x only.
 *
 * @param x [B,N,C]
 * @param mean [B,1,C]
 */
export function directions(tf: Tfjs, x: tfjs.Tensor3D, mean: tfjs.Tensor): tfjs.Tensor3D {
  return differentiable(tf, {
    inputs: [x],
    forward: (save) => {
      save([x, mean]);
      return pass(tf, { x, mean });
    },
    gradient: (dy, [saved, center]) => [pass(tf, { x: saved as tfjs.Tensor, mean: center as tfjs.Tensor, dy })],
  }) as tfjs.Tensor3D;
}

/** The directions, or, with `dy`, the gradient of x. */
function pass(tf: Tfjs, { x, mean, dy }: Record<"x" | "mean", tfjs.Tensor> & { dy?: tfjs.Tensor }): tfjs.Tensor {
  const [batch, positions, channels] = x.shape as [number, number, number];
  const { element, width } = elementFor(channels);
  const sum = width === 4 ? "dot(v, w)" : "v * w";
  return run(tf, {
    key: `directions_${element}${dy ? "_gradient" : ""}`,
    code: () =>
      program({
        result: element,
        inputs: [["x", element], ["mean", element], ...(dy ? [["dy", element] as const] : [])],
        uniforms: ["count", "positions", "columns"],
        functions: `fn product(v : ${element}, w : ${element}) -> f32 { return ${sum}; }`,
        body: `
  if (id >= u.count) { return; }
  let at = id * u.columns;
  let center = id / u.positions * u.columns;
  var square = ${LEAST_LENGTH};
  for (var k = 0; k < u.columns; k++) {
    let v = x[at + k] - mean[center + k];
    square += product(v, v);
  }
  let scale = 1.0 / sqrt(square);
  ${
          dy
            ? `var along = 0.0;
  for (var k = 0; k < u.columns; k++) { along += product(x[at + k] - mean[center + k], dy[at + k]); }
  along *= scale * scale;
  for (var k = 0; k < u.columns; k++) {
    result[at + k] = scale * (dy[at + k] - along * (x[at + k] - mean[center + k]));
  }`
            : `for (var k = 0; k < u.columns; k++) { result[at + k] = scale * (x[at + k] - mean[center + k]); }`
        }`,
      }),
    inputs: dy ? [x, mean, dy] : [x, mean],
    shape: x.shape,
    uniforms: [batch * positions, positions, channels / width],
    invocations: batch * positions,
  });
}
