/**
 * Albedos of the training photographs, found by turns with the light in each (see `fit_morphable`), on the device.
 */
import type { Tensor, Tensor3D, Tensor4D } from "@tensorflow/tfjs";
import type { Tfjs } from "@ftim/gpu/tfjs";
import { program, run } from "@ftim/gpu/wgsl";
import { completeTextures } from "../../../face/complete_textures.ts";
import { fitLights } from "../../../face/fit_lights.ts";
import { joined } from "../../../face/joined.ts";
import { normalMaps, uploadMeshes } from "../../../face/normal_maps.ts";
import { readBack } from "@ftim/gpu/ops/read-back";
import { shadeMaps } from "../../../face/shade_maps.ts";
import type { Topology } from "../../../face/topology.ts";
import { inParts } from "../../faces/in_parts.ts";

/** One photograph's face in UV space. */
export interface SeenFace {
  /** Names the photograph in errors. */
  key: string;
  identity: string;
  /** Posed vertices, crop pixels [3·V]. */
  vertices: Float32Array;
  /** Incomplete texture [S·S·3]. */
  texture: Float32Array;
  /** Visibility [S·S]. */
  visibility: Float32Array;
}

/** Shading below this is not divided by: it would turn noise into albedo. */
const LEAST_SHADING = 0.25;
/** Photographs of one person that go into the basis, so that one with many does not fill it. */
const PER_PERSON = 2;
/** Every n-th texel takes part in the fit of light. */
const STRIDE = 7;
/** Faces at once on the device. */
const PART = 8;
/** Nearly the whole face is seen here, so the second order and the lamps' colours can be. */
const PRIOR = { secondOrder: 1, tint: 0 } as const;

/** How albedos are learned. */
export interface LearnOptions {
  readonly topology: Topology;
  readonly turns: number;
  readonly lightRidge: number;
  readonly progress: (done: number, total: number) => void;
}

/**
 * Learns the albedos.
 *
 * @returns `each`: the completed albedo of every face [S·S·3], 0..1; `training`: those that the basis is learned from,
 *   and their mirror images
 * @throws {Error} if nothing was seen of a face; the message names it
 */
export async function learnAlbedos(
  tf: Tfjs,
  faces: readonly SeenFace[],
  { topology, turns, lightRidge, progress }: LearnOptions,
): Promise<{ each: Float32Array[]; training: Float32Array[] }> {
  const size = Math.sqrt(faces[0]!.visibility.length);
  const persons = [...Map.groupBy(faces.keys(), (i) => faces[i]!.identity).values()];
  const weights = new Float32Array(faces.length);
  for (const members of persons) for (const i of members) weights[i] = 1 / (members.length * persons.length);
  const parts: Part[] = [];
  for (let first = 0; first < faces.length; first += PART) {
    parts.push({ first, faces: faces.slice(first, first + PART), albedos: undefined });
  }
  let mean: Tensor4D | undefined;
  const updateMean = () => {
    mean?.dispose();
    mean = symmetricMean(tf, parts.map(({ albedos }) => albedos!), weights);
  };
  try {
    await inParts(parts, {
      size: 1,
      work: async ([part]) => {
        const seen = upload(tf, part!.faces, size);
        part!.albedos = await completed(tf, part!, { ...seen, topology }).finally(() => tf.dispose({ ...seen }));
      },
    });
    let done = 0;
    for (let turn = 0; turn < turns; turn++) {
      updateMean();
      await inParts(parts, {
        size: 1,
        work: async ([part]) => {
          await divideLight(tf, part!, { mean: mean!, ridge: lightRidge, topology, size });
          for (const _ of part!.faces) progress(++done, turns * faces.length);
        },
      });
    }
    const read = await Promise.all(parts.map(async ({ albedos }) => {
      const maps = await readBack([tf.clone(albedos!), tf.reverse(albedos!, 2)], "learnAlbedos");
      return maps.map((values) => mapsOf(values, albedos!.shape[0]));
    }));
    const [each, mirrored] = [read.flatMap(([maps]) => maps!), read.flatMap(([, maps]) => maps!)];
    const chosen = persons.flatMap((members) => members.slice(0, PER_PERSON));
    return { each, training: chosen.flatMap((i) => [each[i]!, mirrored[i]!]) };
  } finally {
    mean?.dispose();
    tf.dispose(parts.flatMap(({ albedos }) => albedos ?? []));
  }
}

