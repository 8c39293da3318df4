/**
 * `reconstruct PHOTO…`: photographs → the textured face mask of every face in them, as files for viewers and programs.
 *
 * The network comes from `<results>/embedded/trained.safetensors`, which is committed; without that file the embedded
 * experiment makes it first, which takes long, so it says so before it starts.
 */
import { resolve } from "node:path";
import { AbortedError, type Options, StoreError } from "@ftim/pipeline";
import type { EmbeddedOptions } from "./embedded.ts";
import type { Trained } from "./photograph.ts";
import { computeAll, type Means } from "./photographs/compute.ts";
import { checkSheet, renewSheet, writeSheet } from "./photographs/contact_sheet.ts";
import { deliver, folderFor, type Places, shown } from "./photographs/deliver.ts";
import { findPhotographs, type Input } from "./photographs/inputs.ts";
import { distinctOf, type Opened, openPhotograph } from "./photographs/opened.ts";
import { inodeOf } from "./photographs/owner.ts";
import { reconstructPerson } from "./photographs/person_result.ts";
import { folderNameOf, makeWorkFolder } from "./photographs/place.ts";
import type {
  ReconstructedFace,
  Reconstruction,
  Reconstructions,
  Unreconstructed,
} from "./photographs/reconstruction.ts";
import { isDenied, ReconstructError } from "./photographs/refused.ts";
import { checkedTraining } from "./photographs/training.ts";
import { countText, plainReason } from "./photographs/words.ts";

export type { ReconstructedFace, Reconstruction, Reconstructions, Unreconstructed };
export { ReconstructError };

/** Side of a texture in texels. */
export type TextureSize = 256 | 512 | 1024;

/** How to reconstruct. */
interface SharedOptions {
  /** The committed results, where the trained network lies. Default: `results` beside this package. */
  readonly results?: string;
  /** How to train if there is no trained network. */
  readonly training?: EmbeddedOptions;
  /** Another training than those two: the `trained.safetensors` that a reproduction has published, or artifacts. */
  readonly trained?: string | Trained;
  /** Side of the textures in texels: 256, which is the network's own, 512 or 1024. Default 1024. */
  readonly size?: TextureSize;
  /** The folder that relative names start from. Default: the current one. */
  readonly here?: string;
  /** Store, reporter, signal and so on of the engine. */
  readonly engine?: Options;
  /** Takes lines for the person who waits. Default `console.log`. */
  readonly say?: (line: string) => void;
  /** Is told how many photographs have been opened, of how many. */
  readonly opened?: (count: number, total: number) => void;
}

/** What to reconstruct, and how. */
export interface ReconstructOptions extends SharedOptions {
  /** Path of a photograph: JPEG, PNG, TIFF, WebP, AVIF, GIF, HEIC, JPEG XL or BMP, whatever its name. */
  readonly photo: string;
  /**
   * Folder for the results. Default `reconstruction/<name of the photograph>`, or with a number behind it where
   * another photograph's result is there.
   */
  readonly output?: string;
}

/** Which photographs to reconstruct, and how. */
export interface ReconstructManyOptions extends SharedOptions {
  /** Files, folders, patterns such as `*.jpg`, and `-` for standard input. */
  readonly photos: readonly string[];
  /** Folder for the results: of one photograph directly, of several in a folder each. Default `reconstruction`. */
  readonly output?: string;
  /** Whether they all show one person, of whom one result is made. Default false. */
  readonly samePerson?: boolean;
}

/** Where results go, in a folder for each photograph. */
const OUTPUT = "reconstruction";

/**
 * Reconstructs the faces of a photograph and writes them to a folder: the files of a single face directly, those of
 * several in `0/`, `1/`, … from left to right, beside `photograph.png`, the photograph with all of them pasted in.
 *
 * @throws {ReconstructError} if the file is absent or no photograph, shows no face, or its result cannot be written
 */
export async function reconstructPhoto({ photo, ...options }: ReconstructOptions): Promise<ReconstructedFace[]> {
  const info = await Deno.stat(resolve(options.here ?? ".", photo)).catch(() => null);
  if (info?.isDirectory) throw new ReconstructError(`${photo}: not a file; name one photograph`);
  const { done, failed } = await reconstructPhotos({ ...options, photos: [photo] });
  if (failed[0] !== undefined) throw new ReconstructError(failed[0].reason);
  return done.flatMap(({ faces }) => [...faces]);
}

/**
 * Reconstructs the faces of photographs. One that cannot be reconstructed does not stop the others. Nothing is computed
 * before it is known that each result can be written, and that it would replace nothing but the same photograph's.
 *
 * @throws {ReconstructError} if the trained network is damaged, or nothing can be written at all
 * @throws {AbortedError} after an interruption; what was computed is kept in the store
 */
