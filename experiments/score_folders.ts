/**
 * `score`: a person's folders of photographs, captures and other programs' pictures → tables, a figure and the scores
 * of each face, as files. What is wrong with a folder is found out before any network is trained.
 */
import { join, resolve } from "node:path";
import {
  AbortedError,
  hashFile,
  type Options,
  sha256,
  sourceFolder,
  StageError,
  statusOf,
  StoreError,
  type Tree,
} from "@ftim/pipeline";
import { reproduce } from "./gpu_check.ts";
import { embedded, type EmbeddedOptions } from "./embedded.ts";
import type { TripletChoice } from "./faces.ts";
import { unpacked } from "./photograph.ts";
import { readRecord, RECORD } from "./photographs/owner.ts";
import { checkWritable, putInPlace } from "./photographs/place.ts";
import { ReconstructError } from "./photographs/refused.ts";
import { reasonsText, type StagedFolder, stagePhotographs } from "./photographs/staged.ts";
import { checkedTraining } from "./photographs/training.ts";
import { plainReason } from "./photographs/words.ts";
import {
  captureFaces,
  captureViews,
  overlayRenders,
  type OverlayRow,
  photographFaces,
  SCORED,
  scoredCaptures,
  type ScoredMethod,
  scoredPhotographs,
  type ScoreNetworks,
} from "./score.ts";
import { parseViewPath } from "../stages/data/parts/facescape.ts";
import { METHOD_LABELS } from "../stages/scores/parts/methods.ts";
import { firstReasons } from "../stages/tables/parts/first_reasons.ts";

/** Pictures of another program. */
export interface OverlayFolder {
  /** The label of its row. */
  readonly name: string;
  readonly folder: string;
}

/** What to score, and how. */
export interface ScoreOptions {
  /** A folder of photographs, scored in the view that was unwrapped. */
  readonly photos?: string;
  /** A folder of captures, `<person>/<k_expression>/<view>.jpg`, scored in other views. */
  readonly triplets?: string;
  /** A CSV of triplets of the captures that were picked by hand. Default: they are drawn. */
  readonly picked?: string;
  /** Triplets that are drawn at most. Default as in `stages/data/triplets.ts`. */
  readonly draw?: number;
  /** Rows of pictures that other programs made of the photographs. */
  readonly overlays?: readonly OverlayFolder[];
  /** Default: all; with `trained`, those that it has the networks of. */
  readonly methods?: readonly ScoredMethod[];
  /** Folder for the results. Default `scores`. */
  readonly output?: string;
  /** The `trained.safetensors` of another training. */
  readonly trained?: string;
  /** The committed results, where trained networks lie. Default: `results` beside this package. */
  readonly results?: string;
  /** How to train what is not trained yet. */
  readonly training?: EmbeddedOptions;
  /** The folder that relative names start from. Default: the current one. */
  readonly here?: string;
  readonly engine?: Options;
  /** Takes lines for the person who waits. Default `console.log`. */
  readonly say?: (line: string) => void;
}

/** What was scored. */
export interface Scores {
  readonly folder: string;
  /** Paths in the folder. */
  readonly files: readonly string[];
  /** The tables, for a terminal. */
  readonly text: string;
}

/** Where results go. */
const OUTPUT = "scores";
/** What a person can score without a training: all networks of these are in the committed file. */
const PACKED: readonly ScoredMethod[] = SCORED.filter((name) => name !== "printed" && name !== "tran");
/** Files that a run may write. */
const FILES = [
  "photographs.md",
  "photographs.txt",
  "photographs_left_out.csv",
  "face_mask.csv",
  "face_mask.tex",
  "full_frame.csv",
  "full_frame.tex",
  "faces.csv",
  "figure3.png",
  "figure3_all.png",
  ...["other_views", "other_views_margins"].flatMap((name) => [`${name}.md`, `${name}.csv`, `${name}.tex`]),
  "other_views.txt",
  "other_views_left_out.csv",
  "pairs.csv",
  "triplets.csv",
  RECORD,
];

