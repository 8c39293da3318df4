/** Copies a result out of the store, to where people look for it. */
import { dirname } from "node:path";
import { hashFile } from "./hash.ts";
import { checkPath } from "./path.ts";
import type { Tree } from "./tree.ts";

/**
 * Writes a tree's files below a folder, each atomically, and only those that differ; other files there are left alone.
 * Returns the paths that were written. A tree with a path that leads out of the folder is refused before anything is
 * written.
 */
export async function publish(tree: Tree, directory: string): Promise<readonly string[]> {
  for (const path of tree.paths) checkPath(path, "publish: the path");
  const written: string[] = [];
  for (const path of tree.paths) {
    const target = `${directory}/${path}`;
    if (await isSame(target, tree.entry(path))) continue;
    Deno.mkdirSync(dirname(target), { recursive: true });
    const temporary = `${target}.${crypto.randomUUID().slice(0, 8)}.tmp`;
    try {
      await Deno.writeFile(temporary, await tree.bytes(path));
      await Deno.rename(temporary, target);
    } catch (error) {
      await Deno.remove(temporary).catch(() => null);
      throw error;
    }
    written.push(path);
  }
  return written;
}

async function isSame(
  path: string,
  { sha256, size }: { readonly sha256: string; readonly size: number },
): Promise<boolean> {
  try {
    if ((await Deno.stat(path)).size !== size) return false;
    return (await hashFile(path)).sha256 === sha256;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
