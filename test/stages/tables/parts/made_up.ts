import type { Measurement } from "../../../../stages/scores/parts/measurements.ts";
import { METHODS } from "../../../../stages/scores/parts/methods.ts";

/** Measurements of made-up faces; later methods score better, "ours" best. */
export function madeUpMeasurements(count: number): Measurement[] {
  return Array.from({ length: count }, (_, i) => {
    const scores = (rank: number) => ({
      l1: 0.05 - 0.005 * rank + 0.001 * (i % 3),
      psnr: 20 + rank + 0.1 * i as number | null,
      ssim: 0.8 + 0.02 * rank,
      cosine: 0.7 + 0.05 * rank,
    });
    return {
      face: `test/photo_${Math.floor(i / 4)}/${i % 4}`,
      maskShare: 0.4,
      methods: Object.fromEntries(
        METHODS.map((
          method,
          rank,
        ) => [method, { masked: scores(rank), full: { ...scores(rank + 0.5), cosine512: 0.6 + 0.05 * rank } }]),
      ) as Measurement["methods"],
    };
  });
}

/** Words for the footnote. */
export const MODELS = { deca: "linear", chen: "linear with detail", deng: "linear on skin", tran: "a decoder" };
