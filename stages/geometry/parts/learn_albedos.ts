/** Albedos of the training photographs, found by turns with the light in each (see `fit_morphable`). */
import { completeTexture } from "../../../face/fill.ts";
import { fitLight, shade } from "../../../face/light.ts";
import { normalMap } from "../../../face/shading.ts";
import { flipMap } from "../../../face/symmetry.ts";
import type { Topology } from "../../../face/topology.ts";

/** One photograph's face in UV space. */
export interface SeenFace {
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

/**
 * Learns the albedos.
 *
 * @returns `each`: the completed albedo of every face [S·S·3], 0..1; `training`: those that the basis is learned from,
 *   and their mirror images
 */
export function learnAlbedos(
  faces: readonly SeenFace[],
  { topology, turns, lightRidge, progress }: {
    topology: Topology;
    turns: number;
    lightRidge: number;
    progress: (done: number, total: number) => void;
  },
): { each: Float32Array[]; training: Float32Array[] } {
  const size = Math.sqrt(faces[0]!.visibility.length);
  const persons = [...Map.groupBy(faces.keys(), (i) => faces[i]!.identity).values()];
  const normals = faces.map(({ vertices }) => normalMap(vertices, topology, { size }));
  let each = faces.map(({ texture, visibility }) => completeTexture(texture, visibility, { topology }));
  for (let turn = 0; turn < turns; turn++) {
    const mean = symmetricMean(persons.map((members) => average(members.map((i) => each[i]!))), size);
    each = faces.map((face, i) => {
      // Nearly the whole face is seen here, so the second order and the lamps' colours can be.
      const prior = { ridge: lightRidge, secondOrder: 1, tint: 0 };
      const light = fitLight(thinned(face, { albedo: mean, normals: normals[i]! }), prior);
      const shading = shade(normals[i]!, light);
      const albedo = face.texture.map((value, k) => Math.min(1, value / Math.max(LEAST_SHADING, shading[k]!)));
      progress(turn * faces.length + i + 1, turns * faces.length);
      return completeTexture(albedo, face.visibility, { topology }).map((value) => Math.min(1, Math.max(0, value)));
    });
  }
  const chosen = persons.flatMap((members) => members.slice(0, PER_PERSON).map((i) => each[i]!));
  return { each, training: chosen.flatMap((albedo) => [albedo, flipMap(albedo, size)]) };
}

function thinned(
  { texture, visibility }: SeenFace,
  { albedo, normals }: { albedo: Float32Array; normals: Float32Array },
): Parameters<typeof fitLight>[0] {
  const chosen: number[] = [];
  for (let i = 0; i < visibility.length; i += STRIDE) if (visibility[i]! > 0) chosen.push(i);
  const take = (values: Float32Array) =>
    Float32Array.from(chosen.flatMap((i) => [...values.subarray(3 * i, 3 * i + 3)]));
  return {
    albedo: take(albedo),
    normals: take(normals),
    colours: take(texture),
    weights: Float32Array.from(chosen, (i) => visibility[i]!),
  };
}

function symmetricMean(maps: readonly Float32Array[], size: number): Float32Array {
  const mean = average(maps);
  return average([mean, flipMap(mean, size)]);
}

function average(maps: readonly Float32Array[]): Float32Array {
  const mean = new Float32Array(maps[0]!.length);
  for (const map of maps) for (let i = 0; i < mean.length; i++) mean[i] = mean[i]! + map[i]! / maps.length;
  return mean;
}
