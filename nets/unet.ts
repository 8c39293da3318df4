/**
 * The encoder-decoder of both FTIMs (`ftim.ts`, `ftim_printed.ts`): maps in UV space and a code in, three channels out.
 *
 * The paper prints neither depth nor widths nor normalisation, so these are our choices:
 * - Five stride-2 convolutions, then nearest-neighbour upsampling with skip connections (a U-Net).
 * - Instance normalisation follows every convolution but the last. Without it the network learns half as much or less
 *   in as many steps.
 * - The code, expression and pose, shifts the latent map between its normalisation and its rectifier. A normalisation
 *   would take out a shift before it.
 * - The last convolution starts at zero, so training starts from whatever the result is added to and not from noise.
 */
import type * as tfjs from "@tensorflow/tfjs";
import { convolve } from "@ftim/gpu/ops/convolve";
import { normalize } from "@ftim/gpu/ops/normalize";
import { upsampleConvolve } from "@ftim/gpu/ops/upsample-convolve";
import type { Tfjs } from "@ftim/gpu/backend";
import type { ParameterSpec, Variables } from "./parameters.ts";

/** Sizes of the network. */
export interface UnetShape {
  /** Channels after each stride-2 convolution, finest first; the input's side must be divisible by 2^length. */
  widths: readonly number[];
  /** Channels at full resolution, before the output. */
  fullWidth: number;
  /** Length of the code. */
  codeLength: number;
}

/** Slope of the leaky rectifier below zero. */
const LEAK = 0.2;

/** The shapes of the network's parameters by name; `channels`: of the maps that it reads. */
export function unetParameters(
  { widths, fullWidth, codeLength, channels }: UnetShape & { readonly channels: number },
): Record<string, ParameterSpec> {
  const specs: Record<string, ParameterSpec> = {};
  const scale = (name: string, to: number) => {
    specs[`${name}.gamma`] = { shape: [to], fan: 0, start: 1 };
    specs[`${name}.beta`] = { shape: [to], fan: 0 };
  };
  const conv = (name: string, from: number, to: number) => {
    specs[`${name}.weight`] = { shape: [3, 3, from, to], fan: 9 * from };
    scale(name, to);
  };
  // One convolution of the coarse map, doubled, beside the encoder's map.
  const join = (name: string, { coarse, fine, to }: { coarse: number; fine: number; to: number }) => {
    const fan = 9 * (coarse + fine);
    specs[`${name}.coarse`] = { shape: [3, 3, coarse, to], fan };
    specs[`${name}.skip`] = { shape: [3, 3, fine, to], fan };
    scale(name, to);
  };
  let from = channels;
  widths.forEach((width, level) => {
    conv(`down${level}`, from, width);
    from = width;
  });
  specs["code.weight"] = { shape: [codeLength, from], fan: codeLength, gain: 0.1 };
  specs["code.bias"] = { shape: [from], fan: 0 };
  conv("latent", from, from);
  for (let level = widths.length - 2; level >= 0; level--) {
    const width = widths[level] as number;
    join(`up${level}`, { coarse: from, fine: width, to: width });
    from = width;
  }
  join("full", { coarse: from, fine: channels, to: fullWidth });
  specs["output.weight"] = { shape: [3, 3, fullWidth, 3], fan: 0 };
  specs["output.bias"] = { shape: [3], fan: 0 };
  return specs;
}

/**
 * Runs the network.
 *
 * @param maps [B,S,S,channels]
 * @param options.code [B,codeLength]
 * @returns the last convolution's result [B,S,S,3]
 */
export function unet(
  tf: Tfjs,
  maps: tfjs.Tensor4D,
  { variables, code, widths }: Pick<UnetShape, "widths"> & { variables: Variables; code: tfjs.Tensor2D },
): tfjs.Tensor4D {
  const filter = (name: string) => parameter(variables, name) as tfjs.Tensor4D;
  const bias = (name: string) => parameter(variables, name) as tfjs.Tensor1D;
  const normal = (x: tfjs.Tensor4D, name: string, slope = LEAK) =>
    normalize(tf, x, { gamma: bias(`${name}.gamma`), beta: bias(`${name}.beta`), slope });
  const join = (name: string, { coarse, fine }: Record<"coarse" | "fine", tfjs.Tensor4D>) =>
    normal(
      tf.add(
        upsampleConvolve(tf, coarse, { filter: filter(`${name}.coarse`) }),
        convolve(tf, fine, { filter: filter(`${name}.skip`) }),
      ),
      name,
    );
  const skips: tfjs.Tensor4D[] = [];
  let x = maps;
  widths.forEach((_, level) => {
    skips.push(x);
    x = normal(convolve(tf, x, { filter: filter(`down${level}.weight`), stride: 2 }), `down${level}`);
  });
  const shift = tf.add(tf.matMul(code, parameter(variables, "code.weight") as tfjs.Tensor2D), bias("code.bias"));
  const latent = normal(convolve(tf, x, { filter: filter("latent.weight") }), "latent", 1);
  x = tf.leakyRelu(tf.add(latent, tf.reshape(shift, [code.shape[0], 1, 1, -1])), LEAK);
  for (let level = widths.length - 2; level >= 0; level--) {
    x = join(`up${level}`, { coarse: x, fine: skips[level + 1] as tfjs.Tensor4D });
  }
  x = join("full", { coarse: x, fine: maps });
  return convolve(tf, x, { filter: filter("output.weight"), bias: bias("output.bias") });
}

function parameter(variables: Variables, name: string): tfjs.Variable {
  const variable = variables[name];
  if (variable === undefined) throw new TypeError(`Cannot run the network: parameter "${name}" is absent`);
  return variable;
}
