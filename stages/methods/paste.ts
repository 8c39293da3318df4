/**
 * Stage `paste`: reconstructed faces back in their photographs. Each texture is rendered at the photograph's own
 * resolution with the face's own geometry, as far as `unwrapped` says that it was not seen: elsewhere the photograph's
 * own pixels stay, so that nothing is blurred, and the completed parts fade out toward the mask's edge
 * (`face/paste_weights.ts`). What was completed has no more detail than the network's own size, so its textures are
 * read and not the enlarged ones. Only the parts under a mesh go to the device, for photographs may be large. The paper
 * overlays on its 224² crops only.
 */
import type { Tensor3D, Tensor4D } from "@tensorflow/tfjs";
import { boundsOf } from "../../face/bounds.ts";
import { pointsInPhotograph } from "../../face/crop.ts";
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
    unwrapped: "unwrapped",
    regressed: "regressed",
    reconstructions: "reconstructions",
    topology: "assets",
  },
  output: "pasted",
  determinism: "bitwise",
  computes: { webgpu: "what was completed, rendering", cpu: "encoding: file formats" },
  resources: { gpu: true },
  run: async ({ inputs: { images, crops, unwrapped, regressed, reconstructions, topology: assets }, out, signal }) => {
    const { openTfjs } = await import("@ftim/gpu/tfjs");
    const { readSeenBytes, readTopology } = await import("../faces/geometry.ts");
    const { encodePng, readPixels } = await import("../faces/photograph.ts");
    const { readAhead } = await import("../faces/read_ahead.ts");
    const { readRegression } = await import("../faces/regression.ts");
    const { disposeUvTables } = await import("../../face/uv_tables.ts");
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
        const [{ vertices }, { visibility }, texture] = await Promise.all([
          readRegression(regressed, key),
          readSeenBytes(unwrapped, key),
          readPixels(reconstructions, `${key}${ending}`),
        ]);
        const points = Float32Array.from(pointsInPhotograph(transform, vertices));
        return { key, vertices: points, visibility, texture };
      });
      return { name, image: await readPixels(images, `${name}.png`), faces: await Promise.all(faces) };
    };
    try {
      for await (const some of readAhead(photographs, { count: 1, read })) {
        signal.throwIfAborted();
        await Promise.all(some.map(async ({ name, image, faces }) => {
          await paste(tf, image, { faces, topology });
          out.write(`${name}.png`, await encodePng(image));
        }));
      }
    } finally {
      disposeUvTables(topology);
    }
  },
});

/** Pixels that are drawn at once, each of which takes 12 bytes here and on the device. */
const PIXELS = 1 << 19;
/** Pixels around a mesh that its soft outline may reach. */
const BESIDE = 2;

interface PastedFace {
  readonly key: string;
  /** In pixels of the photograph [3·V]. */
  readonly vertices: Float32Array;
  /** How well the photograph shows each texel, in bytes [s·s]. */
  readonly visibility: Uint8Array;
  /** Complete [s·s]. */
  readonly texture: BytePixels;
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
  for (const face of faces) {
    const textures = await textureOf(tf, face, topology);
    try {
      for (const { left, top, columns, rows } of bandsOf(face.vertices, image)) {
        const part = new Uint8Array(3 * columns * rows);
        copyPart(image, { left, top, columns, rows }, { to: part, rowBytes: 3 * columns });
        const moved = face.vertices.map((value, i) => value - [left, top, 0][i % 3]!);
        const mixed = tf.tidy(() => {
          const { pictures } = renderPictures(tf, [moved], {
            topology,
            width: columns,
            height: rows,
            textures,
            outline: "soft",
          });
          const [colour, weight] = tf.split(pictures, [3, 1], 3) as [Tensor4D, Tensor4D];
          const before = byteValues(tf, [part], [1, rows, columns, 3]);
          return tf.add(tf.mul(before, tf.sub(1, weight)), colour);
        });
        const [bytes] = await readPixelBytes(tf, [mixed], "paste");
        for (let y = 0; y < rows; y++) {
          const row = bytes!.subarray(3 * columns * y, 3 * columns * (y + 1));
          image.data.set(row, 3 * ((top + y) * image.width + left));
        }
      }
    } finally {
      textures.dispose();
    }
  }
}

/** A texture times how much of it is pasted, which is its fourth channel [1, S, S, 4]. */
async function textureOf(
  tf: Tfjs,
  { vertices, visibility, texture }: PastedFace,
  topology: Topology,
): Promise<Tensor4D> {
  const { byteValues } = await import("@ftim/gpu/ops/byte-values");
  const { pasteWeights, weightedTexture } = await import("../../face/paste_weights.ts");
  const side = Math.sqrt(visibility.length);
  return tf.tidy(() => {
    const seen = byteValues(tf, [visibility], [1, side, side]) as Tensor3D;
    return weightedTexture(tf, texture, { weights: pasteWeights(tf, seen, { meshes: [vertices], topology }) });
  });
}

/** The part of an image that a mesh covers, in bands of whole rows that the device holds. */
function bandsOf(vertices: Float32Array, { width, height }: BytePixels): PixelPart[] {
  const { left, top, right, bottom } = boundsOf(vertices);
  const stretch = (low: number, high: number, end: number) => {
    const first = Math.max(0, Math.floor(low) - BESIDE);
    return { first, count: Math.min(end, Math.ceil(high) + BESIDE) - first };
  };
  const [across, down] = [stretch(left, right, width), stretch(top, bottom, height)];
  if (across.count <= 0) return [];
  const step = Math.max(1, Math.floor(PIXELS / across.count));
  const bands: PixelPart[] = [];
  for (let y = 0; y < down.count; y += step) {
    const rows = Math.min(step, down.count - y);
    bands.push({ left: across.first, top: down.first + y, columns: across.count, rows });
  }
  return bands;
}
