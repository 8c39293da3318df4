/**
 * Figures small enough to be kept beside the code: a figure of many photographs is several megabytes as PNG, and a
 * repository keeps every version for ever.
 */
import { z } from "zod";
import { defineStage } from "@ftim/pipeline";

/** WebP qualities that are tried, best first; a picture that is still too large loses size, not more quality. */
const QUALITIES = [90, 85, 80, 75, 70, 65, 60] as const;
/** Of 0 to 6: the highest takes more than twice as long as this one and saves 4 % of the bytes. */
const EFFORT = 4;
/** How much narrower a picture becomes at a time. */
const NARROWER = 0.85;

/** A figure's `<name>.png` → `<name>.webp` of at most `bytes` bytes. */
export const smallPictures = defineStage({
  name: "small_pictures",
  module: import.meta.url,
  inputs: { figure: "figure" },
  output: "small_pictures",
  params: z.strictObject({ bytes: z.int().min(1000).default(400_000) }),
  determinism: "bitwise",
  computes: { cpu: "encoding: file formats" },
  run: async ({ inputs: { figure }, params: { bytes }, out }) => {
    await Promise.all(
      figure.paths.filter((path) => path.endsWith(".png")).map(async (path) => {
        out.write(path.replace(/png$/, "webp"), await smallPicture(await figure.bytes(path), { bytes }));
      }),
    );
  },
});

/** The best WebP of a picture that is no larger than `bytes`. */
async function smallPicture(picture: Uint8Array, { bytes }: { bytes: number }): Promise<Uint8Array> {
  const { default: sharp } = await import("sharp");
  const { width: whole = 1 } = await sharp(picture).metadata();
  for (let width = whole; width > 1; width = Math.round(NARROWER * width)) {
    const { data, info } = await sharp(picture).resize({ width }).raw().toBuffer({ resolveWithObject: true });
    for (const quality of QUALITIES) {
      const small = await sharp(data, { raw: info }).webp({ quality, effort: EFFORT }).toBuffer();
      if (small.length <= bytes) return small;
    }
  }
  throw new RangeError(`Cannot make the picture as small as ${bytes} bytes`);
}
