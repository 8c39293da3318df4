/** One face at full size: its part of each photograph, and the textures and the overlay that are made of them. */
import type { Tensor4D } from "@tensorflow/tfjs";
import type { Tfjs } from "@ftim/gpu/backend";
import { byteValues } from "@ftim/gpu/ops/byte-values";
import type { Tree } from "@ftim/pipeline";
import { boundsOf } from "../../../face/bounds.ts";
import { cropInPhotograph, pointsInPhotograph, type Rectangle } from "../../../face/crop.ts";
import { type FullChart, fullTextures, type FullView } from "../../../face/full_textures.ts";
import { readPixelBytes } from "../../../face/pixel_bytes.ts";
import type { BytePixels } from "../../../face/pixels.ts";
import { renderPictures } from "../../../face/render_pictures.ts";
import { cropPhotographs } from "../../../nets/crop_photographs.ts";
import type { Border } from "../../../nets/resample_taps.ts";
import type { AlignedFace } from "../../data/align.ts";
import { readSeenBytes } from "../../faces/geometry.ts";
import { encodePng, readPixels } from "../../faces/photograph.ts";
import { readRegression } from "../../faces/regression.ts";
import { fusedViews } from "./fused_views.ts";

/** What faces are read from. */
export interface FullTrees {
  readonly crops: Tree;
  readonly unwrapped: Tree;
  readonly regressed: Tree;
  readonly reconstructions: Tree;
  /** Of faces that were fused of several photographs. */
  readonly fused?: Tree | undefined;
}

/** A photograph of a face. */
export interface FaceView {
  /** The face's key among the reconstructions. */
  readonly key: string;
  /** The key that this photograph's view of it has. */
  readonly from: string;
  /** Key of the photograph among the images. */
  readonly photograph: string;
  /** The file of its share among several; null where it is the only one. */
  readonly share: string | null;
  /** How many views the face has. */
  readonly of: number;
}

/** A view that has been cut out, on the device. */
export interface CutView extends FaceView {
  readonly view: FullView;
  /** For the face's own photograph: the square that the networks saw, and the mesh in it. */
  readonly square: { readonly picture: Tensor4D; readonly vertices: Float32Array } | null;
}

/** Pixels around a mesh that a sample may reach. */
const BESIDE = 4;
/** A face's width in the square that the networks see, where it is frontal and widest. */
const FACE_SHARE = 0.75;
/** A picture is cut out with so many pixels for each texel of the result at most. */
const DENSEST = 2;

/** The views that a face was made of. */
export async function viewsOf(key: string, { crops, fused }: FullTrees): Promise<FaceView[]> {
  const views = fused === undefined ? [{ key, share: null }] : await fusedViews(fused, key);
  return await Promise.all(views.map(async ({ key: from, share }) => {
    const { photograph } = await crops.json<AlignedFace>(`${from}.json`);
    return { key, from, photograph, share, of: views.length };
  }));
}

/** Cuts a face out of its photograph, with what was read of it at the small size. */
export async function cutView(
  tf: Tfjs,
  face: FaceView,
  { image, inputs, size }: { readonly image: BytePixels; readonly inputs: FullTrees; readonly size: number },
): Promise<CutView> {
  const { key, from, share } = face;
  const [{ transform }, { vertices }, seen, counts] = await Promise.all([
    inputs.crops.json<AlignedFace>(`${from}.json`),
    readRegression(inputs.regressed, from),
    readSeenBytes(inputs.unwrapped, from),
    share === null ? null : readPixels(inputs.fused!, share),
  ]);
  if (!vertices.every(Number.isFinite)) {
    throw new RangeError(`${from}: cannot be enlarged, for a vertex of its mesh is no finite number`);
  }
  const side = Math.sqrt(seen.visibility.length);
  const places = Float32Array.from(pointsInPhotograph(transform, vertices));
  const cut = cutOut(tf, image, { box: boxOf(places), longest: DENSEST * size, border: "edge" });
  const whole = cropInPhotograph(transform);
  const square = from !== key ? null : cutOut(tf, image, {
    box: whole,
    longest: Math.max(transform.size, Math.min(size, Math.round(whole.width))),
    least: transform.size,
    border: "zero",
  });
  return {
    ...face,
    view: {
      picture: cut.picture,
      vertices: cut.placed(places),
      texture: byteValues(tf, [seen.texture], [side, side, 3]),
      visibility: byteValues(tf, [seen.visibility], [side, side]),
      ...(counts === null ? {} : {
        share: byteValues(tf, [counts.data.filter((_, i) => i % 3 === 0)], [side, side]),
      }),
    },
    square: square === null ? null : { picture: square.picture, vertices: square.placed(places) },
  };
}

