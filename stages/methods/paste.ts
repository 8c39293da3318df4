/**
 * Stage `paste`: reconstructed faces back in their photographs. Each texture is rendered at the photograph's own
 * resolution with the face's own geometry; a pixel that no mesh covers keeps its value. The paper overlays on its 224²
 * crops only.
 */
import { toPhotograph } from "../../face/crop.ts";
import { createImage, type RgbImage } from "../../face/image.ts";
import { applyOperatorCpu, pictureOperator } from "../../face/render.ts";
import type { Topology } from "../../face/topology.ts";
import { defineStage } from "@ftim/pipeline";
import type { AlignedFace } from "../data/align.ts";

/** Photographs and the reconstructions of their faces → `<photograph>.png`; those without a face are left out. */
export const pasteFaces = defineStage({
  name: "paste",
  module: import.meta.url,
  inputs: {
    images: "images",
    crops: "aligned",
    regressed: "regressed",
    reconstructions: "reconstructions",
    topology: "assets",
  },
  output: "pasted",
  determinism: "bitwise",
  computes: { cpu: "rendering; not on WebGPU yet" },
  run: async ({ inputs: { images, crops, regressed, reconstructions, topology: assets }, out }) => {
    const { readTopology } = await import("../faces/geometry.ts");
    const { encodePng, readImage } = await import("../faces/photograph.ts");
    const { readRegression } = await import("../faces/regression.ts");
    const topology = await readTopology(assets);
    const ending = ".texture.png";
    const keys = reconstructions.paths.filter((path) => path.endsWith(ending)).map((path) =>
      path.slice(0, -ending.length)
    );
    const faces = await Promise.all(
      keys.map(async (key) => ({ key, ...await crops.json<AlignedFace>(`${key}.json`) })),
    );
    for (const [photograph, members] of Map.groupBy(faces, (face) => face.photograph)) {
      const image = await readImage(images, `${photograph}.png`);
      for (const { key, transform } of members) {
        const vertices = (await readRegression(regressed, key)).vertices.slice();
        for (let i = 0; i < vertices.length; i += 3) {
          const { x, y } = toPhotograph(transform, { x: vertices[i]!, y: vertices[i + 1]! });
          vertices.set([x, y, vertices[i + 2]! / transform.scale], i);
        }
        pasteFace(image, vertices, { texture: await readImage(reconstructions, `${key}${ending}`), topology });
      }
      out.write(`${photograph}.png`, await encodePng(image));
    }
  },
});

/**
 * Renders a face into an image, in place.
 *
 * @param vertices posed, in pixels of the image; what lies outside of it is cut off
 */
function pasteFace(
  image: RgbImage,
  vertices: Float32Array,
  { texture, topology }: { texture: RgbImage; topology: Topology },
): void {
  const extent = (axis: number, length: number) => {
    const values = vertices.filter((_, i) => i % 3 === axis);
    const from = Math.min(length, Math.max(0, Math.floor(Math.min(...values))));
    return [from, Math.min(length, Math.max(from, Math.ceil(Math.max(...values))))] as const;
  };
  const [[left, right], [top, bottom]] = [extent(0, image.width), extent(1, image.height)];
  const patch = createImage({ width: right - left, height: bottom - top });
  if (patch.data.length === 0) return;
  const operator = pictureOperator(vertices.map((value, i) => value - [left, top, 0][i % 3]!), {
    topology,
    size: texture.width,
    width: patch.width,
    height: patch.height,
    outline: "soft",
  });
  const render = applyOperatorCpu(operator, texture.data);
  for (const [pixel, coverage] of operator.coverage.entries()) {
    if (coverage === 0) continue;
    const at = 3 * ((top + Math.floor(pixel / patch.width)) * image.width + left + pixel % patch.width);
    for (let c = 0; c < 3; c++) image.data[at + c] = render[3 * pixel + c]! + (1 - coverage) * image.data[at + c]!;
  }
}