/** Some of the faces, and what their albedos are by now [B, S, S, 3]. */
interface Part {
  readonly first: number;
  readonly faces: readonly SeenFace[];
  albedos: Tensor4D | undefined;
}

/** What was seen of some faces. */
interface Seen {
  readonly textures: Tensor4D;
  readonly visibilities: Tensor3D;
}

function upload(tf: Tfjs, faces: readonly SeenFace[], size: number): Seen {
  return {
    textures: tf.tensor4d(joined(faces.map(({ texture }) => texture)), [faces.length, size, size, 3]),
    visibilities: tf.tensor3d(joined(faces.map(({ visibility }) => visibility)), [faces.length, size, size]),
  };
}

/** Divides each texture by its shading in the light that fits the mean albedo, and completes it. */
async function divideLight(
  tf: Tfjs,
  part: Part,
  { mean, ridge, topology, size }: { mean: Tensor4D; ridge: number; topology: Topology; size: number },
): Promise<void> {
  const { textures, visibilities } = upload(tf, part.faces, size);
  const normals = tf.tidy(() =>
    normalMaps(tf, uploadMeshes(tf, part.faces.map(({ vertices }) => vertices), topology), { topology, size })
  );
  const owned: Tensor[] = [textures, visibilities, normals];
  try {
    const seen = { albedo: mean, normals, texture: textures, weight: visibilities };
    const lights = await fitLights(tf, seen, { ...PRIOR, ridge, stride: STRIDE });
    const divided = tf.tidy(() => {
      const shading = shadeMaps(tf, normals, tf.tensor2d(lights.flatMap((light) => [...light]), [lights.length, 27]));
      return tf.minimum<Tensor4D>(1, tf.div(textures, tf.maximum(LEAST_SHADING, shading)));
    });
    owned.push(divided);
    const albedos = await completed(tf, part, { textures: divided, visibilities, topology });
    part.albedos?.dispose();
    part.albedos = tf.tidy(() => tf.clipByValue(albedos, 0, 1));
    albedos.dispose();
  } finally {
    tf.dispose(owned);
  }
}

async function completed(
  tf: Tfjs,
  { faces }: Part,
  { topology, ...seen }: Seen & { topology: Topology },
): Promise<Tensor4D> {
  const { textures, unseen } = await completeTextures(tf, seen, { topology });
  const [first] = unseen;
  if (first === undefined) return textures;
  textures.dispose();
  throw new Error(`${faces[first]!.key}: its albedo cannot be learned: no texel of it was seen`);
}

/**
 * The weighted mean of all maps and their mirror images [1, S, S, 3]. The maps are added one after the other, so the
 * bits do not depend on how they are divided into parts.
 */
function symmetricMean(tf: Tfjs, parts: readonly Tensor4D[], weights: Float32Array): Tensor4D {
  return tf.tidy(() => {
    const [, height, width] = parts[0]!.shape;
    let sum: Tensor = tf.zeros([1, height, width, 3]);
    let first = 0;
    for (const maps of parts) {
      const own = tf.tensor1d(weights.subarray(first, first += maps.shape[0]));
      sum = run(tf, {
        key: "add_weighted_maps",
        code: () =>
          program({
            result: "f32",
            inputs: [["sum", "f32"], ["maps", "f32"], ["weights", "f32"]],
            uniforms: ["size", "count"],
            body: `
  if (id >= u.size) { return; }
  var value = sum[id];
  for (var k = 0; k < u.count; k++) { value = fma(weights[k], maps[k * u.size + id], value); }
  result[id] = value;`,
          }),
        inputs: [sum, maps, own],
        shape: sum.shape,
        uniforms: [sum.size, maps.shape[0]],
        invocations: sum.size,
      });
    }
    return tf.mul<Tensor4D>(0.5, tf.add(sum, tf.reverse(sum, 2)));
  });
}

/** Maps of one size out of what was read of all. */
function mapsOf(values: Float32Array, count: number): Float32Array[] {
  const length = values.length / count;
  return Array.from({ length: count }, (_, i) => values.slice(i * length, (i + 1) * length));
}
