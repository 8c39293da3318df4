/**
 * Texels of four floats that programs read (`fetchTexel`) and write (`storeTexel`) as a texture: on a software adapter
 * a fifth as dear as a buffer. See kernels/texels.ts.
 */
import type { Tensor } from "@tensorflow/tfjs";
import { type Tfjs, webgpuBackend } from "../backend.ts";
import { makeTexture, ROW_BITS } from "../kernels/texel_textures.ts";

/** A texture that stays until it is destroyed. */
export interface TexelTexture {
  /** For `run`: an input of type "texture", or what a program with the result "texture" writes into. */
  readonly tensor: Tensor;
  destroy(): void;
}

/**
 * Makes a texture.
 *
 * @param texels how many there is room for, or their values, four each
 * @throws {GpuError} if the device has no texture of that size
 */
export function texelTexture(tf: Tfjs, texels: number | Float32Array): TexelTexture {
  const backend = webgpuBackend(tf);
  const width = 1 << ROW_BITS;
  const count = typeof texels === "number" ? texels : texels.length / 4;
  const height = Math.max(1, Math.ceil(count / width));
  const info = makeTexture(backend, { label: "texelTexture", height, usage: GPUTextureUsage.COPY_DST });
  const data = backend.tensorMap.get(info.dataId);
  const texture = data.resource as GPUTexture;
  if (typeof texels !== "number") {
    const padded = new Float32Array(4 * width * height);
    padded.set(texels);
    backend.device.queue.writeTexture({ texture }, padded, { bytesPerRow: 16 * width }, [width, height]);
  }
  // tfjs neither pools nor frees it.
  data.external = true;
  const tensor = tf.keep(tf.engine().makeTensorFromTensorInfo(info));
  return {
    tensor,
    destroy() {
      tensor.dispose();
      texture.destroy();
    },
  };
}
