/** Reading topology, morphable model, meshes and textures from artifacts. */
import type { RgbImage } from "../../face/image.ts";
import { decodeMorphable, type MorphableModel } from "../../face/morphable.ts";
import type { FaceLandmarks, SymmetricTopology, Topology } from "../../face/topology.ts";
import { FACEMESH_LANDMARKS, FACEMESH_NUMBERING, parseFacemesh } from "../../nets/facemesh_topology.ts";
import { decodeSafetensors, encodeSafetensors } from "../../nets/safetensors.ts";
import type { Tree } from "@ftim/pipeline";
import { readFacePart } from "./face_part_file.ts";
import { readImage, readPixels } from "./photograph.ts";

/**
 * The topology that a regressor brings: of the face mesh network the packaged source file, whose mouth is opened here;
 * of FLAME what stage `flame` stored.
 */
export async function readTopology(assets: Tree): Promise<Topology> {
  const facemesh = facemeshFile(assets);
  return facemesh === undefined ? (await readFacePart(assets)).topology : parsedOnce(await assets.text(facemesh));
}

/** The source text that was parsed last. */
let parsed: { readonly source: string; readonly topology: SymmetricTopology } | undefined;

/**
 * The topology of a source text. Every stage reads the same one, so that its UV map is computed once a process. Each
 * caller has an object of its own, for it frees what the device holds for that object.
 */
function parsedOnce(source: string): SymmetricTopology {
  if (parsed?.source !== source) parsed = { source, topology: parseFacemesh(source) };
  return { ...parsed.topology };
}

/**
 * The same for what is learned of a mesh and its mirror image.
 *
 * @throws {TypeError} if the chart is not symmetric vertex for vertex
 */
export async function readSymmetricTopology(assets: Tree): Promise<SymmetricTopology> {
  const topology: Topology & Partial<SymmetricTopology> = await readTopology(assets);
  const { mirror } = topology;
  if (mirror === undefined) throw new TypeError("This regressor's chart is not symmetric vertex for vertex");
  return { ...topology, mirror };
}

/** What vertices of the topology mark. */
export async function readLandmarks(assets: Tree): Promise<FaceLandmarks> {
  return facemeshFile(assets) === undefined ? (await readFacePart(assets)).landmarks : FACEMESH_LANDMARKS;
}

/** Whose numbers vertices have. */
export interface Numbering {
  readonly name: string;
  /** Of each vertex its number in a whole template, where the topology is a part of one. */
  readonly vertices?: Uint32Array;
}

/** Whose numbers the topology's vertices have. */
export async function readNumbering(assets: Tree): Promise<Numbering> {
  if (facemeshFile(assets) !== undefined) return { name: FACEMESH_NUMBERING };
  const { vertices } = await readFacePart(assets);
  return { name: "the corners of FLAME's chart that lie in the face; vertices names FLAME's own", vertices };
}

function facemeshFile({ paths }: Tree): string | undefined {
  return paths.find((name) => name.endsWith("facemeshcoords.ts"));
}

/** A tensor of a stage's safetensors file as floats. */
export async function readFloats(tree: Tree, path: string): Promise<Record<string, Float32Array>> {
  const floats: Record<string, Float32Array> = {};
  for (const [name, { data }] of Object.entries(decodeSafetensors(await tree.bytes(path)))) {
    if (!(data instanceof Float32Array)) throw new TypeError(`${path}: tensor "${name}" is not float32`);
    floats[name] = data;
  }
  return floats;
}

/** A posed mesh, and how sure the network was of it if it was found by one. */
export interface StoredMesh {
  /** Crop pixels (x right, y down, z away) [3·V]. */
  readonly vertices: Float32Array;
  /** Probability that there is a face. */
  readonly score?: number | undefined;
}

/** The file of one mesh. */
export function encodeMesh({ vertices, score }: StoredMesh): Uint8Array {
  return encodeSafetensors({
    vertices: { shape: [vertices.length / 3, 3], data: vertices },
    ...(score === undefined ? {} : { score: { shape: [1], data: Float32Array.of(score) } }),
  });
}

/**
 * Reads one mesh.
 *
 * @throws {TypeError} if the file holds no vertices
 */
export async function readStoredMesh(meshes: Tree, key: string): Promise<StoredMesh> {
  const { vertices, score } = await readFloats(meshes, `${key}.safetensors`);
  if (vertices === undefined) throw new TypeError(`${key}.safetensors holds no vertices`);
  return { vertices, score: score?.[0] };
}

/** The posed vertices of one face, crop pixels (x right, y down, z away) [3·V]. */
export async function readMesh(meshes: Tree, key: string): Promise<Float32Array> {
  return (await readStoredMesh(meshes, key)).vertices;
}

/** The morphable model that `fit_morphable` stored. */
export async function readMorphable(model: Tree): Promise<MorphableModel> {
  return decodeMorphable(decodeSafetensors(await model.bytes("model.safetensors")));
}

/** Incomplete texture [S·S·3] and visibility [S·S] of one face, both in 0..1. */
export async function readSeen(
  unwrapped: Tree,
  key: string,
  { visibility = "visibility" }: { readonly visibility?: "visibility" | "mirrored" } = {},
): Promise<{ texture: Float32Array; visibility: Float32Array }> {
  const [texture, seen] = await Promise.all(
    ["texture", visibility].map((name) => readImage(unwrapped, `${key}.${name}.png`)),
  );
  return { texture: texture!.data, visibility: greyOf(seen!) };
}

/** The same, with how much of what was seen may be mirrored, where `seen_skin` has said so. */
export async function readMirrored(unwrapped: Tree, key: string): ReturnType<typeof readSeen> {
  return await readSeen(unwrapped, key, {
    visibility: unwrapped.has(`${key}.mirrored.png`) ? "mirrored" : "visibility",
  });
}

/** The same as they are stored, a byte a value. */
export async function readSeenBytes(
  unwrapped: Tree,
  key: string,
): Promise<{ texture: Uint8Array; visibility: Uint8Array }> {
  const [texture, visibility] = await Promise.all([
    readPixels(unwrapped, `${key}.texture.png`),
    readVisibilityBytes(unwrapped, key),
  ]);
  return { texture: texture.data, visibility };
}

/** How well each texel of one face was seen, as it is stored, a byte a value [S·S]. */
export async function readVisibilityBytes(unwrapped: Tree, key: string): Promise<Uint8Array> {
  return (await readPixels(unwrapped, `${key}.visibility.png`)).data.filter((_, i) => i % 3 === 0);
}

/** How well each texel of one face was seen, 0..1 [S·S]. */
export async function readVisibility(unwrapped: Tree, key: string): Promise<Float32Array> {
  return greyOf(await readImage(unwrapped, `${key}.visibility.png`));
}

/** The mask of the mesh in one face's crop, 0..1 [P]: what every method is scored on. */
export async function readMask(unwrapped: Tree, key: string): Promise<Float32Array> {
  return greyOf(await readImage(unwrapped, `${key}.mask.png`));
}

/** One of three equal channels of a picture [P]. */
export function greyOf({ data }: RgbImage): Float32Array {
  const grey = new Float32Array(data.length / 3);
  for (let i = 0; i < grey.length; i++) grey[i] = data[3 * i]!;
  return grey;
}