/**
 * Scores folders and writes the results.
 *
 * @throws {ReconstructError} if options contradict each other, a folder shows no face or no triplet, or the results
 *   would replace what no earlier run on the same folders made
 * @throws {AbortedError} after an interruption; what was computed is kept in the store
 */
export async function scoreFolders(options: ScoreOptions): Promise<Scores> {
  const { here = Deno.cwd(), output = OUTPUT, say = console.log } = options;
  const { photos, triplets, overlays = [] } = options;
  checkOptions(options);
  const methods = options.methods ?? (options.trained === undefined ? SCORED : PACKED);
  const folder = resolve(here, output);
  const sources = [photos, triplets, ...overlays.map(({ folder }) => folder)].flatMap((name) => name ?? []);
  if (sources.some((name) => resolve(here, name) === folder)) {
    throw new ReconstructError(`${output}: results cannot go into a folder that is scored: name another --output`);
  }
  const own = overlays.find(({ folder }) => photos !== undefined && resolve(here, folder) === resolve(here, photos));
  if (own !== undefined) {
    throw new ReconstructError(`--overlays ${own.name}=${own.folder}: these are the photographs themselves`);
  }
  // with other methods or overlays the same folders have the same result, made anew
  const path = [photos, triplets].flatMap((name) => name === undefined ? [] : [resolve(here, name)]).join(", ");
  const identity = { path, sha256: sha256(path) };
  const work = await Deno.makeTempDir({ prefix: "ftim-scores-" });
  try {
    await checkPlace(folder, { output, path, names: FILES });
    const means = { ...options, methods, here, say, work, folder };
    const trees: Tree[] = [];
    const texts: string[] = [];
    // both folders are looked at before a network is trained
    const seen = photos === undefined ? null : await lookAtPhotographs(photos, means);
    const captured = triplets === undefined ? null : await lookAtCaptures(triplets, means);
    const networks = await networksOf(means);
    if (seen !== null) {
      const scored = scoredPhotographs(sourceFolder(seen.path), {
        methods,
        networks,
        refused: seen.refused,
        overlays: overlayRows(means),
      });
      // a figure of nothing has less to say of the reason
      const { table } = (await reproduce({ table: scored.table }, means.engine)).trees;
      const { figure } = (await reproduce({ figure: scored.figure }, means.engine)).trees;
      trees.push(table, figure);
      texts.push(await table.text("photographs.txt"));
    }
    if (captured !== null) {
      const { correction } = networks;
      const views = captureViews(sourceFolder(captured.path), { ...choiceOf(means), correction });
      const scored = scoredCaptures(views, { methods, networks, refused: captured.refused });
      const { table, triplets: chosen } = (await reproduce(scored, means.engine)).trees;
      trees.push(table, chosen);
      texts.push(await table.text("other_views.txt"));
    }
    const files = new Map<string, Uint8Array>();
    for (const tree of trees) for (const path of tree.paths) files.set(path, await tree.bytes(path));
    await checkPlace(folder, { output, path, names: [...files.keys(), RECORD] });
    await putInPlace(folder, { files, identity });
    return { folder: output, files: [...files.keys(), RECORD].sort(), text: texts.join("\n") };
  } catch (error) {
    if (error instanceof AbortedError || error instanceof StoreError || error instanceof ReconstructError) throw error;
    throw new ReconstructError(plainReason(error), { cause: error });
  } finally {
    await Deno.remove(work, { recursive: true });
  }
}

/**
 * Reads names of methods.
 *
 * @throws {ReconstructError} if there is no such method
 */
export function scoredMethods(names: readonly string[]): ScoredMethod[] {
  return names.map((name) => {
    const method = SCORED.find((one) => one === name.trim());
    if (method === undefined) throw new ReconstructError(`--methods: there is no "${name}": ${SCORED.join(", ")}`);
    return method;
  });
}

/** What every step is given. */
type Means = ScoreOptions & {
  readonly methods: readonly ScoredMethod[];
  readonly here: string;
  readonly say: (line: string) => void;
  readonly work: string;
  /** Where results go. */
  readonly folder: string;
};

