import { gaussian } from "../../nets/random.ts";

/** Number in torchvision's `features`, inputs and outputs of each convolution up to relu4_2. */
export const VGG19_CONVOLUTIONS = [
  [0, 3, 64],
  [2, 64, 64],
  [5, 64, 128],
  [7, 128, 128],
  [10, 128, 256],
  [12, 256, 256],
  [14, 256, 256],
  [16, 256, 256],
  [19, 256, 512],
  [21, 512, 512],
] as const;

/**
 * Weights as torchvision lays them out, drawn so that activations keep their size: the trained ones are the user's to
 * get.
 */
export function drawnVgg19(): Record<string, { shape: number[]; data: Float32Array<ArrayBuffer> }> {
  const next = gaussian(4);
  const tensors: ReturnType<typeof drawnVgg19> = {};
  for (const [number, inputs, outputs] of VGG19_CONVOLUTIONS) {
    const scale = Math.sqrt(2 / (9 * inputs));
    const weight = Float32Array.from({ length: outputs * inputs * 9 }, () => scale * next());
    tensors[`features.${number}.weight`] = { shape: [outputs, inputs, 3, 3], data: weight };
    tensors[`features.${number}.bias`] = {
      shape: [outputs],
      data: Float32Array.from({ length: outputs }, () => 0.1 * next()),
    };
  }
  return tensors;
}
