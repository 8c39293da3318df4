/**
 * The user's folder of the experiment `paper`: what must be in it and what may be, which persons and photographs of it
 * serve what, and what is said of it before anything is computed.
 */
import { statSync } from "node:fs";
import { join } from "node:path";
import { type Artifact, cast, pick } from "@ftim/pipeline";
import { shuffled, uniform } from "../nets/random.ts";
import { asset, assetFile, assetFolder, dataLock, isPresent } from "../stages/data/fetch.ts";
import type { Asset } from "../stages/data/parts/data_lock.ts";
import { absentMessage, checkDataFolder, defaultDataFolder } from "../stages/data/parts/obtain.ts";
import { parsePublishableList } from "../stages/data/parts/publishable_list.ts";
import { DECA_NEEDS, type RegressorName } from "./regressors.ts";

/** Which folder, and what is asked of it. */
export interface PaperFolder {
  /** The folder of the user's licensed files. Default `data`. */
  data?: string;
  /** The 3DMM regressor. Default: `deca` where its files are all there, otherwise `facemesh`. */
  regressor?: RegressorName;
}

/** FaceScape's captures. */
const CAPTURES = "paper/facescape/images/";
/** CelebA's photographs, and which of them are for tests. */
const PHOTOGRAPHS = "paper/celeba/img_align_celeba/";
const PARTITION = "paper/celeba/list_eval_partition.txt";
/** VGG-19: torchvision's own file, or its layers up to relu4_2. */
const VGG19 = ["paper/vgg19/vgg19-dcbb9e9d.pth", "paper/vgg19/vgg19_relu4_2.safetensors"] as const;

/** FaceNet, which the paper's last column is of. */
const FACENET = "paper/facenet/20180402-114759-vggface2.pt";
/** FaceScape's world frames, by which a camera's angle to the head is known. */
const FRAMES = "paper/facescape/Rt_scale_dict.json";
/** The persons of FaceScape that may be shown. */
const PUBLISHABLE = "paper/facescape/publishable_list_v1.txt";

/** One person of FaceScape in so many is held out for other views; the paper holds out nobody, for it scores CelebA. */
const HELD_OUT_ONE_IN = 10;

/** What the experiment needs, in data.lock's names; of several names one is enough. */
export const PAPER_NEEDS: readonly (readonly [string, ...string[]])[] = [[CAPTURES], [PHOTOGRAPHS], [PARTITION], VGG19];

/** The regressor that the experiment takes, in a sentence that says why. */
export function chosenRegressor(
  { data: dataFolder = defaultDataFolder, regressor }: PaperFolder = {},
): { readonly name: RegressorName; readonly says: string } {
  const absent = DECA_NEEDS.filter((id) => !isPresent(id, { dataFolder })).map((id) => id.replace("paper/", ""));
  const name = regressor ?? (absent.length === 0 ? "deca" : "facemesh");
  if (name === "deca") return { name, says: "The 3DMM regressor is DECA with FLAME, as in the paper." };
  const why = regressor === undefined ? `for ${dataFolder} lacks ${absent.join(", ")}` : "as you asked";
  return { name, says: `The 3DMM regressor is the face mesh network in place of the paper's DECA, ${why}.` };
}

/** Which network the cosine is of, in a sentence. */
export function cosineFact(dataFolder: string): string {
  return isPresent(FACENET, { dataFolder })
    ? "The cosine is of FaceNet's descriptors, as the paper's."
    : "The cosine is of the descriptors of a packaged network in place of the paper's FaceNet, for " +
      `${FACENET.replace("paper/", "")} is absent.`;
}

/** The data folder is there, but not as data.lock says. */
export class PaperDataError extends Error {
  override name = "PaperDataError";
}

/**
 * Looks for all that the experiment needs, so that who lacks several files hears of all of them at once.
 *
 * @throws {AssetError} if the folder is a file
 * @throws {PaperDataError} naming each file that is absent, who grants it and where to put it, or that is shorter than
 *   the published one and cannot be read
 */
export async function requirePaperData(options: PaperFolder = {}): Promise<void> {
  const { data: dataFolder = defaultDataFolder } = options;
  await checkDataFolder(dataFolder);
  const ofDeca = chosenRegressor(options).name === "deca" ? DECA_NEEDS.map((id) => [id] as const) : [];
  const optional = [FACENET].filter((id) => isPresent(id, { dataFolder })).map((id) => [id] as const);
  const faults: string[] = [];
  for (const ids of [...PAPER_NEEDS, ...ofDeca, ...optional]) {
    const present = ids.find((id) => isPresent(id, { dataFolder }));
    const asset = dataLock().assets.get(present ?? ids[0])!;
    if (present === undefined) faults.push(absentMessage(asset, dataFolder));
    else if (asset.size !== null) faults.push(...await faultOf(asset, asset.size, dataFolder));
  }
  if (faults.length > 0) throw new PaperDataError(faults.join("\n\n"));
}

/** Why a file cannot be read that is shorter than the published one: a training of hours must not end at it. */
async function faultOf(asset: Asset, published: number, dataFolder: string): Promise<string[]> {
  const path = join(dataFolder, asset.source.slice("user:".length));
  const { size, isFile } = await Deno.stat(path);
  if (isFile && size >= published) return [];
  const { look } = await import("../stages/data/parts/data_folder.ts");
  const { status, says } = await look(asset, path);
  if (status !== "wrong") return [];
  return [`${path} has ${size} of ${published} bytes, and ${says}. If its download stopped halfway, get it again.`];
}