function checkOptions({ photos, triplets, picked, draw, overlays = [], methods, trained }: ScoreOptions): void {
  const refuse = (why: string) => {
    throw new ReconstructError(why);
  };
  if (methods?.length === 0) refuse("--methods: name one at least");
  if (photos === undefined && triplets === undefined) {
    refuse("name a folder: --photos FOLDER, --triplets FOLDER, or both");
  }
  if (triplets === undefined && (picked ?? draw) !== undefined) {
    refuse("--picked and --draw are of captures: name their folder with --triplets");
  }
  if (photos === undefined && overlays.length > 0) {
    refuse("--overlays are pictures of photographs: name their folder with --photos");
  }
  const taken = overlays.find(({ name }) => Object.values(METHOD_LABELS).includes(name));
  if (taken !== undefined) refuse(`--overlays: a row is called "${taken.name}" already: choose another name`);
  const twice = overlays.find(({ name }, i) => overlays.findIndex((other) => other.name === name) < i);
  if (twice !== undefined) refuse(`--overlays: two rows are called "${twice.name}"`);
  const lacking = trained === undefined ? [] : (methods ?? []).filter((name) => !PACKED.includes(name));
  if (lacking.length > 0) refuse(`${trained} has no networks of ${lacking.join(" and ")}: name other --methods`);
}

/** Reads a folder of photographs, and finds out whether it shows faces. */
async function lookAtPhotographs(folder: string, means: Means): Promise<StagedFolder> {
  const { overlays = [], folder: output, here, say } = means;
  for (const overlay of overlays) await checkOverlays(overlay, here);
  const staged = await stagePhotographs(folder, { ...means, apart: [output, ...overlays.map(({ folder }) => folder)] });
  for (const note of staged.notes) say(`Note: ${note}`);
  const faces = photographFaces(sourceFolder(staged.path));
  const { images, detections, meshes } = faces;
  const found = (await reproduce({ images, detections, meshes }, means.engine)).trees;
  if (found.meshes.paths.length === 0) throw noFace(folder, { ...staged, found });
  for (const [i, renders] of overlayRenders(faces, overlayRows(means)).entries()) {
    const { paths, skipped } = (await reproduce({ renders }, means.engine)).trees.renders;
    const { name, folder } = overlays[i]!;
    if (paths.length > 0) continue;
    const reasons = reasonsText(Object.fromEntries(skipped));
    throw new ReconstructError(`--overlays ${name}=${folder}: no picture in it can be scored: ${reasons}`);
  }
  return staged;
}

async function checkOverlays({ name, folder }: OverlayFolder, here: string): Promise<void> {
  const found = await Deno.stat(resolve(here, folder)).catch(() => null);
  if (found?.isDirectory !== true) throw new ReconstructError(`--overlays ${name}=${folder}: there is no such folder`);
}

function overlayRows({ overlays = [], here }: Pick<Means, "overlays" | "here">): OverlayRow[] {
  return overlays.map(({ name, folder }) => ({ label: name, pictures: sourceFolder(resolve(here, folder)) }));
}

/** Reads a folder of captures, and finds out whether triplets can be chosen. */
async function lookAtCaptures(folder: string, means: Means): Promise<StagedFolder> {
  const { here, picked, folder: output, say } = means;
  if (picked !== undefined && (await Deno.stat(resolve(here, picked)).catch(() => null))?.isFile !== true) {
    throw new ReconstructError(`${picked}: there is no such file`);
  }
  const staged = await stagePhotographs(folder, { ...means, apart: [output], fault: placeFault });
  for (const note of staged.notes) say(`Note: ${note}`);
  const { images, searched, triplets } = captureFaces(sourceFolder(staged.path), choiceOf(means));
  const found = (await reproduce({ images, searched }, means.engine)).trees;
  if (found.searched.paths.length === 0) throw noFace(folder, { ...staged, found });
  try {
    await reproduce({ triplets }, means.engine);
  } catch (error) {
    if (!(error instanceof StageError) || !(error.cause instanceof Error)) throw error;
    const { count, refused } = staged;
    const others = Object.keys(refused).length === 0 ? "" : ` Left out: ${reasonsText(refused)}.`;
    const where = picked === undefined ? `${folder} (${count} photographs)` : folder;
    throw new ReconstructError(`${where}: ${error.cause.message.replace(", or widen the bins", "")}${others}`, {
      cause: error,
    });
  }
  return staged;
}

