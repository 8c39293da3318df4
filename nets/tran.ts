/**
 * The albedo of Tran et al. ("Towards High-Fidelity Nonlinear 3D Face Morphable Model", CVPR 2019;
 * tranluan/Nonlinear_Face_3DMM). An encoder reduces the face to a code, and a decoder without skip connections makes
 * the albedo map of it. Everything passes through the code, which is the method's idea and its limit.
 *
 * It is re-made on our geometry and light. The encoder reads what was seen without its light, less the mean albedo, and
 * its visibility, in place of the crop. Given the lit texture instead, the network would spend its few steps on
 * learning what the fitted light knows. The output is the mean albedo plus a residual, as theirs is a mean plus a tanh
 * residual.
 */
import type * as tfjs from "@tensorflow/tfjs";
import { convolve } from "@ftim/gpu/ops/convolve";
import { upsampleConvolve } from "@ftim/gpu/ops/upsample-convolve";
import type { Tfjs } from "@ftim/gpu/backend";
import type { FtimInput } from "./ftim_input.ts";
import type { ParameterSpec, Variables } from "./parameters.ts";
import type { TextureModel } from "./texture_model.ts";

/** Sizes of the network. */
export interface TranShape {
  /** Side of the UV map; divisible by 2^widths.length. */
  side: number;
  /** Channels after each stride-2 convolution of the encoder; the decoder mirrors them. */
  widths: readonly number[];
  /** Length of the code. */
  codeLength: number;
  /** Mean albedo [side·side·3], 0..1. */
  mean: Float32Array;
}

/** Slope of the leaky rectifier below zero. */
const LEAK = 0.2;
/** A lit template darker than this counts as this bright when light is taken off: next to nothing is known there. */
const DARKEST = 0.05;

/** The shapes of the network's parameters by name. */
export function tranParameters({ side, widths, codeLength }: Omit<TranShape, "mean">): Record<string, ParameterSpec> {
  const specs: Record<string, ParameterSpec> = {};
  const conv = (name: string, from: number, to: number, fan = 9 * from) => {
    specs[`${name}.weight`] = { shape: [3, 3, from, to], fan };
    specs[`${name}.bias`] = { shape: [to], fan: 0 };
  };
  const dense = (name: string, from: number, to: number) => {
    specs[`${name}.weight`] = { shape: [from, to], fan: from };
    specs[`${name}.bias`] = { shape: [to], fan: 0 };
  };
  let from = 4;
  widths.forEach((width, level) => {
    conv(`encode${level}`, from, width);
    from = width;
  });
  const cells = (side / 2 ** widths.length) ** 2;
  dense("code", cells * from, codeLength);
  dense("expand", codeLength, cells * from);
  for (let level = widths.length - 1; level >= 0; level--) {
    const to = widths[Math.max(0, level - 1)]!;
    conv(`decode${level}`, from, to);
    from = to;
  }
  conv("output", from, 3, 0);
  return specs;
}

/** Albedos [B,S,S,3] of a batch of faces, about 0..1 and not clamped. */
export function tran(
  tf: Tfjs,
  variables: Variables,
  { side, widths, mean, ...input }: Omit<FtimInput, "guess" | "code"> & TranShape,
): tfjs.Tensor4D {
  return tf.tidy(() => {
    const layer = (name: string, slope = LEAK) => ({
      filter: variables[`${name}.weight`] as tfjs.Tensor4D,
      bias: variables[`${name}.bias`] as tfjs.Tensor1D,
      slope,
    });
    const dense = (x: tfjs.Tensor2D, name: string): tfjs.Tensor2D =>
      tf.add(tf.matMul(x, variables[`${name}.weight`] as tfjs.Tensor2D), variables[`${name}.bias`]!);
    const { incomplete, visibility, templateAlbedo, templateTexture } = input;
    const usual = tf.tensor4d(mean, [1, side, side, 3]);
    const unlit = tf.mul(incomplete, tf.div(templateAlbedo, tf.maximum(templateTexture, DARKEST)));
    let x = tf.concat([tf.sub(unlit, tf.mul(usual, visibility)), visibility], 3) as tfjs.Tensor4D;
    widths.forEach((_, level) => x = convolve(tf, x, { ...layer(`encode${level}`), stride: 2 }));
    const [batch, cells, , last] = x.shape;
    const code = dense(tf.reshape(x, [batch, -1]), "code");
    x = tf.leakyRelu(tf.reshape(dense(code, "expand"), [batch, cells, cells, last]), LEAK);
    for (let level = widths.length - 1; level >= 0; level--) {
      x = upsampleConvolve(tf, x, layer(`decode${level}`));
    }
    return tf.add(usual, convolve(tf, x, layer("output", 1)));
  });
}

/** Tran's albedo as a model to train. */
export function tranModel(tf: Tfjs, shape: TranShape): TextureModel {
  return {
    parameters: tranParameters(shape),
    albedo: (variables, input) => tran(tf, variables, { ...input, ...shape }),
    light: ({ albedo, shading }) => tf.mul(albedo, shading),
  };
}
