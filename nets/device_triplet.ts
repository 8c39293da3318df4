/** The three views of a triplet on the device: what a training step reads of them, made anew for each step. */
import type * as tfjs from "@tensorflow/tfjs";
import { type Bytes, byteValues } from "@ftim/gpu/ops/byte-values";
import type { Tfjs } from "@ftim/gpu/backend";
import type { AlbedoParts } from "../face/albedo_maps.ts";
import {
  applyDeviceOperator,
  type DeviceOperator,
  deviceOperator,
  disposeDeviceOperator,
} from "../face/render_device.ts";
import { templateMaps } from "../face/template_maps.ts";
import type { Topology } from "../face/topology.ts";
import { type FaceMaps, type FtimInput, ftimInput } from "./ftim_input.ts";
import { disposeBoxTaps, resampleBoxes, uploadBoxTaps } from "./resample_boxes.ts";
import type { Box } from "./resample_taps.ts";

/** A pixel is trusted if the portrait that a head was made of showed more than so much of what it covers. */
const KNOWN = 0.5;

/** One view of a triplet. */
export interface TrainingView extends FaceMaps {
  /** Coefficients of the template's albedo [K], in standard deviations. */
  readonly albedo: Float32Array;
  /** Posed, crop pixels: x right, y down, z away [3·V]. */
  readonly vertices: Float32Array;
  /** The fitted light [27], band-major, RGB last. */
  readonly light: Float32Array;
  /** The aligned crop, square, a byte a channel [P·3]. */
  readonly photograph: Bytes;
  /** The square of the crop that the identity network looks at. */
  readonly face: Box;
  /** How well the truth of each texel of the head is known, 0..255 [S·S]; without it all of the photograph is true. */
  readonly known?: Bytes | undefined;
}

/** Views on the device. */
export interface DeviceTriplet {
  /** The network's input, and the shading [B,S,S,3]. */
  readonly input: FtimInput & { readonly shading: tfjs.Tensor4D };
  /** Crops [B,C,C,3]. */
  readonly photographs: tfjs.Tensor4D;
  /** Share of each pixel that the mesh covers [B,C,C,1]. */
  readonly coverage: tfjs.Tensor4D;
  /**
   * 1 where more than half of what a pixel shows is known to be true, else 0 [B,C,C,1]. Undefined if all photographs
   * are true.
   */
  readonly trusted: tfjs.Tensor4D | undefined;
  /** Cuts the squares that the identity network looks at out of pictures of the crops' size; differentiable. */
  cut(pictures: tfjs.Tensor4D): tfjs.Tensor4D;
  /** Renders a texture of each view [B,S,S,3] into the crops [B,C,C,3]; differentiable. */
  render(textures: tfjs.Tensor4D): tfjs.Tensor4D;
  dispose(): void;
}

/**
 * Puts views on the device and builds their render operator.
 *
 * @param views with maps of one size and crops of one size
 * @param options `parts`: the model of the templates' albedos; `side` of what the identity network looks at, in pixels
 * @returns tensors that stay until `dispose`
 */
export function uploadTriplet(
  tf: Tfjs,
  views: readonly TrainingView[],
  { topology, parts, side }: { topology: Topology; parts: AlbedoParts; side: number },
): DeviceTriplet {
  const size = Math.sqrt(views[0]!.visibility.length);
  const crop = Math.sqrt(views[0]!.photograph.length / 3);
  const operator = deviceOperator(tf, views.map(({ vertices }) => vertices), {
    topology,
    width: crop,
    height: crop,
    size,
  });
  const { albedo, shading } = templateMaps(tf, views, { parts, topology, size, levels: 255 });
  const input = ftimInput(tf, views, { albedo, shading });
  const photographs = uploadCrops(tf, views);
  const taps = uploadBoxTaps(tf, views.map(({ face }) => face), {
    from: { width: crop, height: crop },
    to: { width: side, height: side },
  });
  const coverage = tf.reshape(operator.coverage, [views.length, crop, crop, 1]) as tfjs.Tensor4D;
  const trusted = trustedPixels(tf, views, { operator, coverage });
  return {
    input,
    photographs,
    coverage,
    trusted,
    cut: (pictures) => resampleBoxes(tf, pictures, taps),
    render: (textures) => applyDeviceOperator(tf, operator, textures),
    dispose() {
      tf.dispose([...Object.values(input), photographs, coverage, ...trusted === undefined ? [] : [trusted]]);
      disposeDeviceOperator(operator);
      disposeBoxTaps(taps);
    },
  };
}

/** Where each view shows texels whose truth is known; of a view that tells nothing of it, everywhere. */
function trustedPixels(
  tf: Tfjs,
  views: readonly TrainingView[],
  { operator, coverage }: { operator: DeviceOperator; coverage: tfjs.Tensor4D },
): tfjs.Tensor4D | undefined {
  if (views.every(({ known }) => known === undefined)) return undefined;
  const { size } = operator;
  const all = new Uint8Array(size * size).fill(255);
  const maps = views.map(({ known = all }) => known);
  return tf.tidy(() => {
    const known = byteValues(tf, maps, [views.length, size, size, 1]) as tfjs.Tensor4D;
    const shown = applyDeviceOperator(tf, operator, known);
    return tf.cast(tf.greater(shown, tf.mul(coverage, KNOWN)), "float32") as tfjs.Tensor4D;
  });
}

/** Crops of one size [B,C,C,3], 0..1. */
export function uploadCrops(tf: Tfjs, views: readonly Pick<TrainingView, "photograph">[]): tfjs.Tensor4D {
  const crop = Math.sqrt(views[0]!.photograph.length / 3);
  return byteValues(tf, views.map(({ photograph }) => photograph), [views.length, crop, crop, 3]) as tfjs.Tensor4D;
}
