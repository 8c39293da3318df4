/** A file of the user's as the readers of `nets/files/` want it: by range, so that it is never in memory as a whole. */
import { basename, dirname, join } from "node:path";
import type { TensorSource } from "../../../nets/files/source.ts";
import type { Tree } from "@ftim/pipeline";

/**
 * Opens a file for reading by range. It is opened anew for each range, so that there is nothing to close.
 *
 * @throws {Deno.errors.NotFound} if there is none
 */
export async function fileSource(path: string): Promise<TensorSource> {
  const { size } = await Deno.stat(path);
  return {
    name: path,
    size,
    async read(begin, end) {
      using file = await Deno.open(path);
      await file.seek(begin, Deno.SeekMode.Start);
      const bytes = new Uint8Array(end - begin);
      for (let at = 0; at < bytes.length;) {
        const count = await file.read(bytes.subarray(at));
        if (count === null) throw new Error(`${path} became shorter while it was read`);
        at += count;
      }
      return bytes;
    },
    async beside(name) {
      if (name !== basename(name)) return null;
      const other = join(dirname(path), name);
      return await Deno.stat(other).then(({ isFile }) => isFile, () => false) ? await fileSource(other) : null;
    },
  };
}

/** The first file of a tree, opened in the same way. */
export async function onlyFile(tree: Tree): Promise<TensorSource> {
  return await fileSource(tree.file(tree.paths[0]!));
}
