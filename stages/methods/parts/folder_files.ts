/** Files that authors ship in a folder of their own, found by their names wherever in it they lie. */
import { basename } from "node:path";
import type { Tree } from "@ftim/pipeline";
import type { TensorSource } from "../../../nets/files/source.ts";
import { TensorFileError } from "../../../nets/files/source.ts";
import { fileSource } from "../../data/parts/file_source.ts";

/**
 * Opens the file of a name; of several that match, the one with the greatest number in its name, which among a
 * network's checkpoints is the last.
 *
 * @throws {TensorFileError} if there is none
 */
export async function fileIn(folder: Tree, name: string | RegExp): Promise<TensorSource> {
  return await fileSource(folder.file(pathIn(folder, name)));
}

/**
 * The same file's path in the folder.
 *
 * @throws {TensorFileError} if there is none
 */
export function pathIn({ paths }: Pick<Tree, "paths">, name: string | RegExp): string {
  const fits = (path: string) => typeof name === "string" ? basename(path) === name : name.test(basename(path));
  const found = paths.filter(fits).sort((a, b) => numberIn(a) - numberIn(b)).at(-1);
  if (found !== undefined) return found;
  const some = paths.slice(0, 3).join(", ");
  const wanted = typeof name === "string" ? name : `file of the form ${name.source}`;
  throw new TensorFileError(`There is no ${wanted} in the folder, which holds ${some}${paths.length > 3 ? ", …" : ""}`);
}

function numberIn(path: string): number {
  return Number(basename(path).match(/\d+/g)?.at(-1) ?? -1);
}