function choiceOf({ picked, draw, here }: Pick<Means, "picked" | "draw" | "here">): TripletChoice {
  return {
    ...(draw === undefined ? {} : { count: draw }),
    ...(picked === undefined ? {} : { picked: resolve(here, picked) }),
  };
}

/** Why a capture's place says neither its person nor its expression. */
function placeFault(stem: string): string | null {
  if (parseViewPath(stem) !== null && stem.split("/").length === 3) return null;
  return "it does not lie in <person>/<k_expression>/<view>.jpg, such as anna/1_neutral/3.jpg";
}

function noFace(
  folder: string,
  { count, refused, found }: StagedFolder & { readonly found: Readonly<Record<string, Tree>> },
): ReconstructError {
  const unread = new Map(Object.entries(refused));
  const reasons = firstReasons([unread, ...Object.values(found).map(({ skipped }) => skipped)]);
  const photographs = count === 1 ? "its photograph" : `its ${count} photographs`;
  const advice = "faces must stand upright and be wider than a twentieth of the photograph";
  return new ReconstructError(
    `${folder}: no face was found in ${photographs} (${advice}): ${reasonsText(Object.fromEntries(reasons))}`,
  );
}

/**
 * The networks. FTIM with a first guess is in a committed file; the others are those of the experiment `embedded`, and
 * so that all rows have one face model, so is all else where they are asked for.
 */
async function networksOf(means: Means): Promise<ScoreNetworks> {
  const { methods, training = {}, trained: own, results, engine = {}, here, work, say } = means;
  const { trained, printedWeights: printed, tranWeights: tran } = embedded(training);
  const others = { printed, tran };
  if (methods.every((name) => PACKED.includes(name))) {
    const packed = await checkedTraining({
      training,
      here,
      engine,
      work,
      say,
      ...(own === undefined ? {} : { trained: own }),
      ...(results === undefined ? {} : { results }),
    });
    return { ...await packed(), ...others };
  }
  const needed = {
    trained,
    ...(methods.includes("printed") && { printed }),
    ...(methods.includes("tran") && { tran }),
  };
  const rows = await statusOf(needed, engine);
  if (rows.some(({ state }) => state !== "fresh")) {
    say(
      "Networks of these methods are not here yet, so they are trained first, as `reproduce` does: about ten " +
        "minutes on two cores without a GPU, far less with one. They are kept for the next run, and Ctrl-C loses " +
        `little. Without a training: --methods ${PACKED.join(",")}.`,
    );
  }
  return { ...unpacked(trained), ...others };
}

/** Refuses to write over what is not the result of an earlier run on the same folders. */
async function checkPlace(
  folder: string,
  { output, path, names }: { output: string; path: string; names: readonly string[] },
): Promise<void> {
  const refuse = (why: string) => new ReconstructError(`${output}: ${why}; name another --output`);
  const there = await Deno.stat(folder).catch(() => null);
  if (there !== null && !there.isDirectory) throw refuse("it is a file where a folder must be");
  const record = await readRecord(folder);
  for (const name of names) {
    const file = join(folder, name);
    const info = await Deno.lstat(file).catch(() => null);
    if (info === null) continue;
    if (record === null) throw refuse(`${name} is there, and no earlier run made it`);
    if (record.photograph !== path) throw refuse(`the scores of other folders are there (${record.photograph})`);
    if (name === RECORD) continue;
    if (!info.isFile) throw refuse(`${name} is no file`);
    const known = [record.files[name], record.earlier?.[name]];
    if (!known.includes((await hashFile(file)).sha256)) throw refuse(`${name} was changed, or no earlier run made it`);
  }
  await checkWritable(folder, { bytes: 0 });
}