export async function reconstructPhotos(options: ReconstructManyOptions): Promise<Reconstructions> {
  const { here = Deno.cwd(), engine = {}, say = console.log, samePerson = false, size = 1024 } = options;
  const { inputs, failed: absent, several: listed, notes } = await findPhotographs(options.photos, { here });
  const several = listed && !samePerson;
  const parent = several ? options.output ?? OUTPUT : OUTPUT;
  for (const note of notes) say(`Note: ${note}`);
  const work = await makeWorkFolder("ftim-photographs-");
  try {
    if (inputs.length === 0) return { done: [], failed: absent, index: null };
    const trained = await checkedTraining({ ...options, here, engine, work, say });
    const regressor = typeof options.trained === "object" ? options.trained.regressor : undefined;
    if (several) await checkSheet(resolve(here, parent));
    const photographs = new Set<string>();
    for (const { path } of inputs) if (path !== null) photographs.add(inodeOf(await Deno.stat(path)));
    const single = several ? undefined : options.output;
    const places = { here, parent, single, several, photographs, taken: new Set<string>(), say };
    const run = { places, means: { work, trained, regressor, size, engine }, opened: options.opened };
    const made = await (samePerson ? onePerson : eachPhotograph)(inputs, { ...run, absent });
    if (!several && single === undefined) await renewSheet(resolve(here, parent));
    return made;
  } catch (error) {
    if (error instanceof AbortedError || error instanceof ReconstructError) throw error;
    throw new ReconstructError(plainReason(error), { cause: error });
  } finally {
    await Deno.remove(work, { recursive: true });
  }
}

/** What all photographs of a run share. */
interface Run {
  readonly places: Places;
  readonly means: Means;
  readonly opened: SharedOptions["opened"];
  /** What was named and is not there. */
  readonly absent: readonly Unreconstructed[];
}

/** One result of all photographs together. */
async function onePerson(inputs: readonly Input[], { absent, ...run }: Run): Promise<Reconstructions> {
  const opened: Opened[] = [];
  const failed = [...absent, ...await openEach(inputs, { ...run, take: (one) => void opened.push(one) })];
  const photo = [...opened.map(({ input }) => input.name), ...failed.map(({ photo }) => photo)].join(", ");
  try {
    return { done: [await reconstructPerson(opened, { ...run, photo, failed })], failed: [], index: null };
  } catch (error) {
    return { done: [], failed: [{ photo, reason: reasonOf(error, { photo, here: run.places.here }) }], index: null };
  }
}

/** A result of each photograph, and a page of all. */
async function eachPhotograph(inputs: readonly Input[], { absent, ...run }: Run): Promise<Reconstructions> {
  const { places, means } = run;
  const { here, parent, several, say } = places;
  const ready: (Opened & { readonly folder: string })[] = [];
  const take = async (one: Opened) => {
    const { name: photo, path } = one.input;
    const name = folderNameOf(path === null ? "stdin" : path);
    ready.push({ ...one, folder: await folderFor({ ...one, photo, name }, places) });
  };
  const failed = [...absent, ...await openEach(inputs, { ...run, take })];
  const distinct = distinctOf(ready);
  const computed = distinct.length === 0 ? new Map() : await computeAll(distinct, means);
  const done: Reconstruction[] = [];
  for (const one of ready) {
    const photo = one.input.name;
    try {
      const made = computed.get(one.key);
      if (made === undefined || made instanceof Error) throw made;
      done.push(await deliver({ ...one, photo }, { ...places, computed: made }));
    } catch (error) {
      failed.push({ photo, reason: reasonOf(error, { photo, here }) });
    }
  }
  const index = several && done.length > 0 ? await writeSheet(resolve(here, parent), { failed }) : null;
  if (index !== null) say(`All on one page: ${shown(index, here)}`);
  return { done, failed, index: index === null ? null : shown(index, here) };
}

/** Opens photographs, one after the other, and hands them on; returns those that cannot be opened or taken. */
async function openEach(
  inputs: readonly Input[],
  { places: { here, say }, means: { work, engine }, opened, take }: Omit<Run, "absent"> & {
    readonly take: (photograph: Opened) => void | Promise<void>;
  },
): Promise<Unreconstructed[]> {
  const failed: Unreconstructed[] = [];
  for (const [count, input] of inputs.entries()) {
    opened?.(count, inputs.length);
    if (engine.signal?.aborted) throw new AbortedError("interrupted before anything was computed");
    try {
      await take(await openPhotograph(input, { work, say }));
    } catch (error) {
      failed.push({ photo: input.name, reason: reasonOf(error, { photo: input.name, here }) });
    }
  }
  opened?.(inputs.length, inputs.length);
  return failed;
}

/** Whatever failed for one photograph, in words; what ends the run is passed on. */
function reasonOf(error: unknown, { photo, here }: { readonly photo: string; readonly here: string }): string {
  if (error instanceof AbortedError || error instanceof StoreError) throw error;
  if (error instanceof ReconstructError) return error.message.replaceAll(`${here}/`, "");
  if (isDenied(error)) return `${photo}: you may not read it`;
  return `${photo}: ${plainReason(error)}`;
}

/** What to print at the end of a run in which something failed. */
export function failuresText({ done, failed }: Reconstructions): string {
  const lines = failed.map(({ reason }) => reason);
  if (failed.length + done.length === 1) return lines.join("\n");
  const count = `${failed.length} of ${countText(failed.length + done.length, "photograph")} without a result:`;
  return [count, ...lines.map((line) => `- ${line}`)].join("\n");
}
