/**
 * `reconstruct PHOTO…`: photographs → the textured face mask of every face in them, as files for viewers and programs.
 *
 * The network comes from `<results>/embedded/trained.safetensors`, which is committed; without that file the embedded
 * experiment makes it first, which takes long, so it says so before it starts.
 */
import { join, relative, resolve } from "node:path";
import { AbortedError, type Options, sha256, StoreError } from "@ftim/pipeline";
import type { Head } from "../stages/methods/head.ts";
import type { EmbeddedOptions } from "./embedded.ts";
import type { Trained } from "./photograph.ts";
import { computeAll, type Computed, type Ready } from "./photographs/compute.ts";
import { checkSheet, writeSheet } from "./photographs/contact_sheet.ts";
import { findPhotographs, type Input } from "./photographs/inputs.ts";
import { type Identity, inodeOf, objectionTo } from "./photographs/owner.ts";
import { checkWritable, chooseFolder, folderNameOf, putInPlace } from "./photographs/place.ts";
import { preparePhotograph } from "./photographs/prepare.ts";
import { isDenied, ReconstructError } from "./photographs/refused.ts";
import { faceFolder, resultOf } from "./photographs/result.ts";
import type { ViewRecord } from "./photographs/view_record.ts";
import { computePerson } from "./photographs/same_person.ts";
import { checkedTraining } from "./photographs/training.ts";
import { countText, describeFace, describeView, plainReason } from "./photographs/words.ts";

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

/** A reconstructed face. */
export interface ReconstructedFace extends Head {
  /** Holds the face's files, of which `face.json` names all and says the rest of what is known. */
  readonly folder: string;
}

/** A reconstructed photograph. */
export interface Reconstruction {
  /** As it was named. */
  readonly photo: string;
  /** Where its files are. */
  readonly folder: string;
  /** From left to right. */
  readonly faces: readonly ReconstructedFace[];
  /** Paths in the folder. */
  readonly files: readonly string[];
  /** What a person should know of it. */
  readonly notes: readonly string[];
  /** The photographs of one person that its face was made of; absent where it is of one photograph. */
  readonly views?: readonly ViewRecord[];
}

/** A photograph without a result. */
export interface Unreconstructed {
  /** As it was named. */
  readonly photo: string;
  /** Why, and what to do about it. */
  readonly reason: string;
}

/** What became of some photographs. */
export interface Reconstructions {
  readonly done: readonly Reconstruction[];
  readonly failed: readonly Unreconstructed[];
  /** The page of all results; null where there is one photograph. */
  readonly index: string | null;
}

/** Where results go, in a folder for each photograph. */
const OUTPUT = "reconstruction";
/** A larger file is no photograph, or none that can be decoded in memory. */
const MAX_BYTES = 2e9;
/** Bytes of the largest picture that is written: 50 million pixels. */
const MOST_PNG = 150e6;
/** A folder's name is made of all photographs' names where it gets no longer. */
const LONGEST_NAME = 60;
/** So many digits of a content's hash name it among the photographs of a run. */
const KEY = 24;

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

/** A photograph that has been opened. */
interface Opened extends Ready {
  readonly input: Input;
  readonly identity: Identity;
  readonly notes: readonly string[];
}

/** A result on its way. */
interface Work {
  /** Key of the photograph in which the faces lie. */
  readonly key: string;
  /** What the photograph, or the photographs of the person, were named. */
  readonly photo: string;
  readonly identity: Identity;
  readonly folder: string;
  readonly notes: readonly string[];
}

