/** The albedos of faces refined against their photographs, to which they are linear: what `compare_deng` does. */
import type { Tensor2D, Tensor4D } from "@tensorflow/tfjs";
import { itemsAtOnce } from "@ftim/gpu/at-once";
import type { Tfjs } from "@ftim/gpu/backend";
import { byteValues } from "@ftim/gpu/ops/byte-values";
import type { AlbedoBasis } from "../../../face/albedo_basis.ts";
import { linearPictures } from "../../../face/linear_pictures.ts";
import type { BytePixels } from "../../../face/pixels.ts";
import { deviceOperator, disposeDeviceOperator } from "../../../face/render_device.ts";
import type { Topology } from "../../../face/topology.ts";
import { fitLinearAlbedos, type LinearFaces, type LinearFitOptions } from "../../../nets/linear_albedo_fit.ts";
import { meshSquare } from "../../../nets/mesh_square.ts";

/** A posed face, its square photograph, and the code where the fit starts. */
export interface StartedFace {
  /** Crop pixels [3·V]. */
  readonly vertices: Float32Array;
  readonly crop: BytePixels;
  /** [K] in standard deviations. */
  readonly code: Float32Array;
}

/** The faces' light and model. */
interface Scenes {
  readonly tf: Tfjs;
  readonly topology: Topology;
  /** [B, S, S, 3] */
  readonly shading: Tensor4D;
  /** Of all texels. */
  readonly basis: AlbedoBasis;
  /** The colour difference beyond which a pixel of the render of `code` counts as no skin. */
  readonly huber: number;
}

/**
 * Bytes of the pictures that say what each component adds to a face, of all faces that are fitted at a time. A face has
 * 12 MB of them with 20 components, and 48 MB with 80.
 */
const BYTES_AT_ONCE = 2 ** 27;

/**
 * Refines the codes of some faces, as many at a time as {@linkcode BYTES_AT_ONCE} holds. Each has the same bits alone
 * and among others.
 *
 * @returns [K] in standard deviations for each face
 * @throws {GpuError} if the device reports an error
 */
export async function refineCodes(
  faces: readonly StartedFace[],
  { shading, ...scenes }: Scenes,
  options: LinearFitOptions,
): Promise<Float32Array[]> {
  const { tf, basis } = scenes;
  const { width, height } = faces[0]!.crop;
  const most = itemsAtOnce(tf, 12 * basis.rows.shape[1]! * width * height, { bytesAtOnce: BYTES_AT_ONCE });
  const codes: Float32Array[] = [];
  for (let first = 0; first < faces.length; first += most) {
    const some = faces.slice(first, first + most);
    const part = tf.slice(shading, first, some.length);
    const linear = linearFaces(some, { ...scenes, shading: part });
    part.dispose();
    try {
      codes.push(...await fitLinearAlbedos(tf, linear, options));
    } finally {
      disposeLinearFaces(linear);
    }
  }
  return codes;
}

/** Faces on the device, until `disposeLinearFaces`. */
function linearFaces(faces: readonly StartedFace[], { tf, topology, shading, basis, huber }: Scenes): LinearFaces {
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

function disposeLinearFaces({ pictures: { base, parts, weight }, photograph, codes }: LinearFaces): void {
  for (const tensor of [base, ...parts, weight, photograph, codes]) tensor.dispose();
}
