/**
 * The mask of each of many faces in its picture, on the device: what `renderOperator` gives as `coverage` with one
 * sample and a hard outline, without looking for texels.
 */
import type { Tensor3D } from "@tensorflow/tfjs";
import { submitRecorded, type Tfjs, webgpuBackend } from "@ftim/gpu/backend";
import { disposeLists, listTriangles, runWalk } from "@ftim/gpu/raster";
import { walkProgram } from "@ftim/gpu/raster-wgsl";
import { clearedTensor } from "@ftim/gpu/wgsl";
import type { Rectangle } from "./crop.ts";
import { readBack } from "@ftim/gpu/ops/read-back";
import type { Topology } from "./topology.ts";

/** A face and the part of its picture that counts. */
export interface MaskedFace {
  /** In pixels of the picture: x right, y down, z larger = farther [3·V]. */
  readonly vertices: Float32Array;
  /** The mask is 0 at a pixel whose centre lies outside. Default: the whole picture. */
  readonly bounds?: Rectangle;
}

/** Samples along each side of the block that an invocation computes. */
const BLOCK = 2;

/**
 * Which pixels show each face: 1 where the pixel's centre lies on the mesh's front and inside the bounds, 0 elsewhere.
 * All faces are looked at in one pass, which takes 4 bytes a pixel and face on the device.
 *
 * @returns masks [width·height], one a face
 * @throws {RangeError} if vertices are no finite numbers; the message names the face's index
 * @throws {GpuError} if the batch is larger than what the device can bind, or the device reports an error
 */
export async function faceMasks(
  tf: Tfjs,
  faces: readonly MaskedFace[],
  { topology, width, height }: { topology: Topology; width: number; height: number },
): Promise<Float32Array[]> {
  if (faces.length === 0) return [];
  const bounds = new Int32Array(4 * faces.length);
  for (const [i, { bounds: within }] of faces.entries()) {
    const { left, top, width: w, height: h } = within ?? { left: 0, top: 0, width, height };
    // The first pixel whose centre is inside, and the last.
    bounds.set([Math.ceil(left - 0.5), Math.ceil(top - 0.5)], 4 * i);
    bounds.set([Math.floor(left + w - 0.5), Math.floor(top + h - 0.5)], 4 * i + 2);
  }
  const masks = tf.tidy(() => {
    const size = { width, height, cullBack: true, block: BLOCK };
    const vertices = faces.map((face) => face.vertices);
    const lists = listTriangles(tf, { vertices, triangles: topology.triangles }, size);
    const masks = clearedTensor(tf, { shape: [faces.length, height, width], dtype: "float32" }) as Tensor3D;
    runWalk(tf, lists, {
      key: "face_masks",
      code: masksCode,
      inputs: [tf.tensor1d(bounds, "int32")],
      into: masks,
      shape: masks.shape,
      uniforms: [width, height],
    });
    disposeLists(lists);
    return masks;
  });
  submitRecorded(webgpuBackend(tf));
  const [values] = await readBack([masks], "faceMasks");
  return faces.map((_, i) => values!.slice(i * width * height, (i + 1) * width * height));
}

const masksCode = () =>
  walkProgram({
    result: "f32",
    inputs: [["bounds", "vec4<i32>"]],
    uniforms: ["width", "height"],
    walk: { block: BLOCK, state: "let within = bounds[mesh];", sample: () => "" },
    after: Array.from({ length: BLOCK ** 2 }, (_, k) =>
      `{
    let at = corner + vec2<i32>(${k % BLOCK}, ${Math.floor(k / BLOCK)});
    let inside = all(at >= within.xy) && all(at <= min(within.zw, vec2<i32>(u.width, u.height) - 1));
    if (nearest${k} < 3e38 && inside) { result[(mesh * u.height + at.y) * u.width + at.x] = 1.0; }
  }`).join("\n  "),
  });