/** What stands behind the tables, in a sentence each: the regressor, the cosine's network, whom figures show. */
export function paperFacts(options: PaperFolder = {}): string[] {
  const { data: dataFolder = defaultDataFolder } = options;
  const lists = isPresent(PUBLISHABLE, { dataFolder })
    ? parsePublishableList(readText(dataFolder, PUBLISHABLE)) === null
      ? ", which must hold numbers and commas alone."
      : "."
    : ", which is absent.";
  const pictures = publishable(dataFolder).length > 0 ? [] : [
    `Figure 4 has no other views: no held-out person is on facescape/publishable_list_v1.txt${lists}`,
  ];
  return [chosenRegressor(options).says, cosineFact(dataFolder), ...pictures];
}

/** VGG-19 for ID-MRF, in either form. */
export function vgg19File(dataFolder: string): Artifact<"assets"> {
  return assetFile(VGG19.find((id) => isPresent(id, { dataFolder })) ?? VGG19[0], { dataFolder });
}

/** FaceNet, if it is there. */
export function facenetFile(dataFolder: string): Artifact<"assets"> | undefined {
  return isPresent(FACENET, { dataFolder }) ? assetFile(FACENET, { dataFolder }) : undefined;
}

/** FaceScape's world frames, if they are there. */
export function framesFile(dataFolder: string): Artifact<"file"> | undefined {
  return isPresent(FRAMES, { dataFolder }) ? cast(assetFile(FRAMES, { dataFolder }), "file") : undefined;
}

/**
 * FaceScape's captures by person: those to train from, and those to hold out.
 *
 * @throws {PaperDataError} if the folder is there and holds fewer than two persons
 */
export function splitCaptures(dataFolder: string): Record<"training" | "heldOut", Artifact<"captures">> {
  const all = cast(assetFolder(CAPTURES, { dataFolder }), "captures");
  if (!isPresent(CAPTURES, { dataFolder })) return { training: all, heldOut: all };
  const persons = personsOf(dataFolder);
  if (persons.length < 2) {
    throw new PaperDataError(
      `${join(dataFolder, "facescape/images")} holds ${persons.length} persons: at least two are needed, ` +
        "as <id>/<k_expression>/<view>.jpg",
    );
  }
  const heldOut = persons.filter((_, i) => isHeldOut(i));
  const of = (names: readonly string[]) => pick(all, names.map((name) => `${name}/`));
  return { training: of(persons.filter((name) => !heldOut.includes(name))), heldOut: of(heldOut) };
}

/** The numbers of FaceScape's persons of whom there is something, in order. */
function personsOf(dataFolder: string): string[] {
  const folder = join(dataFolder, "facescape/images");
  return [...Deno.readDirSync(folder)]
    .filter(({ name, isFile }) => !isFile && /^\d+$/.test(name))
    .map(({ name }) => name)
    .filter((name) => [...Deno.readDirSync(join(folder, name))].some((below) => holdsFiles(join(folder, name), below)))
    .sort((a, b) => Number(a) - Number(b));
}

function holdsFiles(folder: string, { name, isFile }: Deno.DirEntry): boolean {
  return isFile || [...Deno.readDirSync(join(folder, name))].length > 0;
}

/**
 * A text of the user's.
 *
 * @throws {PaperDataError} if it cannot be read
 */
function readText(dataFolder: string, id: string): string {
  const path = join(dataFolder, id.replace("paper/", ""));
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    throw new PaperDataError(`${path} cannot be read: ${error instanceof Error ? error.message : error}`);
  }
}

/** Whether the person at a place in that order is held out. */
function isHeldOut(place: number): boolean {
  return place % HELD_OUT_ONE_IN === 1;
}

/** The held-out persons of FaceScape that figures may show: those of its own list, and without that list none. */
export function publishable(dataFolder: string): string[] {
  if (!isPresent(PUBLISHABLE, { dataFolder }) || !isPresent(CAPTURES, { dataFolder })) return [];
  const allowed = parsePublishableList(readText(dataFolder, PUBLISHABLE));
  return personsOf(dataFolder).filter((name, i) => isHeldOut(i) && allowed?.has(Number(name)));
}

/**
 * Photographs that are drawn from CelebA's test partition (2 in `list_eval_partition.txt`), of those that are there;
 * all if they are fewer.
 *
 * @throws {PaperDataError} if that list is there and names none, or none of those is there
 */
export function testPhotographs(
  dataFolder: string,
  { count, seed }: { readonly count: number; readonly seed: number },
): Artifact<"folder"> {
  const all = assetFolder(PHOTOGRAPHS, { dataFolder });
  if (!isPresent(PHOTOGRAPHS, { dataFolder })) return all;
  // What is absent must be said in data.lock's words, by the stage that gets it.
  if (!isPresent(PARTITION, { dataFolder })) return cast(asset(PARTITION, { dataFolder }), "folder");
  const path = join(dataFolder, "celeba/list_eval_partition.txt");
  const names = readText(dataFolder, PARTITION).split("\n").map((line) => line.trim().split(/\s+/))
    .flatMap(([name = "", partition]) => /^\d+\.jpg$/.test(name) && partition === "2" ? [name] : []);
  if (names.length === 0) {
    throw new PaperDataError(`${path} names no photograph of the test partition: its lines must be "000001.jpg 2"`);
  }
  const folder = join(dataFolder, "celeba/img_align_celeba");
  const drawn: string[] = [];
  for (const name of shuffled(uniform(seed), names)) {
    if (drawn.length === count) break;
    if (statSync(join(folder, name), { throwIfNoEntry: false })?.isFile()) drawn.push(name);
  }
  if (drawn.length === 0) {
    throw new PaperDataError(
      `${folder} holds none of the ${names.length} photographs that list_eval_partition.txt has in the test ` +
        "partition: unpack img_align_celeba.zip there",
    );
  }
  return pick(all, drawn.sort());
}
