import assert from "node:assert/strict";
import { createImage } from "../../face/image.ts";
import { resampleCpu } from "../../nets/resample_cpu.ts";
import type { Border, Box } from "../../nets/resample_taps.ts";
import { near, noise } from "./inputs.ts";

/**
 * The definition, without separation: every output pixel is a triangle-weighted mean over all pixels of the plane
 * around it.
 */
function resampleByDefinition(image: ReturnType<typeof noise>, box: Box, size: [number, number], border: Border) {
  const [width, height] = size;
  const result = createImage({ width, height });
  const [sx, sy] = [box.width / width, box.height / height];
  const weigh = (d: number, scale: number) => Math.max(0, 1 - Math.abs(d) / Math.max(1, scale));
  for (let i = 0; i < width * height; i++) {
    const cx = box.left + (i % width + 0.5) * sx - 0.5;
    const cy = box.top + (Math.floor(i / width) + 0.5) * sy - 0.5;
    const sum = [0, 0, 0];
    let total = 0;
    for (let y = -40; y < 60; y++) {
      for (let x = -40; x < 60; x++) {
        const weight = weigh(x - cx, sx) * weigh(y - cy, sy);
        total += weight;
        const inside = x >= 0 && y >= 0 && x < image.width && y < image.height;
        if (weight === 0 || (!inside && border === "zero")) continue;
        const px = Math.min(Math.max(x, 0), image.width - 1);
        const py = Math.min(Math.max(y, 0), image.height - 1);
        for (let c = 0; c < 3; c++) sum[c]! += weight * image.data[3 * (py * image.width + px) + c]!;
      }
    }
    for (let c = 0; c < 3; c++) result.data[3 * i + c] = sum[c]! / total;
  }
  return result;
}

const boxes: [name: string, box: Box, size: [number, number]][] = [
  ["shrinks", { left: 0, top: 0, width: 13, height: 9 }, [5, 4]],
  ["enlarges", { left: 2, top: 1, width: 5, height: 4 }, [11, 7]],
  ["takes fractions", { left: 1.3, top: 2.7, width: 6.1, height: 3.3 }, [4, 6]],
  ["reaches beyond every edge", { left: -6.5, top: -3, width: 29, height: 20 }, [9, 8]],
  ["lies outside", { left: 20, top: 3, width: 8, height: 8 }, [3, 3]],
];
for (const [name, box, [width, height]] of boxes) {
  for (const border of ["edge", "zero"] as const) {
    Deno.test(`resampleCpu() ${name} as defined, border ${border}`, () => {
      const image = noise({ width: 13, height: 9, seed: 1 });
      const expected = resampleByDefinition(image, box, [width, height], border);
      near(resampleCpu(image, { box, width, height, border }).data, expected.data, 1e-6);
    });
  }
}

Deno.test("resampleCpu() leaves an image of the right size as it is and keeps a ramp a ramp", () => {
  const image = noise({ width: 7, height: 5, seed: 2 });
  assert.deepEqual(resampleCpu(image, { width: 7, height: 5 }).data, image.data);
  const ramp = createImage(
    { width: 8, height: 1 },
    Float32Array.from({ length: 24 }, (_, i) => Math.floor(i / 3) + 0.5),
  );
  const part = resampleCpu(ramp, { box: { left: 1.25, top: 0, width: 4, height: 1 }, width: 8, height: 1 });
  near(part.data.filter((_, i) => i % 3 === 0), Float32Array.from({ length: 8 }, (_, i) => 1.5 + i / 2), 1e-6);
});