/** Frees what views still keep on the device. */
export function disposeViews(views: readonly CutView[]): void {
  for (const { view: { picture, texture, visibility, share }, square } of views) {
    for (const tensor of [picture, texture, visibility, share, square?.picture]) tensor?.dispose();
  }
}

/**
 * The pictures of a face whose views have all been cut out, by name, as PNG. The face is drawn over its square, which
 * is used up.
 *
 * @throws {RangeError} if the maps differ in size
 */
export async function fullFace(
  tf: Tfjs,
  views: readonly CutView[],
  { inputs, chart }: { readonly inputs: FullTrees; readonly chart: FullChart },
): Promise<[name: string, png: Uint8Array][]> {
  const { key } = views[0]!;
  const { topology, size } = chart;
  const { picture: over, vertices } = views.find(({ square }) => square !== null)!.square!;
  const maps = await Promise.all(
    ["texture", "albedo"].map((name) => readPixels(inputs.reconstructions, `${key}.${name}.png`)),
  );
  const { width, height } = maps[0]!;
  const [full, overlay] = tf.tidy(() => {
    const small = byteValues(tf, maps.map(({ data }) => data), [maps.length, height, width, 3]) as Tensor4D;
    const full = fullTextures(tf, views.map(({ view }) => view), { maps: small, chart });
    const [, rows, columns] = over.shape;
    const { pictures } = renderPictures(tf, [vertices], {
      topology,
      width: columns,
      height: rows,
      textures: reducedTo(tf, tf.slice(full, 0, 1), Math.max(rows, columns)),
      over,
      clip: true,
      outline: "soft",
    });
    return [full, pictures];
  });
  const [, rows, columns] = over.shape;
  const [texels, pixels] = await readPixelBytes(tf, [full, overlay], "enlarge");
  const length = 3 * size * size;
  const square = { width: size, height: size };
  return await Promise.all([
    ...["texture", "albedo"].map(async (name, i): Promise<[string, Uint8Array]> => {
      return [name, await encodePng({ ...square, data: texels!.subarray(i * length, (i + 1) * length) })];
    }),
    (async (): Promise<[string, Uint8Array]> => {
      return ["render", await encodePng({ width: columns, height: rows, data: pixels! })];
    })(),
  ]);
}

/** A texture halved as long as it keeps a texel for each pixel that its face has in a square of so many. */
function reducedTo(tf: Tfjs, texture: Tensor4D, pixels: number): Tensor4D {
  const [, size] = texture.shape;
  return size % 2 === 0 && size / 2 >= FACE_SHARE * pixels
    ? reducedTo(tf, tf.avgPool(texture, 2, 2, "valid"), pixels)
    : texture;
}

/** A rectangle of whole pixels around a mesh. */
function boxOf(vertices: Float32Array): Rectangle {
  const bounds = boundsOf(vertices);
  const [left, top] = [Math.floor(bounds.left) - BESIDE, Math.floor(bounds.top) - BESIDE];
  const [right, bottom] = [Math.ceil(bounds.right) + BESIDE, Math.ceil(bounds.bottom) + BESIDE];
  return { left, top, width: right - left, height: bottom - top };
}

/**
 * A part of a photograph, reduced where it has more pixels than wanted, or enlarged to the least number; and where a
 * mesh lies in it.
 */
function cutOut(
  tf: Tfjs,
  image: BytePixels,
  { box, longest, least = 0, border }: {
    readonly box: Rectangle;
    readonly longest: number;
    readonly least?: number;
    readonly border: Border;
  },
): { picture: Tensor4D; placed(vertices: Float32Array): Float32Array } {
  const long = Math.max(box.width, box.height);
  const scale = Math.max(Math.min(1, longest / long), least / long);
  const [width, height] = [box.width, box.height].map((side) => Math.max(1, Math.round(scale * side))) as [
    number,
    number,
  ];
  const picture = cropPhotographs(tf, [{ image, box }], { width, height, border });
  const [across, down] = [width / box.width, height / box.height];
  return {
    picture,
    placed: (vertices) =>
      vertices.map((value, i) =>
        i % 3 === 0 ? (value - box.left) * across : i % 3 === 1 ? (value - box.top) * down : value * across
      ),
  };
}
