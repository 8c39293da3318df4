/**
 * A method's textures beside the true ones that `synthesize` rendered the captures with, in the same UV map.
 *
 * A texel counts as seen where its visibility is at least a half, as unseen where it is below a twentieth; between the
 * two it is neither.
 */
import type { RgbImage } from "../../../face/image.ts";
import { uvMap } from "../../../face/uv_map.ts";
import type { Tree } from "@ftim/pipeline";
import type { AlignedFace } from "../../data/align.ts";
import { readSeen, readTopology } from "../../faces/geometry.ts";
import { readImage } from "../../faces/photograph.ts";

/** A view's completed texture and the truth. */
export interface TexturePair {
  readonly identity: string;
  readonly key: string;
  /** True yaw of the view, degrees. */
  readonly yaw: number;
  readonly texture: RgbImage;
  readonly truth: RgbImage;
  /** The texels of each part, 0 or 1 [T]; a part may be empty. */
  readonly parts: Readonly<Record<"seen" | "unseen" | "all", Float32Array>>;
}

/** What `texturePairs` reads. */
export interface TruthInputs {
  readonly crops: Tree;
  readonly unwrapped: Tree;
  readonly reconstructions: Tree;
  readonly truth: Tree;
  readonly topology: Tree;
}

/**
 * View by view. A view that the method has no texture of is skipped by name.
 *
 * @throws {TypeError} if a texture is not of the truth's size
 */
export async function* texturePairs(
  inputs: TruthInputs,
  { skip, signal }: { skip: (key: string, reason: string) => void; signal: AbortSignal },
): AsyncGenerator<TexturePair> {
  const topology = await readTopology(inputs.topology);
  const ending = ".texture.png";
  for (const path of inputs.unwrapped.paths.filter((path) => path.endsWith(ending))) {
    signal.throwIfAborted();
    const key = path.slice(0, -ending.length);
    if (!inputs.reconstructions.has(path)) {
      skip(key, "the method has no texture of it");
      continue;
    }
    const { identity, expression, angles } = await inputs.crops.json<AlignedFace>(`${key}.json`);
    if (identity === null || angles === null) {
      throw new Error(`${key}: identity and angles of a made capture are known`);
    }
    const texture = await readImage(inputs.reconstructions, path);
    const truth = await readImage(inputs.truth, `textures/${identity}/${expression}.texture.png`);
    if (truth.data.length !== texture.data.length) {
      throw new TypeError(
        `${key}: the true texture has ${truth.data.length / 3} texels, the completed one ${texture.data.length / 3}`,
      );
    }
    const { visibility } = await readSeen(inputs.unwrapped, key);
    const { inside } = uvMap(topology, texture.width);
    const part = (belongs: (visibility: number) => boolean) =>
      visibility.map((value, i) => inside[i] !== 0 && belongs(value) ? 1 : 0);
    const parts = { seen: part((v) => v >= 0.5), unseen: part((v) => v < 0.05), all: part(() => true) };
    yield { identity, key, yaw: angles.yaw, texture, truth, parts };
  }
}
