/** Where scores go: never over what is not the result of an earlier run on the same folders. */
import { join } from "node:path";
import { hashFile } from "@ftim/pipeline";
import { readRecord, RECORD } from "../photographs/owner.ts";
import { checkWritable } from "../photographs/place.ts";
import { ReconstructError } from "../photographs/refused.ts";

/** Files that a run may write. */
export const FILES = [
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
 * Refuses to write over what is not the result of an earlier run on the same folders.
 *
 * @param options.output what the user calls the folder, for messages
 * @param options.path of the folders that are scored
 * @param options.names what is about to be written
 * @throws {ReconstructError} if one of these is something else; the message says what to do
 */
export async function checkPlace(
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
