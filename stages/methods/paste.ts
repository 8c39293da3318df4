/**
 * Stage `paste`: reconstructed faces back in their photographs. Each texture is rendered at the photograph's own
 * resolution with the face's own geometry; a pixel that no mesh covers keeps its value. The paper overlays on its 224²
 * crops only.
 */
import { type CropTransform, toPhotograph } from "../../face/crop.ts";
import type { RgbImage } from "../../face/image.ts";
import type { Topology } from "../../face/topology.ts";
import type { Tfjs } from "@ftim/gpu/backend";
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
  computes: { webgpu: "rendering", cpu: "encoding: file formats" },
  resources: { gpu: true },
  run: async ({ inputs: { images, crops, regressed, reconstructions, topology: assets }, out, signal }) => {
    const { openTfjs } = await import("@ftim/gpu/tfjs");
    const { readTopology } = await import("../faces/geometry.ts");
    const { encodePng, readImage } = await import("../faces/photograph.ts");
    const { readAhead } = await import("../faces/read_ahead.ts");
    const { readRegression } = await import("../faces/regression.ts");
    const tf = await openTfjs();
    const topology = await readTopology(assets);
    const ending = ".texture.png";
    const keys = reconstructions.paths.filter((path) => path.endsWith(ending)).map((path) =>
      path.slice(0, -ending.length)
    );
    const aligned = await Promise.all(
      keys.map(async (key) => ({ key, ...await crops.json<AlignedFace>(`${key}.json`) })),
    );
    const photographs = [...Map.groupBy(aligned, (face) => face.photograph)];
    const read = async ([name, members]: typeof photographs[number]) => {
      const faces = members.map(async ({ key, transform }): Promise<PastedFace> => {
        const [{ vertices }, texture] = await Promise.all([
          readRegression(regressed, key),
          readImage(reconstructions, `${key}${ending}`),
        ]);
        return { key, vertices: inPhotograph(vertices, transform), texture };
      });
      return { name, image: await readImage(images, `${name}.png`), faces: await Promise.all(faces) };
    };
    for await (const some of readAhead(photographs, { count: AT_ONCE, read })) {
      signal.throwIfAborted();
      await Promise.all(some.map(async ({ name, image, faces }) => {
        out.write(`${name}.png`, await encodePng(await paste(tf, image, { faces, topology })));
      }));
    }
  },
});

/** Photographs at once: one is rendered, another encoded. Each takes 12 bytes a pixel, here and on the device. */
const AT_ONCE = 2;

interface PastedFace {
  readonly key: string;
  /** In pixels of the photograph [3·V]. */
  readonly vertices: Float32Array;
  readonly texture: RgbImage;
}

/** Vertices of a crop, in pixels of its photograph. */
function inPhotograph(vertices: Float32Array, transform: CropTransform): Float32Array {
  const moved = vertices.slice();
  for (let i = 0; i < vertices.length; i += 3) {
    const { x, y } = toPhotograph(transform, { x: vertices[i]!, y: vertices[i + 1]! });
    moved.set([x, y, vertices[i + 2]! / transform.scale], i);
  }
  return moved;
}

/** An image with faces rendered over it, one after the other; what lies outside of the image is cut off. */
async function paste(
  tf: Tfjs,
  { width, height, data }: RgbImage,
  { faces, topology }: { faces: readonly PastedFace[]; topology: Topology },
): Promise<RgbImage> {
  const { renderPictures } = await import("../../face/render_pictures.ts");
  const { readBack } = await import("../../face/read_back.ts");
  const bad = faces.find(({ vertices }) => !vertices.every(Number.isFinite));
  if (bad !== undefined) throw new RangeError(`Cannot paste ${bad.key}: a vertex of its mesh is no finite number`);
  const over = tf.tensor4d(data, [1, height, width, 3]);
  tf.tidy(() => {
    for (const { vertices, texture } of faces) {
      const textures = tf.tensor4d(texture.data, [1, texture.height, texture.width, 3]);
      renderPictures(tf, [vertices], { topology, width, height, textures, over, outline: "soft" });
    }
  });
  const [pixels = data] = await readBack([over], "paste");
  return { width, height, data: pixels };
}
