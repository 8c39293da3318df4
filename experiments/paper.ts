/**
 * The experiment `paper`: the paper's own data, which its owners grant on request and the user puts into a folder
 * (`data.lock` says whom to ask and where each file goes). It takes FaceScape's captures to train from, CelebA's
 * photographs to test on, VGG-19 for ID-MRF, the printed learning rate and 1.5k triplets.
 *
 * The 3DMM regressor is DECA, as the paper's is, where the folder holds DECA's and FLAME's files; otherwise it is
 * `embedded`'s face mesh network with a linear model learned from FaceScape's frontal views. The comparators are the
 * texture models that `embedded` re-makes and, in Table 1 and Figure 3, the networks of their authors whose files are
 * there (`networks.ts`). Meshes are not corrected, because no true ones are known here, and no texture can be compared
 * with a true one. docs/departures.md lists all that differs.
 *
 * What the paper does not print, we decide: every tenth person of FaceScape is held out for other views, and the test
 * set is drawn from CelebA's test partition.
 */
import { join } from "node:path";
import { type Artifact, cast, pick } from "@ftim/pipeline";
import { shuffled, uniform } from "../nets/random.ts";
import { calibrate } from "../stages/geometry/calibrate.ts";
import { asset, assetFile, assetFolder, dataLock, isPresent } from "../stages/data/fetch.ts";
import { fitMorphableModel } from "../stages/geometry/fit_morphable.ts";
import { cameraTruth } from "../stages/data/camera_truth.ts";
import { otherBytes } from "../stages/data/other_bytes.ts";
import { importPhotographs } from "../stages/data/import.ts";
import { absentMessage, defaultDataFolder } from "../stages/data/parts/obtain.ts";
import type { YawBins } from "../stages/data/triplets.ts";
import { filterReport } from "../stages/tables/filter_report.ts";
import type { Schedule } from "../stages/training/parts/train_params.ts";
import { unwrapTextures } from "../stages/geometry/unwrap.ts";
import { evaluation, packed } from "./evaluation.ts";
import { facesOfTriplets, findFaces, type FoundFaces, prepareFaces, regressFaces, STRICT } from "./faces.ts";
import { trainNetworks } from "./methods.ts";
import { comparatorNetworks } from "./networks.ts";
import type { Trained } from "./photograph.ts";
import { DECA_NEEDS, type DecaRegressor, decaRegressor, facemeshRegressor, type RegressorName } from "./regressors.ts";

/** The settings, each with its reason. What is not here has its default where the stage is defined. */
const PAPER = {
  // Data (sections 3.1 and 4.1)
  /** Left, frontal and right view, by yaw in degrees: the paper's bins. */
  yawBins: [[-90, -10], [-10, 10], [10, 90]] as YawBins,
  /** Triplets to train on, as many as the paper picks by hand. */
  triplets: 1500,
  /**
   * One person of FaceScape in so many is held out for other views; the paper holds out nobody, for it scores CelebA
   * alone.
   */
  heldOutOneIn: 10,
  /** Triplets of persons who are held out: enough for an interval over persons. */
  heldOutTriplets: 48,
  /**
   * Frontal views of one person that the morphable model is learned from: more of one face would outweigh the others.
   */
  modelViews: 4,
  /** Photographs that are drawn from CelebA's test partition; the paper does not say how many it scored. */
  photographs: 10_000,
  /** Seed of that draw. */
  photographSeed: 1,

  // Losses (section 3.3)
  /** The five weights that the paper prints, in its order; the regularisation's, which it does not print, is ours. */
  weights: { photometric: 1.0, albedo: 0.2, identity: 0.2, mrf: 0.02, symmetry: 0.01, regularisation: 0.02 },

  // Training (section 3.4)
  /** One triplet a step: twenty times each triplet. The paper does not print its own. */
  steps: 30_000,
  /** Adam's rate, as printed. */
  learningRate: 1e-5,
  /** Its course: the paper prints none, so that it stays, and the weights are those of the last step. */
  schedule: "constant" as Schedule,
  /** The same for Tran's decoder: what is best in `embedded`. */
  tranLearningRate: 2.5e-4,
  /** Seed of the first training of each network. */
  seed: 1,
  /** Trainings of each network; with more than one, `seeds` and Table 2 say how far they differ. */
  seeds: 1,
};

/** What may be changed from the command line. */
export interface PaperOptions
  extends Partial<Pick<typeof PAPER, "photographs" | "triplets" | "steps" | "schedule" | "seed" | "seeds">> {
  /** The folder of the user's licensed files. Default `data`. */
  data?: string;
  /** Whether the ablation has rows that neither the paper has nor leave out a single loss; default false. */
  more?: boolean;
  /** A CSV of triplets that were picked by hand to train on, as the paper's were. Default: they are drawn. */
  picked?: string;
  /** The 3DMM regressor. Default: `deca` where its files are all there, otherwise `facemesh`. */
  regressor?: RegressorName;
}

