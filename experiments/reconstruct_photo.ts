/**
 * `reconstruct PHOTO`: one photograph → the texture, albedo, overlay and textured head of every face in it.
 *
 * The network comes from `<results>/embedded/trained.safetensors`, which is committed; without that file the embedded
 * experiment makes it first, which takes long, so it says so before it starts.
 */
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { embedded, type EmbeddedOptions } from "./embedded.ts";
import { facesIn, photograph, type Trained, unpacked } from "./photograph.ts";
import { itemKey, type Options, publish, reproduce, sourceFile, statusOf, type Tree } from "@ftim/pipeline";
import type { Detection } from "../stages/data/detect.ts";
import type { Head } from "../stages/methods/head.ts";

/** What to reconstruct, and how. */
export interface ReconstructOptions {
  /** Path of a photograph: JPEG, PNG, TIFF, WebP, AVIF or GIF. */
  readonly photo: string;
  /** Folder for the results. Default `reconstruction/<name of the photograph>`. */
  readonly output?: string;
  /** The committed results, where the trained network lies. Default: `results` beside this package. */
  readonly results?: string;
  /** How to train if there is no trained network. */
  readonly training?: EmbeddedOptions;
  /** Another training than those two. */
  readonly trained?: Trained;
  /** Store, reporter, signal and so on of the engine. */
  readonly engine?: Options;
  /** Takes lines for the person who waits. Default `console.log`. */
  readonly say?: (line: string) => void;
}

/** A reconstructed face. */
export interface ReconstructedFace extends Head {
  /** Holds `texture.png`, `albedo.png`, `overlay.png`, `head.glb` and `face.json`. */
  readonly folder: string;
}

/** The photograph cannot be reconstructed. The message says why and what to try. */
export class ReconstructError extends Error {
  override name = "ReconstructError";
}

const RESULTS = fileURLToPath(new URL("../results", import.meta.url));
/** Faces narrower than this, in photograph pixels, hold less than the texture could show. */
const SMALL = 100;

/**
 * Reconstructs the faces of a photograph and writes them to a folder: the files of a single face directly, those of
 * several in `0/`, `1/`, … from left to right, beside `photograph.png`, the photograph with all of them pasted in.
 *
 * @throws {ReconstructError} if the file is absent or no photograph, or shows no face
 */
export async function reconstructPhoto(options: ReconstructOptions): Promise<ReconstructedFace[]> {
  const { photo, results = RESULTS, training = {}, engine = {}, say = console.log } = options;
  await checkFile(photo);
  const { trees } = await reproduce(facesIn(photo), engine);
  const { found } = await checkFaces(photo, trees);
  const trained = options.trained ?? await findTrained({ results, training, engine, say });
  const { heads, regressed, pasted } = photograph(photo, trained);
  const made = (await reproduce({ heads, regressed, pasted }, engine)).trees;
  for (const reason of [...trees.meshes.skipped.values(), ...made.regressed.skipped.values()]) {
    say(`Left out: ${reason}`);
  }
  const keys = made.heads.paths.filter((path) => path.endsWith("/face.json")).map((path) => path.slice(0, -10));
  if (keys.length === 0) throw new ReconstructError(`${photo}: no face could be unwrapped`);
  const key = itemKey(basename(photo));
  const output = options.output ?? join("reconstruction", key);
  const faces: ReconstructedFace[] = [];
  for (const item of keys) {
    const head = await made.heads.json<Head>(`${item}/face.json`);
    const folder = found === 1 ? output : join(output, `${head.face}`);
    await publish(within(made.heads, `${item}/`), folder);
    faces.push({ ...head, folder });
    say(describe(head, { found, folder }));
  }
  await publish(renamed(made.pasted, { from: `${key}.png`, to: "photograph.png" }), output);
  say(
    `The photograph with ${faces.length === 1 ? "the face" : "all faces"} pasted in: ${join(output, "photograph.png")}`,
  );
  return faces;
}

async function checkFile(photo: string): Promise<void> {
  try {
    if ((await Deno.stat(photo)).isFile) return;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new ReconstructError(`${photo}: there is no such file`);
  }
  throw new ReconstructError(`${photo}: not a file; name one photograph`);
}

async function checkFaces(
  photo: string,
  { imported, detections, meshes }: Record<"imported" | "detections" | "meshes", Tree>,
): Promise<Detection> {
  const reasons = [...imported.skipped.values()];
  if (reasons.length > 0) throw new ReconstructError(`Cannot read the photograph: ${reasons.join("; ")}`);
  const path = detections.paths[0];
  if (path === undefined) {
    throw new ReconstructError(
      `${photo}: no face was found. A face must be upright, turned by less than about 80°, and 30 pixels wide or more`,
    );
  }
  if (meshes.paths.length === 0) {
    throw new ReconstructError(`${photo}: what looks like a face is none: ${[...meshes.skipped.values()].join("; ")}`);
  }
  return await detections.json<Detection>(path);
}

/** The trained network: committed, or of an earlier reproduction, or of one that starts now. */
async function findTrained(
  { results, training, engine, say }: Required<Pick<ReconstructOptions, "results" | "training" | "engine" | "say">>,
): Promise<Trained> {
  const path = join(results, "embedded", "trained.safetensors");
  try {
    if ((await Deno.stat(path)).isFile) return unpacked(sourceFile(path));
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  const { trained } = embedded(training);
  const rows = await statusOf({ trained }, engine);
  if (rows.some(({ state }) => state !== "fresh")) {
    say(
      `There is no trained network in ${path} and none of an earlier reproduction, so one is trained first: ` +
        "about a quarter of an hour on two cores without a GPU, far less with one. " +
        "It is kept for the next photograph, and Ctrl-C loses little.",
    );
  }
  return unpacked(trained);
}

function describe(
  { face, box, angles, seen, cutOff }: Head,
  { found, folder }: { found: number; folder: string },
): string {
  const name = found === 1 ? "The face" : `Face ${face} of ${found}, counted from 0 from the left`;
  const notes = [`yaw ${Math.round(angles.yaw)}°`, `${Math.round(100 * seen)}% of its texture seen`];
  if (box.width < SMALL) notes.push(`only ${Math.round(box.width)} pixels wide, so its texture is soft`);
  if (cutOff.length > 0) notes.push(`cut off at the photograph's ${cutOff.join(" and ")}, so that part is guessed`);
  return `${name} (${notes.join(", ")}): ${folder}`;
}

/** The files below a prefix, without it. */
function within(tree: Tree, prefix: string): Tree {
  const paths = tree.paths.filter((path) => path.startsWith(prefix)).map((path) => path.slice(prefix.length));
  return moved(tree, { paths, from: (path) => prefix + path });
}

/** One file under another name. */
function renamed(tree: Tree, { from: path, to: name }: { from: string; to: string }): Tree {
  return moved(tree, { paths: [name], from: () => path });
}

function moved(tree: Tree, { paths, from }: { paths: readonly string[]; from: (path: string) => string }): Tree {
  return {
    paths,
    skipped: tree.skipped,
    has: (path) => paths.includes(path),
    entry: (path) => tree.entry(from(path)),
    bytes: (path) => tree.bytes(from(path)),
    text: (path) => tree.text(from(path)),
    json: (path) => tree.json(from(path)),
    file: (path) => tree.file(from(path)),
  };
}
