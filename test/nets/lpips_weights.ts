import type { TensorRecord } from "../../nets/safetensors.ts";
import { hash } from "../golden/images.ts";

const KERNELS = [[11, 11, 3, 64], [5, 5, 64, 192], [3, 3, 192, 384], [3, 3, 384, 256], [3, 3, 256, 256]] as const;

/** The weights that `test/golden/lpips.py` draws, value for value: unlike the trained ones, they need no download. */
export function drawnLpips(): TensorRecord {
  const tensors: TensorRecord = {};
  let first = 0;
  const draw = (name: string, { shape, scale, low }: { shape: readonly number[]; scale: number; low: number }) => {
    const size = shape.reduce((product, side) => product * side, 1);
    const data = Float32Array.from({ length: size }, (_, i) => scale * (hash(first + i) / 2 ** 32 + low));
    tensors[name] = { shape: [...shape], data };
    first += size;
  };
  for (const [n, kernel] of KERNELS.entries()) {
    const [height, width, inputs, outputs] = kernel;
    const scale = 2 * Math.sqrt(6 / (height * width * inputs));
    draw(`AlexNet_0.Conv_${n}.kernel`, { shape: kernel, scale, low: -0.5 });
    draw(`AlexNet_0.Conv_${n}.bias`, { shape: [outputs], scale: 0.2, low: -0.5 });
    draw(`NetLinLayer_${n}.Conv_0.kernel`, { shape: [1, 1, outputs, 1], scale: 1, low: 0 });
  }
  return tensors;
}
