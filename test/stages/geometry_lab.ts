/** From crops and meshes to first guesses, for tests of these stages and of what reads them. */
import { type Artifact, cast, sourceFolder, type Tree } from "@ftim/pipeline";
import { asset } from "../../stages/data/fetch.ts";
import { guessTextures } from "../../stages/geometry/first_guess.ts";
import { readImage } from "../../stages/faces/photograph.ts";
import { regress } from "../../stages/geometry/regress.ts";
import { unwrapTextures } from "../../stages/geometry/unwrap.ts";
import { faceFiles, modelFile, SIZE } from "./face_lab.ts";
import { type Scratch } from "./scratch.ts";

const assets = asset("models/facemeshcoords.ts");

/** Writes faces and the model as the stages before write them. */
export async function layFaces(
  { write }: Scratch,
  faces: Record<string, Parameters<typeof faceFiles>[1]>,
): Promise<void> {
  await write("model/model.safetensors", modelFile());
  for (const [key, face] of Object.entries(faces)) {
    for (const [path, content] of Object.entries(await faceFiles(key, face))) await write(path, content);
  }
}

/** The stages from crops and meshes to first guesses, on what `layFaces` wrote. */
export function geometryStages(folder: string) {
  const from = <K extends string>(name: string, kind: K): Artifact<K> => cast(sourceFolder(`${folder}/${name}`), kind);
  const crops = from("aligned", "aligned");
  const meshes = from("meshes", "meshes");
  const model = from("model", "model");
  const unwrapped = unwrapTextures({ crops, meshes, topology: assets }, { size: SIZE });
  const regressed = regress({ meshes, unwrapped, model, topology: assets });
  const shared = { crops, unwrapped, regressed, model, topology: assets };
  const guesses = guessTextures({ unwrapped, regressed, model, topology: assets });
  return { unwrapped, regressed, guesses, shared };
}

/** The colours of a map or picture of a stage. */
export const readMap = async (tree: Tree, path: string) => (await readImage(tree, path)).data;
