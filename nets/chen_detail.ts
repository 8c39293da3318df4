/**
 * The detail network of Chen et al. 2020 (`FineModel` of `face_model.py`, cyj907/unsupervised-detail-layer): ten
 * convolutions down to one texel and ten transposed ones back, with sums across, make of the difference between what a
 * photograph and what the coarse face shows a map of displacements. The weights are the authors' own checkpoint.
 */
import type * as tfjs from "@tensorflow/tfjs";
import { openTfjs } from "@ftim/gpu/tfjs";
import { CHEN_CHART } from "../face/chen_detail_faces.ts";
import { requireLayout } from "./files/layouts.ts";
import { openTensors } from "./files/open_tensors.ts";
import type { TensorSource } from "./files/source.ts";
import {
  convolution,
  readConvolution,
  readTransposed,
  transposedConvolution,
  type TransposedLayer,
} from "./tensorflow_layers.ts";
import type { FoldedLayer } from "./torch_convolution.ts";

/** Convolutions, the first of which keeps the size and the others halve it; and as many back. */
const LEVELS = 10;

/** An open network. */
export interface ChenDetail {
  /**
   * @param photograph `[B, 512, 512, 3]`: RGB 0..1 of the photograph in the authors' chart
   * @param coarse `[B, 512, 512, 3]`: the same of the rendered coarse face
   * @returns `[B, 512, 512, 1]`: −1..1, in the model's units: how far the surface comes forward before it is posed
   * @throws {RangeError} if the maps have another size
   */
  displacements(photograph: tfjs.Tensor4D, coarse: tfjs.Tensor4D): tfjs.Tensor4D;
  dispose(): void;
}

/**
 * Opens the network.
 *
 * @param source the `.index` of the fine checkpoint, or the same tensors in another format that `openTensors` knows
 * @throws {TensorFileError} if it is damaged, of another network, or lacks a tensor
 */
export async function openChenDetail(source: TensorSource): Promise<ChenDetail> {
  const file = await openTensors(source);
  requireLayout(file, "chenFine");
  const tf = await openTfjs();
  const [down, up]: [FoldedLayer[], TransposedLayer[]] = [[], []];
  let inputs = 3;
  for (let level = 0; level < LEVELS; level++) {
    down.push(await readConvolution(tf, file, { ...named("conv2d", level), size: 3, inputs }));
    inputs = down.at(-1)!.bias.size;
  }
  for (let level = 0; level < LEVELS; level++) {
    const stride = level < LEVELS - 1 ? 2 : 1;
    up.push(await readTransposed(tf, file, { ...named("conv2d_transpose", level), inputs, stride }));
    inputs = up.at(-1)!.bias.size;
  }
  return {
    displacements(photograph, coarse) {
      const batch = photograph.shape[0];
      for (const map of [photograph, coarse]) {
        if (String(map.shape) === String([batch, CHEN_CHART, CHEN_CHART, 3])) continue;
        throw new RangeError(
          `Chen's detail network takes maps [${[batch, CHEN_CHART, CHEN_CHART, 3]}], not [${map.shape}]`,
        );
      }
      return tf.tidy(() => {
        // (255 p − 127.5) / 127.5 − (255 c − 127.5) / 127.5
        let x: tfjs.Tensor4D = tf.mul(tf.sub(photograph, coarse), 2);
        const across: tfjs.Tensor4D[] = [];
        for (const [level, layer] of down.entries()) {
          x = convolution(tf, x, { ...layer, stride: level === 0 ? 1 : 2, activation: "relu" });
          across.push(x);
        }
        across.pop();
        for (const layer of up.slice(0, -1)) {
          x = tf.add(transposedConvolution(tf, x, { ...layer, activation: "relu" }), across.pop()!);
        }
        return tf.tanh(transposedConvolution(tf, x, { ...up.at(-1)!, activation: "linear" }));
      });
    },
    dispose() {
      for (const { filter, bias } of [...down, ...up]) tf.dispose([filter, bias]);
    },
  };
}

/** How `tf.layers` names the layers of one kind. */
function named(kind: string, number: number): { filter: string; bias: string } {
  const name = `FineModel/${kind}${number === 0 ? "" : `_${number}`}`;
  return { filter: `${name}/kernel`, bias: `${name}/bias` };
}
