/**
 * Stage `paste`: reconstructed faces back in their photographs. Each texture is rendered at the photograph's own
 * resolution with the face's own geometry; a pixel that no mesh covers keeps its value. Only the parts under a mesh go
 * to the device, for photographs may be large. The paper overlays on its 224² crops only.
 */
import type { Tensor4D } from "@tensorflow/tfjs";
import { pointsInPhotograph } from "../../face/crop.ts";
import type { RgbImage } from "../../face/image.ts";
import { type BytePixels, copyPart, type PixelPart } from "../../face/pixels.ts";
import type { Topology } from "../../face/topology.ts";
import type { Tfjs } from "@ftim/gpu/backend";
import { defineStage } from "@ftim/pipeline";
import type { AlignedFace } from "../data/align.ts";
import { keysOf } from "../faces/keys_of.ts";

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
    const { encodePng, readImage, readPixels } = await import("../faces/photograph.ts");
    const { readAhead } = await import("../faces/read_ahead.ts");
    const { readRegression } = await import("../faces/regression.ts");
    const tf = await openTfjs();
    const topology = await readTopology(assets);
    const ending = ".texture.png";
    const keys = keysOf(reconstructions, ending);
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
        return { key, vertices: Float32Array.from(pointsInPhotograph(transform, vertices)), texture };
      });
      return { name, image: await readPixels(images, `${name}.png`), faces: await Promise.all(faces) };
    };
    for await (const some of readAhead(photographs, { count: 1, read })) {
      signal.throwIfAborted();
      await Promise.all(some.map(async ({ name, image, faces }) => {
        await paste(tf, image, { faces, topology });
        out.write(`${name}.png`, await encodePng(image));
      }));
    }
  },
});

/** Pixels that are drawn at once, each of which takes 12 bytes here and on the device. */
const PIXELS = 1 << 20;
/** Pixels around a mesh that its soft outline may reach. */
const BESIDE = 2;

interface PastedFace {
  readonly key: string;
  /** In pixels of the photograph [3·V]. */
  readonly vertices: Float32Array;
  readonly texture: RgbImage;
}

/** Draws faces over an image, one after the other; what lies outside of the image is cut off. */
async function paste(
  tf: Tfjs,
  image: BytePixels,
  { faces, topology }: { faces: readonly PastedFace[]; topology: Topology },
): Promise<void> {
  const { renderPictures } = await import("../../face/render_pictures.ts");
  const { readPixelBytes } = await import("../../face/pixel_bytes.ts");
  const { byteValues } = await import("@ftim/gpu/ops/byte-values");
  const bad = faces.find(({ vertices }) => !vertices.every(Number.isFinite));
  if (bad !== undefined) throw new RangeError(`Cannot paste ${bad.key}: a vertex of its mesh is no finite number`);
  for (const { vertices, texture } of faces) {
    for (const { left, top, columns, rows } of bandsOf(vertices, image)) {
      const part = new Uint8Array(3 * columns * rows);
      copyPart(image, { left, top, columns, rows }, { to: part, rowBytes: 3 * columns });
      const moved = vertices.map((value, i) => value - [left, top, 0][i % 3]!);
      const textures = tf.tensor4d(texture.data, [1, texture.height, texture.width, 3]);
      const over = byteValues(tf, [part], [1, rows, columns, 3]) as Tensor4D;
      tf.tidy(() => {
        renderPictures(tf, [moved], { topology, width: columns, height: rows, textures, over, outline: "soft" });
      });
      const [bytes] = await readPixelBytes(tf, [over], "paste");
      tf.dispose(textures);
      for (let y = 0; y < rows; y++) {
        const row = bytes!.subarray(3 * columns * y, 3 * columns * (y + 1));
        image.data.set(row, 3 * ((top + y) * image.width + left));
      }
    }
  }
}

/** The part of an image that a mesh covers, in bands of whole rows that the device holds. */
function bandsOf(vertices: Float32Array, { width, height }: BytePixels): PixelPart[] {
  const side = (axis: number, end: number) => {
    const values = vertices.filter((_, i) => i % 3 === axis);
    const first = Math.max(0, Math.floor(Math.min(...values)) - BESIDE);
    return { first, count: Math.min(end, Math.ceil(Math.max(...values)) + BESIDE) - first };
  };
  const [across, down] = [side(0, width), side(1, height)];
  if (across.count <= 0) return [];
  const step = Math.max(1, Math.floor(PIXELS / across.count));
  const bands: PixelPart[] = [];
  for (let y = 0; y < down.count; y += step) {
    const rows = Math.min(step, down.count - y);
    bands.push({ left: across.first, top: down.first + y, columns: across.count, rows });
  }
  return bands;
}
