/** A batch of faces as a linear function of their albedos, which is what `compare_deng` refines. */
import type { Tensor2D, Tensor4D } from "@tensorflow/tfjs";
import type { Tfjs } from "@ftim/gpu/backend";
import { byteValues } from "@ftim/gpu/ops/byte-values";
import type { AlbedoBasis } from "../../../face/albedo_basis.ts";
import { linearPictures } from "../../../face/linear_pictures.ts";
import type { BytePixels } from "../../../face/pixels.ts";
import { deviceOperator, disposeDeviceOperator } from "../../../face/render_device.ts";
import type { Topology } from "../../../face/topology.ts";
import type { LinearFaces } from "../../../nets/linear_albedo_fit.ts";
import { meshSquare } from "../../../nets/mesh_square.ts";

/** A posed face, its square photograph, and the code where the fit starts. */
export interface StartedFace {
  /** Crop pixels [3·V]. */
  readonly vertices: Float32Array;
  readonly crop: BytePixels;
  /** [K] in standard deviations. */
  readonly code: Float32Array;
}

/**
 * The faces on the device, until `disposeLinearFaces`.
 *
 * @param options.shading [B, S, S, 3]; `basis` of all texels; `huber` the colour difference beyond which a pixel of the
 *   render of `code` counts as no skin
 */
export function linearFaces(
  faces: readonly StartedFace[],
  { tf, topology, shading, basis, huber }: {
    readonly tf: Tfjs;
    readonly topology: Topology;
    readonly shading: Tensor4D;
    readonly basis: AlbedoBasis;
    readonly huber: number;
  },
): LinearFaces {
  const { components } = basis;
  const { width, height } = faces[0]!.crop;
  const padded = basis.rows.shape[1]!;
  const codes = new Float32Array(faces.length * padded);
  for (const [i, { code }] of faces.entries()) codes.set(code, i * padded);
  const operator = deviceOperator(tf, faces.map(({ vertices }) => vertices), {
    topology,
    width,
    height,
    size: Math.sqrt(basis.texels),
  });
  const start: Tensor2D = tf.tensor2d(codes, [faces.length, padded]);
  const crops = faces.map(({ crop }) => crop.data);
  const photograph = byteValues(tf, crops, [faces.length, height, width, 3]) as Tensor4D;
  const pictures = linearPictures(tf, { operator, shading, basis, photograph, codes: start, huber });
  disposeDeviceOperator(operator);
  return {
    pictures,
    photograph,
    boxes: faces.map(({ vertices }) => meshSquare(vertices, 1)),
    codes: start,
    components,
  };
}

/** Frees faces. */
export function disposeLinearFaces({ pictures: { base, parts, weight }, photograph, codes }: LinearFaces): void {
  for (const tensor of [base, ...parts, weight, photograph, codes]) tensor.dispose();
}
