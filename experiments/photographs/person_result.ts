/** Several photographs of one person → one result, in a folder that has all their names. */
import { sha256 } from "@ftim/pipeline";
import type { Means } from "./compute.ts";
import { deliver, folderFor, type Places } from "./deliver.ts";
import { distinctOf, type Opened } from "./opened.ts";
import { folderNameOf } from "./place.ts";
import type { Reconstruction, Unreconstructed } from "./reconstruction.ts";
import { ReconstructError } from "./refused.ts";
import { computePerson } from "./same_person.ts";

/**
 * Most characters of a folder's name. Where the names of all photographs are longer together, the folder has the first
 * name and the number of the others.
 */
const LONGEST_NAME = 60;

/**
 * Makes one face of a person's photographs and writes it.
 *
 * @param options `photo`: all of them as the user named them; `failed`: those that could not be opened
 * @throws {ReconstructError} if one could not be opened, does not show that person's face alone, or the result cannot
 *   be written
 */
export async function reconstructPerson(
  opened: readonly Opened[],
  { photo, failed, means, places }: {
    readonly photo: string;
    readonly failed: readonly Unreconstructed[];
    readonly means: Means;
    readonly places: Places;
  },
): Promise<Reconstruction> {
  if (failed.length > 0) {
    const reasons = failed.map(({ reason }) => reason).join("; ");
    throw new ReconstructError(`${reasons}: no face is made while one of the photographs is missing`);
  }
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
  const folder = await folderFor({ photo, name, identity, path: first.path }, places);
  const photos = distinct.map((one) => ({ ...one, name: one.input.name }));
  const { computed, key, views } = await computePerson(photos, means);
  const notes = distinct.flatMap(({ input, notes }) => notes.map((note) => `${input.name}: ${note}`));
  return await deliver({ key, photo, identity, folder, notes }, { ...places, computed, views });
}