/** What all photographs of a run share. */
interface Shared {
  readonly here: string;
  /** Folder for a folder each. */
  readonly parent: string;
  /** The folder that the user has named for the one result. */
  readonly single: string | undefined;
  readonly several: boolean;
  /** Device and inode of all photographs. */
  readonly photographs: ReadonlySet<string>;
  readonly taken: Set<string>;
  readonly work: string;
  readonly say: (line: string) => void;
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
  const failed: Unreconstructed[] = [...absent];
  const parent = several ? options.output ?? OUTPUT : OUTPUT;
  for (const note of notes) say(`Note: ${note}`);
  const work = await Deno.makeTempDir({ prefix: "ftim-photographs-" });
  try {
    if (inputs.length === 0) return { done: [], failed, index: null };
    const trained = await checkedTraining({ ...options, here, engine, work, say });
    if (several) await checkSheet(resolve(here, parent));
    const photographs = new Set<string>();
    for (const { path } of inputs) if (path !== null) photographs.add(inodeOf(await Deno.stat(path)));
    const single = several ? undefined : options.output;
    const shared = { here, parent, single, several, photographs, taken: new Set<string>(), work, say };
    const means = { work, trained, size, engine };
    const ready: (Opened & { readonly folder: string })[] = [];
    const opened: Opened[] = [];
    for (const [count, input] of inputs.entries()) {
      options.opened?.(count, inputs.length);
      if (engine.signal?.aborted) throw new AbortedError("interrupted before anything was computed");
      try {
        const photograph = await open(input, shared);
        opened.push(photograph);
        if (samePerson) continue;
        const name = folderNameOf(input.path === null ? "stdin" : input.path);
        ready.push({ ...photograph, folder: await folderFor({ ...photograph, photo: input.name, name }, shared) });
      } catch (error) {
        failed.push({ photo: input.name, reason: reasonOf(error, { photo: input.name, here }) });
      }
    }
    options.opened?.(inputs.length, inputs.length);
    if (samePerson) {
      const photo = [...opened.map(({ input }) => input.name), ...failed.map(({ photo }) => photo)].join(", ");
      try {
        if (failed.length > 0) {
          const reasons = failed.map(({ reason }) => reason).join("; ");
          throw new ReconstructError(`${reasons}: no face is made while one of the photographs is missing`);
        }
        return { done: [await reconstructPerson(opened, { ...shared, photo, means })], failed, index: null };
      } catch (error) {
        return { done: [], failed: [{ photo, reason: reasonOf(error, { photo, here }) }], index: null };
      }
    }
    const distinct = distinctOf(ready);
    const computed = distinct.length === 0 ? new Map() : await computeAll(distinct, means);
    const done: Reconstruction[] = [];
    for (const one of ready) {
      const photo = one.input.name;
      try {
        const made = computed.get(one.key);
        if (made === undefined || made instanceof Error) throw made;
        done.push(await finish({ ...one, photo }, { ...shared, computed: made }));
      } catch (error) {
        failed.push({ photo, reason: reasonOf(error, { photo, here }) });
      }
    }
    const index = several && done.length > 0 ? await writeSheet(resolve(here, parent), { failed }) : null;
    if (index !== null) say(`All on one page: ${shown(index, here)}`);
    return { done, failed, index: index === null ? null : shown(index, here) };
  } catch (error) {
    if (error instanceof AbortedError || error instanceof ReconstructError) throw error;
    throw new ReconstructError(plainReason(error), { cause: error });
  } finally {
    await Deno.remove(work, { recursive: true });
  }
}

/** Photographs of different content. */
function distinctOf<T extends Ready>(photographs: readonly T[]): T[] {
  return [...new Map(photographs.map((one) => [one.key, one])).values()];
}

/** One person's photographs → one result. */
async function reconstructPerson(
  opened: readonly Opened[],
  { photo, means, ...shared }: Shared & { readonly photo: string; readonly means: Parameters<typeof computeAll>[1] },
): Promise<Reconstruction> {
  const distinct = distinctOf(opened);
  const [first] = distinct;
  if (first === undefined || distinct.length < 2) {
    throw new ReconstructError(
      `${photo}: --same-person takes two or more different photographs of one person; of one, leave the option out`,
    );
  }
  // the same photographs are the same person's in any order
  const sorted = distinct.map(({ identity }) => identity).sort((a, b) => a.sha256 < b.sha256 ? -1 : 1);
  const paths = sorted.map(({ path }) => path);
  const identity = {
    path: paths.includes(null) ? null : paths.join(" + "),
    sha256: sha256(sorted.map(({ sha256 }) => sha256).join()),
  };
  const names = distinct.map(({ input: { path } }) => folderNameOf(path === null ? "stdin" : path));
  const joined = names.join("+");
  const name = joined.length <= LONGEST_NAME ? joined : `${names[0]!.slice(0, LONGEST_NAME)}+${names.length - 1}`;
  const folder = await folderFor({ photo, name, identity, path: first.path }, shared);
  const photos = distinct.map((one) => ({ ...one, name: one.input.name }));
  const { computed, key, views } = await computePerson(photos, means);
  const notes = distinct.flatMap(({ input, notes }) => notes.map((note) => `${input.name}: ${note}`));
  return await finish({ key, photo, identity, folder, notes }, { ...shared, computed, views });
}

/** Reads a photograph, and writes what the stages cannot read as it is into the folder to work in. */
async function open(input: Input, { work, say }: Shared): Promise<Opened> {
  const bytes = input.content ?? await readPhotograph(input.path!, input.name);
  const hash = sha256(bytes);
  const { extension, content, notes } = await preparePhotograph(input.name, bytes);
  const identity = { path: input.path === null ? null : await Deno.realPath(input.path), sha256: hash };
  for (const note of notes) say(`Note: ${input.name}: ${note}`);
  const key = hash.slice(0, KEY);
  const path = content === null && input.path !== null ? input.path : join(work, `${key}.${extension}`);
  if (path !== input.path) await Deno.writeFile(path, content ?? bytes);
  return { input, identity, notes, key, extension, path };
}

