/**
 * A method's textures beside the true ones that `synthesize` rendered the captures with, in the same UV map.
 *
 * A texel counts as seen where its visibility is at least a half, as unseen where it is below a twentieth; between the
 * two it is neither. Known are those unseen texels whose visibility in the portraits of the head is at least a half.
 */
import type { RgbImage } from "../../../face/image.ts";
import type { Topology } from "../../../face/topology.ts";
import { type UvMap, uvMap } from "../../../face/uv_map.ts";
import type { Tree } from "@ftim/pipeline";
import type { AlignedFace } from "../../data/align.ts";
import { readTopology, readVisibility } from "../../faces/geometry.ts";
import { keysOf } from "../../faces/keys_of.ts";
import { readImage } from "../../faces/photograph.ts";
import { readAhead } from "../../faces/read_ahead.ts";

/** A view's completed texture and the truth. */
export interface TexturePair {
  readonly identity: string;
  readonly key: string;
  /** True yaw of the view, degrees. */
  readonly yaw: number;
  readonly texture: RgbImage;
  readonly truth: RgbImage;
  /** The texels of each part, 0 or 1 [T]; a part may be empty. */
  readonly parts: Readonly<Record<"seen" | "unseen" | "all" | "known", Float32Array>>;
}

/** What `texturePairs` reads. */
export interface TruthInputs {
  readonly crops: Tree;
  readonly unwrapped: Tree;
  readonly reconstructions: Tree;
  readonly truth: Tree;
  readonly topology: Tree;
  /** Of `known_texels`; without it no texel is known. */
  readonly known?: Tree | undefined;
}

/** Views at once. */
const AT_ONCE = 8;

/**
 * Some views at a time; the next are read meanwhile. A view that the method has no texture of is skipped by name.
 *
 * @throws {TypeError} if a texture is not of the truth's size
 */
export async function* texturePairs(
  inputs: TruthInputs,
  { skip, signal }: { skip: (key: string, reason: string) => void; signal: AbortSignal },
): AsyncGenerator<readonly TexturePair[]> {
  const topology = await readTopology(inputs.topology);
  const ending = ".texture.png";
  const keys = keysOf(inputs.unwrapped, ending);
  const known = keys.filter((key) => inputs.reconstructions.has(key + ending));
  for (const key of keys) if (!known.includes(key)) skip(key, "the method has no texture of it");
  const read = (key: string) => readPair(inputs, { key, topology });
  for await (const pairs of readAhead(known, { count: AT_ONCE, read })) {
    signal.throwIfAborted();
    yield pairs;
  }
}

async function readPair(
  { crops, unwrapped, reconstructions, truth: made, known: portraits }: TruthInputs,
  { key, topology }: { key: string; topology: Topology },
): Promise<TexturePair> {
  const { identity, expression, angles } = await crops.json<AlignedFace>(`${key}.json`);
  if (identity === null || angles === null) {
    throw new Error(`${key}: identity and angles of a made capture are known`);
  }
  const [texture, truth, visibility, known] = await Promise.all([
    readImage(reconstructions, `${key}.texture.png`),
    readImage(made, `textures/${identity}/${expression}.texture.png`),
    readVisibility(unwrapped, key),
    portraits && readVisibility(portraits, `${identity}/${expression}`),
  ]);
  if (truth.data.length !== texture.data.length) {
    throw new TypeError(
      `${key}: the true texture has ${truth.data.length / 3} texels, the completed one ${texture.data.length / 3}`,
    );
  }
  const parts = partsOf(visibility, { known, map: uvMap(topology, texture.width) });
  return { identity, key, yaw: angles.yaw, texture, truth, parts };
}

function partsOf(
  visibility: Float32Array,
  { known, map: { inside } }: { known: Float32Array | undefined; map: UvMap },
): TexturePair["parts"] {
  const none = () => new Float32Array(visibility.length);
  const parts = { seen: none(), unseen: none(), all: none(), known: none() };
  for (const [i, value] of visibility.entries()) {
    if (inside[i] === 0) continue;
    parts.all[i] = 1;
    if (value >= 0.5) parts.seen[i] = 1;
    else if (value < 0.05) {
      parts.unseen[i] = 1;
      if (known !== undefined && known[i]! >= 0.5) parts.known[i] = 1;
    }
  }
  return parts;
}
