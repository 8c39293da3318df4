/** Pictures that are grey where a mask is 0, on the device: then hair and background cannot vouch for the face. */
import type { Tensor, Tensor4D } from "@tensorflow/tfjs";
import { program, run } from "@ftim/gpu/wgsl";
import type { Tfjs } from "@ftim/gpu/tfjs";

/**
 * Each picture where its mask is 1, mid-grey where it is 0, between the two in proportion.
 *
 * @param pictures `[B, H, W, 3]`, 0..1
 * @param masks `[B, H, W]`, 0..1
 * @returns `[B, H, W, 3]`
 * @throws {RangeError} if the masks are not of the pictures' size
 */
export function greyOutside(tf: Tfjs, pictures: Tensor4D, masks: Tensor): Tensor4D {
  if (pictures.shape[3] !== 3 || `${masks.shape}` !== `${pictures.shape.slice(0, 3)}`) {
    throw new RangeError(`Masks [${masks.shape}] are not of the size of pictures [${pictures.shape}]`);
  }
  return run(tf, {
    key: "grey_outside",
    code: () =>
      program({
        result: "f32",
        inputs: [["pictures", "f32"], ["masks", "f32"]],
        uniforms: ["count"],
        body: `
  if (id >= u.count) { return; }
  let mask = masks[id];
  // So that a mask of 1 leaves the picture's bits.
  for (var c = 3 * id; c < 3 * id + 3; c++) { result[c] = pictures[c] * mask + 0.5 * (1.0 - mask); }`,
      }),
    inputs: [pictures, masks],
    shape: pictures.shape,
    uniforms: [masks.size],
    invocations: masks.size,
  }) as Tensor4D;
}
