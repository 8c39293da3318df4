/**
 * The linear morphable model, fitted to the training photographs, in place of the paper's FLAME, which is gated. Shape
 * and expression come from the face meshes, and albedo from the unwrapped textures with the light divided out.
 *
 * Albedo and light are found by turns. Light is fitted to the mean of all textures, each texture is divided by its
 * shading and completed by symmetry, and the mean of the results takes the first mean's place.
 *
 * Beside `model.safetensors`, each photograph's completed albedo is kept (`sources/…`). `synthesize` makes captures
 * with known truth of these.
 */
import { z } from "zod";
import { defineStage } from "@ftim/pipeline";
import type { Triplet } from "../data/parts/triplet_choice.ts";
import type { Triplets } from "../data/triplets.ts";
import { keysOf } from "../faces/keys_of.ts";

/**
 * Meshes and textures of photographs of known persons → `model.safetensors` and `sources/<key>.albedo.png`. With
 * `triplets` only their frontal views are learned from: of multi-view captures, the views that show a face whole. With
 * `shape` (`shape.safetensors` of stage `flame`) the shape part is given, and albedo alone is learned.
 */
export const fitMorphableModel = defineStage({
  name: "fit_morphable",
  module: import.meta.url,
  inputs: {
    crops: "aligned",
    meshes: "meshes",
    unwrapped: "unwrapped",
    topology: "assets",
    triplets: "triplets?",
    shape: "flame?",
  },
  output: "model",
  params: z.strictObject({
    components: z.strictObject({
      identities: z.int().positive().default(20),
      expressions: z.int().positive().default(10),
      albedos: z.int().positive().default(20),
    }).prefault({}),
    /** Turns of light and albedo. */
    turns: z.int().positive().default(3),
    /** Pull of each photograph's light toward a plain one; what it keeps back stays in the albedo. */
    lightRidge: z.number().min(0).default(0.1),
    /** Most photographs of one person; thousands would not fit into memory. */
    perPerson: z.int().positive().optional(),
  }),
  determinism: "bitwise",
  computes: {
    webgpu: "light, fill, the sums of the principal components of albedo",
    cpu: "common frame of the meshes and their components, eigenvectors: a small solve",
  },
  resources: { gpu: true },
  run: async ({ inputs, params, out, log, progress }) => {
    const { openTfjs } = await import("@ftim/gpu/tfjs");
    const { learnAlbedos } = await import("./parts/learn_albedos.ts");
    const { decodeShape, encodeMorphable } = await import("../../face/morphable.ts");
    const { fitMorphable } = await import("../../face/fit_morphable.ts");
    const { disposeUvTables } = await import("../../face/uv_tables.ts");
    const { decodeSafetensors, encodeSafetensors } = await import("../../nets/safetensors.ts");
    const { readMesh, readSeen, readSymmetricTopology, readTopology } = await import("../faces/geometry.ts");
    const { encodePng } = await import("../faces/photograph.ts");
    const topology = await readTopology(inputs.topology);
    const keys = keysOf(inputs.meshes, ".safetensors");
    const named = await Promise.all(keys.map(async (key) => ({
      key,
      identity: (await inputs.crops.json<{ identity: string | null }>(`${key}.json`)).identity ?? key,
    })));
    const triplets = await inputs.triplets?.json<Triplets>("triplets.json");
    const chosen = chooseSources(named, { triplets: triplets?.triplets, perPerson: params.perPerson });
    const faces = await Promise.all(chosen.map(async ({ key, identity }) => ({
      key,
      identity,
      vertices: await readMesh(inputs.meshes, key),
      ...await readSeen(inputs.unwrapped, key),
    })));
    log(`${faces.length} photographs of ${new Set(faces.map(({ identity }) => identity)).size} persons`);
    const tf = await openTfjs();
    const albedos = await learnAlbedos(tf, faces, { ...params, topology, progress });
    const size = Math.sqrt(faces[0]!.visibility.length);
    const written = faces.map(async ({ key }, i) => {
      out.write(`sources/${key}.albedo.png`, await encodePng({ width: size, height: size, data: albedos.each[i]! }));
    });
    const on = inputs.shape === undefined
      ? { topology: await readSymmetricTopology(inputs.topology) }
      : { shape: decodeShape(decodeSafetensors(await inputs.shape.bytes("shape.safetensors"))) };
    const options = { albedos: albedos.training, components: params.components, ...on };
    const [model] = await Promise.all([fitMorphable(tf, faces, options), ...written]);
    disposeUvTables(topology);
    out.write("model.safetensors", encodeSafetensors(encodeMorphable(model)));
  },
});

/**
 * The photographs to learn from, in their order: with triplets their frontal views, and at most so many of one person.
 */
export function chooseSources<T extends { readonly key: string; readonly identity: string }>(
  photographs: readonly T[],
  { triplets, perPerson = Infinity }: {
    triplets?: readonly Pick<Triplet, "views">[] | undefined;
    perPerson?: number | undefined;
  },
): T[] {
  const frontal = triplets && new Set(triplets.map(({ views: [, frontal] }) => frontal));
  const taken = new Map<string, number>();
  return photographs.filter(({ key, identity }) => {
    if (frontal !== undefined && !frontal.has(key)) return false;
    const count = (taken.get(identity) ?? 0) + 1;
    taken.set(identity, count);
    return count <= perPerson;
  });
}
