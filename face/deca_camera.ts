/**
 * DECA's camera (Feng et al. 2021, `batch_orth_proj` of `decalib/utils/util.py`): orthographic, with a scale and a
 * shift. A point (x, y, z) of the head, x to the right, y up and z to the viewer, is at scale · (x + right, y + up, z)
 * in a picture that reaches from −1 to 1; then y and z are turned over, so that y runs down and z away.
 */
import type { Tensor2D, Tensor3D } from "@tensorflow/tfjs";
import type { Tfjs } from "@ftim/gpu/backend";

/**
 * Points of a batch in pixels of the crop, centres at +0.5: (−1, −1) is the crop's upper left corner, as
 * `F.grid_sample` without `align_corners` has it. Depth is in pixels too. deca_camera_cpu.ts is the reference.
 *
 * @param points `[B, N, 3]`
 * @param camera `[B, 3]`: scale, right, up
 * @param options.size side of the crop in pixels
 * @returns `[B, N, 3]`: x right, y down, z away from the viewer
 */
export function projectDeca(
  tf: Tfjs,
  points: Tensor3D,
  { camera, size }: { camera: Tensor2D; size: number },
): Tensor3D {
  return tf.tidy(() => {
    const half = size / 2;
    const [scale, right, up] = tf.split(camera, 3, 1) as [Tensor2D, Tensor2D, Tensor2D];
    const shifted = tf.add(points, tf.expandDims(tf.concat([right, up, tf.zerosLike(up)], 1), 1));
    const factors = tf.mul(tf.expandDims(scale, 1), tf.tensor3d([half, -half, -half], [1, 1, 3]));
    return tf.add(tf.mul(shifted, factors), tf.tensor3d([half, half, 0], [1, 1, 3])) as Tensor3D;
  });
}
