/** A stage whose work on the GPU fails without an exception, in a module of its own, so that its code is no more. */
import { defineStage } from "@ftim/pipeline";

/** Copies texts; on its way something goes wrong on the GPU, of which the GPU alone knows. */
export const copy = defineStage({
  name: "copy",
  module: import.meta.url,
  inputs: { texts: "texts" },
  output: "texts",
  each: ["texts"],
  determinism: "bitwise",
  resources: { gpu: true },
  run: async ({ items }) => {
    const { openGpu } = await import("@ftim/gpu/device");
    const { device, limits } = await openGpu();
    for (const { key, out } of items) {
      if (key === "large") device.createBuffer({ size: 2 * limits.maxBufferSize!, usage: GPUBufferUsage.STORAGE });
      if (key === "full") {
        const error = new GPUOutOfMemoryError("not enough memory left");
        device.dispatchEvent(new GPUUncapturedErrorEvent("uncapturederror", { error }));
      }
      out.write(`${key}.txt`, "0");
    }
  },
});
