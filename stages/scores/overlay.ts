/**
 * Stage `overlay`: pictures that another program made of the same photographs, in the place of a method's renders.
 * Such a picture is the photograph with its face, or all its faces, rendered anew in place, as large as the photograph.
 * It is reduced and cut out as the photograph was, so that any program is scored in one frame, whatever crop it works
 * on.
 */
import { defineStage } from "@ftim/pipeline";
import { cropInPhotograph } from "../../face/crop.ts";
import type { AlignedFace } from "../data/align.ts";
import type { ImportedImage } from "../data/import.ts";

/**
 * Faces, their photographs and a folder of pictures → `<key>.render.png`. Of the photograph `a/b.jpg` the picture is
 * `a/b.png`, or for its face 0 alone `a/b/0.png`, which goes first; other formats do as well. What is transparent shows
 * the photograph. A face without a picture, or with one of another size, is skipped by name.
 */
export const overlayFaces = defineStage({
  name: "overlay",
  module: import.meta.url,
  inputs: { crops: "aligned", images: "images", overlays: "folder" },
  output: "reconstructions",
  each: ["crops"],
  batch: 8,
  determinism: "bitwise",
  computes: { webgpu: "cutting out and resizing", cpu: "decoding, with reducing, and encoding: file formats" },
  resources: { gpu: true },
  open: async () => await (await import("@ftim/gpu/tfjs")).openTfjs(),
  run: async ({ items, inputs: { images, overlays }, resource: tf }) => {
    const { readPixelBytes } = await import("../../face/pixel_bytes.ts");
    const { cropPhotographs } = await import("../../nets/crop_photographs.ts");
    const { encodePng, PhotographError, readPixels } = await import("../faces/photograph.ts");
    const { overlayOf, overlayPixels } = await import("./parts/overlay_pixels.ts");
    const read = async ({ key, inputs, out, skip }: typeof items[number]) => {
      const { photograph, face, source, transform } = await inputs.crops.json<AlignedFace>(`${key}.json`);
      try {
        const path = overlayOf(overlays.paths, { source, face });
        const [bytes, image, { original }] = await Promise.all([
          overlays.bytes(path),
          readPixels(images, `${photograph}.png`),
          images.json<ImportedImage>(`${photograph}.json`),
        ]);
        return [{ key, out, transform, image: await overlayPixels(bytes, { path, image, original }) }];
      } catch (error) {
        if (!(error instanceof PhotographError)) throw error;
        skip(error.message);
        return [];
      }
    };
    // one after the other: each may be as large as a photograph
    for (const item of items) {
      for (const { key, out, transform, image } of await read(item)) {
        const { size } = transform;
        const crop = cropPhotographs(tf, [{ image, box: cropInPhotograph(transform) }], {
          width: size,
          height: size,
          border: "zero",
        });
        const [data] = await readPixelBytes(tf, [crop], "overlay");
        out.write(`${key}.render.png`, await encodePng({ width: size, height: size, data: data! }));
      }
    }
  },
});