/** In the place of what photographs are reconstructed with. */
const UNPACKED = { trained: null, calibration: null } as const;

const CAPTURES = "paper/facescape/images/";
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

/** What the experiment needs, in data.lock's names; of several names one is enough. */
export const PAPER_NEEDS: readonly (readonly [string, ...string[]])[] = [[CAPTURES], [PHOTOGRAPHS], [PARTITION], VGG19];

/** The regressor that the experiment takes, in a sentence that says why. */
export function chosenRegressor(
  { data: dataFolder = defaultDataFolder, regressor }: PaperOptions = {},
): { readonly name: RegressorName; readonly says: string } {
  const absent = DECA_NEEDS.filter((id) => !isPresent(id, { dataFolder })).map((id) => id.replace("paper/", ""));
  const name = regressor ?? (absent.length === 0 ? "deca" : "facemesh");
  if (name === "deca") return { name, says: "The 3DMM regressor is DECA with FLAME, as in the paper." };
  const why = regressor === undefined ? `for ${dataFolder} lacks ${absent.join(", ")}` : "as you asked";
  return { name, says: `The 3DMM regressor is the face mesh network in place of the paper's DECA, ${why}.` };
}

/** Which network the cosine is of, in a sentence. */
function cosineFact(dataFolder: string): string {
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
 * @throws {PaperDataError} naming each file that is absent, who grants it and where to put it, or that is half there
 */
export function requirePaperData(options: PaperOptions = {}): void {
  const { data: dataFolder = defaultDataFolder } = options;
  const ofDeca = chosenRegressor(options).name === "deca" ? DECA_NEEDS.map((id) => [id] as const) : [];
  const optional = [FACENET].filter((id) => isPresent(id, { dataFolder })).map((id) => [id] as const);
  const faults = [...PAPER_NEEDS, ...ofDeca, ...optional].flatMap((ids) => {
    const present = ids.find((id) => isPresent(id, { dataFolder }));
    const asset = dataLock().assets.get(present ?? ids[0])!;
    if (present === undefined) return [absentMessage(asset, dataFolder)];
    // a training of hours must not end at a file that is half there
    const { size } = statOf(asset, dataFolder);
    if (asset.size === null || size >= asset.size) return [];
    return [`${asset.id} has ${size} of ${asset.size} bytes: its download stopped halfway. Get it again.`];
  });
  if (faults.length > 0) throw new PaperDataError(faults.join("\n\n"));
}

function statOf({ source }: { source: string }, dataFolder: string): Deno.FileInfo {
  return Deno.statSync(join(dataFolder, source.slice("user:".length)));
}

/** What stands behind the tables, in a sentence each: the regressor, the cosine's network, whom figures show. */
export function paperFacts(options: PaperOptions = {}): string[] {
  const { data: dataFolder = defaultDataFolder } = options;
  const pictures = publishable(dataFolder).length > 0 ? [] : [
    "Figure 4 has no other views: no held-out person is on facescape/publishable_list_v1.txt" +
    (isPresent(PUBLISHABLE, { dataFolder }) ? "." : ", which is absent."),
  ];
  return [chosenRegressor(options).says, cosineFact(dataFolder), ...pictures];
}

/** What is trained on, and what of it photographs are reconstructed with. */
function trainingPart(options: PaperOptions) {
  const { data: dataFolder = defaultDataFolder, picked } = options;
  const { yawBins: bins, triplets: count, modelViews: perPerson } = { ...PAPER, ...options };
  const deca = chosenRegressor(options).name === "deca" ? decaRegressor({ dataFolder }) : null;
  const regressor = deca ?? facemeshRegressor();
  const frames = isPresent(FRAMES, { dataFolder }) ? cast(assetFile(FRAMES, { dataFolder }), "file") : undefined;
  const images = importPhotographs(splitCaptures(dataFolder).training, { frames });
  const known = facesOfTriplets(images, { bins, count, picked, regressor });
  const model = deca?.model ?? learnedModel(known, { deca, perPerson });
  const { crops, meshes, angles } = known;
  // No true mesh is known, so this corrects nothing; it is what a packed training holds.
  const correction = deca === null
    ? calibrate({ crops, meshes, angles, model, topology: regressor.topology })
    : undefined;
  const training = {
    ...regressFaces(prepareFaces(known, { correction }), { model }),
    triplets: known.triplets,
    poses: known.poses,
    model,
    vgg19: assetFile(VGG19.find((id) => isPresent(id, { dataFolder })) ?? VGG19[0], { dataFolder }),
  };
  const filter = frames && filterReport({
    truth: cameraTruth({ images }),
    detections: known.searched,
    poses: known.poses,
    triplets: known.triplets,
  });
  return { training, regressor, model, correction, frames, filter };
}

/** The networks that the experiment trains, for photographs of one's own. */
export function paperTraining(options: PaperOptions = {}): Trained {
  const { training, regressor, model, correction } = trainingPart(options);
  return { weights: trainNetworks(training, { ...PAPER, ...options }).ours, model, correction, regressor };
}

/** The whole experiment, as lazy artifacts by name. What is absent is reported when it is computed. */
export function paper(options: PaperOptions = {}) {
  const { data: dataFolder = defaultDataFolder, more, picked: _, regressor: __, ...changed } = options;
  const { yawBins: bins, ...settings } = { ...PAPER, ...changed };
  const { training, regressor, model, correction, frames, filter } = trainingPart(options);
  const unseen = facesOfTriplets(importPhotographs(splitCaptures(dataFolder).heldOut, { frames }), {
    bins,
    count: settings.heldOutTriplets,
    regressor,
  });
  const tested = findFaces(
    importPhotographs(testPhotographs(dataFolder, { count: settings.photographs, seed: settings.photographSeed }), {
      identities: "unknown",
    }),
    { keep: "largest", regressor },
  );
  const views = { ...prepareFaces(unseen, { correction }), triplets: unseen.triplets };
  const results = evaluation({
    training,
    test: prepareFaces(tested, { correction }),
    networks: comparatorNetworks({ dataFolder }),
    recognition: isPresent(FACENET, { dataFolder }) ? assetFile(FACENET, { dataFolder }) : undefined,
    facts: [
      regressor.note,
      cosineFact(dataFolder),
      `At most ${settings.photographs} photographs are drawn from CelebA's test partition, with the seed ` +
      `${settings.photographSeed}.`,
    ],
    otherBytes: otherBytes({ dataFolder }),
    heldOut: views,
    real: views,
    ...(filter && { filter }),
  }, { ...settings, more, data: dataFolder, shown: { persons: publishable(dataFolder) } });
  const { weights } = results;
  // A packed training holds no regressor, and FLAME's parts must not lie among the results.
  const forPhotographs = correction === undefined ? UNPACKED : packed({ weights, model, correction });
  return { ...results, ...forPhotographs, curve: null };
}

/**
 * The morphable model that is learned from the frontal views of triplets: the whole of it, or with FLAME's shape its
 * albedo alone.
 */
function learnedModel(
  { crops, meshes, triplets, topology }: FoundFaces & { readonly triplets: Artifact<"triplets"> },
  { deca, perPerson }: { readonly deca: DecaRegressor | null; readonly perPerson: number },
): Artifact<"model"> {
  const unwrapped = unwrapTextures({ crops, meshes, topology }, STRICT);
  const shape = deca && { shape: deca.shape };
  const fitted = fitMorphableModel({ crops, meshes, unwrapped, topology, triplets, ...shape }, { perPerson });
  return pick(fitted, ["model.safetensors"]);
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

/** The numbers of FaceScape's persons, in order. */
function personsOf(dataFolder: string): string[] {
  return [...Deno.readDirSync(join(dataFolder, "facescape/images"))]
    .filter(({ name, isFile }) => !isFile && /^\d+$/.test(name))
    .map(({ name }) => name)
    .sort((a, b) => Number(a) - Number(b));
}

/** Whether the person at a place in that order is held out. */
function isHeldOut(place: number): boolean {
  return place % PAPER.heldOutOneIn === 1;
}

/** The held-out persons of FaceScape that figures may show: those of its own list, and without that list none. */
function publishable(dataFolder: string): string[] {
  if (!isPresent(PUBLISHABLE, { dataFolder }) || !isPresent(CAPTURES, { dataFolder })) return [];
  const list = Deno.readTextFileSync(join(dataFolder, PUBLISHABLE.replace("paper/", "")));
  const allowed = new Set(list.match(/\d+/g)?.map(Number));
  return personsOf(dataFolder).filter((name, i) => isHeldOut(i) && allowed.has(Number(name)));
}

/**
 * Photographs that are drawn from CelebA's test partition (2 in `list_eval_partition.txt`); all if there are fewer.
 *
 * @throws {PaperDataError} if that list is there and names none
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
  const names = Deno.readTextFileSync(path).split("\n").map((line) => line.trim().split(/\s+/))
    .flatMap(([name, partition]) => name !== undefined && partition === "2" ? [name] : []);
  if (names.length === 0) {
    throw new PaperDataError(`${path} names no photograph of the test partition: its lines must be "000001.jpg 2"`);
  }
  return pick(all, shuffled(uniform(seed), names).slice(0, count).sort());
}
