/**
 * A method's textures where copying does not help: each rendered in another view of the same triplet, over the
 * photograph there. All pictures of some views are rendered at once, and the next views are read meanwhile. What draws
 * faces itself and has no texture in the shared map brings the pictures in the textures' place.
 */
import type { RgbImage } from "../../../face/image.ts";
import { type Portrait, renderPortraits } from "../../../face/render_portraits.ts";
import { openTfjs } from "@ftim/gpu/tfjs";
import type { Tree } from "@ftim/pipeline";
import { readMask, readMesh, readTopology } from "../../faces/geometry.ts";
import { readImage } from "../../faces/photograph.ts";
import { readAhead } from "../../faces/read_ahead.ts";
import type { Triplets } from "../../data/triplets.ts";
import { type ViewPair, viewPairs } from "./view_pairs.ts";

/** A view, with the faces of others drawn in it. */
export interface OtherView {
  readonly key: string;
  readonly photograph: RgbImage;
  /** The mesh in the photograph, 0..1 [P]. */
  readonly mask: Float32Array;
  /** Crop pixels [3·V]. */
  readonly vertices: Float32Array;
  /** Where each picture's face comes from. */
  readonly pairs: readonly ViewPair[];
  /** One a pair. */
  readonly pictures: readonly RgbImage[];
}

/** What `otherViews` reads. */
export interface OtherViewInputs {
  readonly triplets: Tree;
  readonly crops: Tree;
  readonly unwrapped: Tree;
  readonly meshes: Tree;
  /** Textures (`<view>.texture.png`, or `<from>.to.<to>.texture.png`) or pictures (`<from>.to.<to>.render.png`). */
  readonly reconstructions: Tree;
  readonly topology: Tree;
}

/** What `otherViews` tells of its work; a stage's context. */
export interface OtherViewOptions {
  readonly skip: (key: string, reason: string) => void;
  readonly progress: (done: number, total: number) => void;
  readonly signal: AbortSignal;
}

/** Views at once; a view is two to six pictures. */
const AT_ONCE = 4;

/**
 * Some views at a time, in the triplets' order. The photographs of those given together are of one size. A view without
 * a mesh is left out; a pair that the method has no texture or picture for is skipped by name, and so are those whose
 * second view has an empty mask or a mesh that is no mesh.
 */
export async function* otherViews(
  inputs: OtherViewInputs,
  { skip, progress, signal }: OtherViewOptions,
): AsyncGenerator<readonly OtherView[]> {
  const tf = await openTfjs();
  const topology = await readTopology(inputs.topology);
  const { isDrawn, pathOf } = sourcesOf(inputs.reconstructions);
  const { triplets } = await inputs.triplets.json<Triplets>("triplets.json");
  const targets = [...Map.groupBy(viewPairs(triplets), ({ to }) => to.key)].flatMap(([key, pairs]) => {
    const usable = pairs.filter((pair) => pathOf(pair) !== undefined);
    for (const { from } of pairs) {
      if (usable.some((pair) => pair.from === from)) continue;
      skip(`${from.key}.to.${key}`, isDrawn ? `${from.key} is not drawn there` : `${from.key} has no texture`);
    }
    return inputs.meshes.has(`${key}.safetensors`) && usable.length > 0 ? [{ key, pairs: usable }] : [];
  });
  let done = 0;
  for await (
    const views of readAhead(targets, {
      count: AT_ONCE,
      read: (target) => readView(inputs, { ...target, pathOf }),
    })
  ) {
    const sound = views.filter((view) => {
      const problem = problemOf(view);
      if (problem === undefined) return true;
      for (const { from } of view.pairs) skip(`${from.key}.to.${view.key}`, problem);
      return false;
    });
    for (const alike of Map.groupBy(sound, sizesOf).values()) {
      signal.throwIfAborted();
      if (isDrawn) {
        yield alike.map(({ sources, ...view }) => ({ ...view, pictures: sources }));
        continue;
      }
      const { photograph: { width, height }, sources: [{ width: size }] } = alike[0]!;
      const portraits = alike.flatMap(({ key, vertices, photograph, sources }) =>
        sources.map((texture): Portrait => ({
          name: key,
          vertices,
          texture: texture.data,
          background: photograph.data,
        }))
      );
      const rendered = await renderPortraits(tf, portraits, { topology, width, height, size, clip: true });
      let first = 0;
      yield alike.map(({ sources, ...view }) => {
        const pictures = rendered.slice(first, first += sources.length);
        return { ...view, pictures: pictures.map(({ data }) => ({ width, height, data })) };
      });
    }
    progress(done += views.length, targets.length);
  }
}

/** A view with the textures that are rendered in it, or with the pictures. */
type ReadView = Omit<OtherView, "pictures"> & { readonly sources: readonly [RgbImage, ...RgbImage[]] };

/** Where the texture or the picture of a pair is; undefined: nowhere. */
type PathOf = (pair: ViewPair) => string | undefined;

async function readView(
  { crops, unwrapped, meshes, reconstructions }: OtherViewInputs,
  { key, pairs, pathOf }: Pick<OtherView, "key" | "pairs"> & { readonly pathOf: PathOf },
): Promise<ReadView> {
  const [photograph, mask, vertices, sources] = await Promise.all([
    readImage(crops, `${key}.png`),
    readMask(unwrapped, key),
    readMesh(meshes, key),
    Promise.all(pairs.map((pair) => readImage(reconstructions, pathOf(pair)!))),
  ]);
  return { key, pairs, photograph, mask, vertices, sources: sources as [RgbImage, ...RgbImage[]] };
}

/**
 * What reconstructions hold for pairs of views: pictures, or textures, of which one that is meant for a pair alone goes
 * before that of its first view.
 */
function sourcesOf(reconstructions: Tree): { readonly isDrawn: boolean; readonly pathOf: PathOf } {
  const isDrawn = reconstructions.paths.some((path) => /\.to\..*\.render\.png$/.test(path));
  const names: (pair: ViewPair) => string[] = isDrawn
    ? ({ from, to }) => [`${from.key}.to.${to.key}.render.png`]
    : ({ from, to }) => [`${from.key}.to.${to.key}.texture.png`, `${from.key}.texture.png`];
  return { isDrawn, pathOf: (pair) => names(pair).find((path) => reconstructions.has(path)) };
}

/** Why nothing can be compared in a view, if so. */
function problemOf({ mask, vertices }: ReadView): string | undefined {
  if (!vertices.every(Number.isFinite)) return "a vertex of its mesh is no finite number";
  return mask.some((weight) => weight > 0) ? undefined : "the mask holds no pixel of the face";
}

/** What views must have in common to be rendered together. */
function sizesOf({ photograph: { width, height }, sources: [{ width: size }] }: ReadView): string {
  return `${width}×${height} ${size}`;
}
