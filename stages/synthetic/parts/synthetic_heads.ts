/**
 * The heads of `synthesize`, many at once on the device: cast from the training photographs, lit, and photographed.
 */
import type { Tensor3D, Tensor4D } from "@tensorflow/tfjs";
import type { Tfjs } from "@ftim/gpu/tfjs";
import { drawScenes } from "../../../face/draw_scenes.ts";
import { type HeadShell, headShell } from "../../../face/head_shell.ts";
import { joined } from "../../../face/joined.ts";
import { colourSums } from "../../../face/mean_colours.ts";
import { type MorphableModel, shapeOf } from "../../../face/morphable.ts";
import { shadingMaps, uploadMeshes } from "../../../face/normal_maps.ts";
import type { Pixels } from "../../../face/pixels.ts";
import { flipYZ } from "../../../face/pose.ts";
import { readBack } from "@ftim/gpu/ops/read-back";
import type { Topology } from "../../../face/topology.ts";
import type { Camera } from "../../data/parts/facescape.ts";
import { coverAlbedos } from "./synthetic_covers.ts";
import { type CapturePlan, photographsOf } from "./synthetic_plan.ts";
import { project } from "./synthetic_studio.ts";

/** One training photograph, ready to be cast. */
export interface Source {
  /** Key of its face. */
  key: string;
  person: string;
  /** The whole photograph. */
  photograph: Pixels;
  /** Its mesh in pixels of the photograph [3·V]. */
  vertices: Float32Array;
  /** Identity coefficients of the mesh, standard deviations. */
  identity: Float32Array;
  /** Completed albedo map [T·3]. */
  albedo: Float32Array;
  /** Mean colour of the face in the photograph. */
  colour: readonly [number, number, number];
}

/** What heads are made of. */
export interface Casting {
  readonly sources: readonly Source[];
  readonly model: MorphableModel;
  readonly topology: Topology;
}

/** The shape of a head. */
export interface CastHead {
  /** Vertices in millimetres, canonical head frame [3·V]. */
  readonly shape: Float32Array;
  readonly shell: HeadShell;
  /** Whose photograph is around the face. */
  readonly source: Source;
}

/** Heads in their light, before the camera. */
export interface CastHeads {
  readonly heads: readonly CastHead[];
  /** [B, S, S, 3] */
  readonly albedos: Tensor4D;
  /** Albedo times shading [B, S, S, 3], 0..1. */
  readonly textures: Tensor4D;
}

/** Millimetres for one unit of model space, of which a face is 2.7 wide: about 150 mm. */
const MILLIMETRES = 55;

/** Makes the heads of some captures. The caller disposes of the maps. */
export function castHeads(
  tf: Tfjs,
  captures: readonly CapturePlan[],
  { sources, model, topology }: Casting,
): CastHeads {
  const cast = captures.map(({ head, code, photograph }) => {
    const chosen = photographsOf({ head, photograph }, sources);
    const [first, second = first] = chosen as [Source, Source?];
    const identity = first.identity.map((value, k) =>
      Math.fround(head.share * value + (1 - head.share) * second.identity[k]!) + head.jitter[k]!
    );
    return {
      first,
      second,
      share: head.share,
      unit: shapeOf(model, { identity, expression: Float32Array.from(code) }),
    };
  });
  const size = Math.sqrt(cast[0]!.first.albedo.length / 3);
  const stacked = (name: "first" | "second") =>
    tf.tensor4d(joined(cast.map((head) => head[name].albedo)), [cast.length, size, size, 3]);
  const maps = tf.tidy(() => {
    const shares = tf.tensor4d(cast.map(({ share }) => share), [cast.length, 1, 1, 1]);
    const bare = tf.add<Tensor4D>(
      tf.mul(stacked("first"), shares),
      tf.mul(stacked("second"), tf.sub(1, shares)),
    );
    const albedos = coverAlbedos(
      tf,
      bare,
      cast.map(({ first }, i) => {
        const { cover } = captures[i]!;
        return cover === null ? null : { plan: cover, source: first };
      }),
    );
    const shading = shadingMaps(tf, uploadMeshes(tf, cast.map(({ unit }) => flipYZ(unit)), topology), {
      light: tf.tensor2d(captures.flatMap(({ light }) => [...light]), [cast.length, 27]),
      topology,
      size,
    });
    return { albedos, textures: tf.clipByValue<Tensor4D>(tf.mul(albedos, shading), 0, 1) };
  });
  const heads = cast.map(({ first, unit }): CastHead => {
    const shape = unit.map((value) => value * MILLIMETRES);
    const shell = headShell(shape, { triangles: topology.triangles, photographed: first.vertices });
    return { shape, shell, source: first };
  });
  return { heads, ...maps };
}

/**
 * How much brighter each head is than the face in its photograph: what the shell's colours are multiplied by.
 */
export async function tintsOf(
  tf: Tfjs,
  { heads, textures }: Pick<CastHeads, "heads" | "textures">,
): Promise<(readonly [number, number, number])[]> {
  const [sums] = await readBack([colourSums(tf, textures)], "synthesize");
  return heads.map(({ source: { colour } }, i) => {
    const count = Math.max(1, sums![4 * i + 3]!);
    const tint = (c: 0 | 1 | 2) => Math.min(1.6, Math.max(0.5, Math.max(sums![4 * i + c]! / count, 1e-3) / colour[c]));
    return [tint(0), tint(1), tint(2)];
  });
}

/** What a head is photographed with. */
export interface Sitting {
  readonly cameras: readonly Camera[];
  readonly topology: Topology;
  /** Albedo times shading [S, S, 3]. */
  readonly texture: Tensor3D;
  readonly tint: readonly [number, number, number];
  /** [H, W, 3], of the cameras' size. */
  readonly background: Tensor3D;
}

/**
 * Takes a head's pictures.
 *
 * @returns [cameras, H, W, 3]
 * @throws {RangeError} if a vertex falls on no finite place of a picture
 */
export function photographHead(
  tf: Tfjs,
  { shape, shell, source }: CastHead,
  { cameras, topology, texture, tint, background }: Sitting,
): Tensor4D {
  const frames = cameras.map((camera) => ({ face: project(shape, camera), shell: project(shell.vertices, camera) }));
  const scene = { topology, texture, shell, photograph: source.photograph, tint, background };
  return drawScenes(tf, frames, scene);
}
