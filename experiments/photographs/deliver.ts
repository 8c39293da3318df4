/** A result's way to its folder: found and checked before anything is computed, written and described after. */
import { join, relative, resolve } from "node:path";
import type { Computed } from "./compute.ts";
import { type Identity, objectionTo } from "./owner.ts";
import { checkWritable, chooseFolder, putInPlace } from "./place.ts";
import type { Reconstruction } from "./reconstruction.ts";
import { ReconstructError } from "./refused.ts";
import { faceFolder, resultOf } from "./result.ts";
import type { ViewRecord } from "./view_record.ts";
import { describeFace, describeView } from "./words.ts";

/** Where the results of a run go, and what they must not replace. */
export interface Places {
  /** The folder that the user is in. */
  readonly here: string;
  /** Folder for a folder each. */
  readonly parent: string;
  /** The folder that the user has named for the one result. */
  readonly single: string | undefined;
  readonly several: boolean;
  /** Device and inode of all photographs. */
  readonly photographs: ReadonlySet<string>;
  /** Folders that results of this run go into, in lower case. */
  readonly taken: Set<string>;
  readonly say: (line: string) => void;
}

/** A result on its way. */
export interface Delivery {
  /** Key of the photograph in which the faces lie. */
  readonly key: string;
  /** What the photograph, or the photographs of the person, were named. */
  readonly photo: string;
  readonly identity: Identity;
  readonly folder: string;
  readonly notes: readonly string[];
}

/** Bytes of the largest picture that is written: 50 million pixels. */
const MOST_PNG = 150e6;

/**
 * Finds the folder for a result, and checks that it can be written.
 *
 * @throws {ReconstructError} if it cannot, or would replace what is not the same photograph's
 */
export async function folderFor(
  { photo, name, identity, path }: {
    readonly photo: string;
    /** What the folder would be named. */
    readonly name: string;
    readonly identity: Identity;
    /** A file about as large as the photograph. */
    readonly path: string;
  },
  { here, parent, single, photographs, taken, say }: Places,
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

/**
 * Writes a result, and says what it is.
 *
 * @param options `views`: the photographs that its one face was made of, where they are several
 * @throws {ReconstructError} if the photograph shows no face, or the folder has become somebody else's meanwhile
 */
export async function deliver(
  { key, photo, identity, folder, notes: before }: Delivery,
  { here, several, photographs, say, computed, views }: Places & {
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

/** A path as a person sees it from where they are. */
export function shown(path: string, here: string): string {
  const below = relative(here, path);
  return below === "" || below.startsWith("..") ? path : below;
}

function sayDone(
  { photo, folder, faces, notes, views = [] }: Reconstruction,
  { several, say }: Pick<Places, "several" | "say">,
): void {
  const before = several ? `${photo}: ` : "";
  for (const note of notes.filter((note) => note.startsWith("Left out"))) say(before + note);
  for (const face of faces) say(before + describeFace(face, { of: faces.length, folder: face.folder }));
  for (const view of views) say(describeView(view));
  const whose = faces.length === 1 ? "the face" : "all faces";
  if (!several) say(`The photograph with ${whose} pasted in: ${join(folder, "photograph.png")}`);
}