/** Finds the folder for a result, and checks that it can be written. */
async function folderFor(
  { photo, name, identity, path }: {
    readonly photo: string;
    /** What the folder would be named. */
    readonly name: string;
    readonly identity: Identity;
    /** A file about as large as the photograph. */
    readonly path: string;
  },
  { here, parent, single, photographs, taken, say }: Shared,
): Promise<string> {
  let folder: string;
  if (single === undefined) {
    const choice = await chooseFolder([resolve(here, parent), name], { identity, photographs, taken });
    folder = choice.folder;
    if (choice.because !== null) {
      say(`Note: ${photo} goes into ${shown(folder, here)}: ${choice.because.replaceAll(`${here}/`, "")}`);
    }
  } else {
    folder = resolve(here, single);
    const objection = await objectionTo(folder, { identity, photographs });
    if (objection !== null) throw new ReconstructError(`${photo}: ${objection.reason}; name another --output`);
  }
  await checkWritable(folder, { bytes: Math.min(8 * (await Deno.stat(path)).size, MOST_PNG) });
  taken.add(folder.toLowerCase());
  return folder;
}

/** Writes a result, and says what it is. */
async function finish(
  { key, photo, identity, folder, notes: before }: Work,
  { here, several, photographs, say, computed, views }: Shared & {
    readonly computed: Computed;
    readonly views?: readonly ViewRecord[];
  },
): Promise<Reconstruction> {
  const result = await resultOf(computed, { key, photo, views });
  const objection = await objectionTo(folder, { identity, photographs });
  if (objection !== null) throw new ReconstructError(`${photo}: not written: ${objection.reason}`);
  await putInPlace(folder, { files: result.files, identity });
  const where = shown(folder, here);
  const faces = result.heads.map((head) => {
    return { ...head, folder: join(where, faceFolder(head.face, result.heads.length)).replace(/\/$/, "") };
  });
  const notes = [...before, ...result.notes, ...result.leftOut];
  const files = [...result.files.keys()];
  const made = { photo, folder: where, faces, files, notes, ...(views === undefined ? {} : { views }) };
  for (const note of result.notes) say(several ? `${photo}: ${note}` : `Note: ${note}`);
  sayDone(made, { several, say });
  return made;
}

async function readPhotograph(path: string, photo: string): Promise<Uint8Array<ArrayBuffer>> {
  const { size } = await Deno.stat(path);
  if (size <= MAX_BYTES) return await Deno.readFile(path);
  throw new ReconstructError(`${photo}: ${Math.round(size / 1e9)} GB are too many for a photograph: export it as JPEG`);
}

/** Whatever failed for one photograph, in words; what ends the run is passed on. */
function reasonOf(error: unknown, { photo, here }: { readonly photo: string; readonly here: string }): string {
  if (error instanceof AbortedError || error instanceof StoreError) throw error;
  if (error instanceof ReconstructError) return error.message.replaceAll(`${here}/`, "");
  if (isDenied(error)) return `${photo}: you may not read it`;
  return `${photo}: ${plainReason(error)}`;
}

/** A path as a person sees it from where they are. */
function shown(path: string, here: string): string {
  const below = relative(here, path);
  return below === "" || below.startsWith("..") ? path : below;
}

function sayDone(
  { photo, folder, faces, notes, views = [] }: Reconstruction,
  { several, say }: { readonly several: boolean; readonly say: (line: string) => void },
): void {
  const before = several ? `${photo}: ` : "";
  for (const note of notes.filter((note) => note.startsWith("Left out"))) say(before + note);
  for (const face of faces) say(before + describeFace(face, { of: faces.length, folder: face.folder }));
  for (const view of views) say(describeView(view));
  const whose = faces.length === 1 ? "the face" : "all faces";
  if (!several) say(`The photograph with ${whose} pasted in: ${join(folder, "photograph.png")}`);
}

/** What to print at the end of a run in which something failed. */
export function failuresText({ done, failed }: Reconstructions): string {
  const lines = failed.map(({ reason }) => reason);
  if (failed.length + done.length === 1) return lines.join("\n");
  const count = `${failed.length} of ${countText(failed.length + done.length, "photograph")} without a result:`;
  return [count, ...lines.map((line) => `- ${line}`)].join("\n");
}
