/**
 * A method's textures where copying does not help: each rendered in another view of the same triplet, over the
 * photograph there.
 */
import type { RgbImage } from "../../../face/image.ts";
import { pictureOperator } from "../../../face/render.ts";
import type { Tree } from "@ftim/pipeline";
import { readMask, readMesh, readTopology } from "../../faces/geometry.ts";
import { readImage } from "../../faces/photograph.ts";
import { overlay } from "../../faces/reconstruction.ts";
import type { Triplets } from "../../data/triplets.ts";
import { type ViewPair, viewPairs } from "./view_pairs.ts";

/** A view, with the textures of others rendered in it. */
export interface OtherView {
  readonly key: string;
  readonly photograph: RgbImage;
  /** The mesh in the photograph, 0..1 [P]. */
  readonly mask: Float32Array;
  /** Crop pixels [3·V]. */
  readonly vertices: Float32Array;
  /** Where each picture's texture comes from. */
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
  readonly reconstructions: Tree;
  readonly topology: Tree;
}

/** What `otherViews` tells of its work; a stage's context. */
export interface OtherViewOptions {
  readonly skip: (key: string, reason: string) => void;
  readonly progress: (done: number, total: number) => void;
  readonly signal: AbortSignal;
}

/**
 * View by view, in the triplets' order. A view without a mesh is left out, and a pair whose first view the method has
 * no texture of is skipped by name.
 */
export async function* otherViews(
  inputs: OtherViewInputs,
  { skip, progress, signal }: OtherViewOptions,
): AsyncGenerator<OtherView> {
  const topology = await readTopology(inputs.topology);
  const { triplets } = await inputs.triplets.json<Triplets>("triplets.json");
  const targets = [...Map.groupBy(viewPairs(triplets), ({ to }) => to.key)];
  for (const [done, [key, pairs]] of targets.entries()) {
    signal.throwIfAborted();
    const usable = pairs.filter(({ from }) => inputs.reconstructions.has(`${from.key}.texture.png`));
    for (const { from } of pairs) {
      if (!usable.some((pair) => pair.from === from)) skip(`${from.key}.to.${key}`, `${from.key} has no texture`);
    }
    if (!inputs.meshes.has(`${key}.safetensors`) || usable.length === 0) continue;
    const photograph = await readImage(inputs.crops, `${key}.png`);
    const { width, height } = photograph;
    const mask = await readMask(inputs.unwrapped, key);
    const vertices = await readMesh(inputs.meshes, key);
    const textures = await Promise.all(
      usable.map(({ from }) => readImage(inputs.reconstructions, `${from.key}.texture.png`)),
    );
    const operator = pictureOperator(vertices, { topology, size: textures[0]!.width, width, height });
    const pictures = textures.map((texture) => overlay(photograph, { operator, texture: texture.data }));
    yield { key, photograph, mask, vertices, pairs: usable, pictures };
    progress(done + 1, targets.length);
  }
}
