/** Which faces a tree has something of. */
import type { Tree } from "@ftim/pipeline";

/**
 * The keys of the files that end so, in the tree's order.
 *
 * @param ending what follows a key, such as `.texture.png`
 */
export function keysOf({ paths }: Pick<Tree, "paths">, ending: string): string[] {
  return paths.filter((path) => path.endsWith(ending)).map((path) => path.slice(0, -ending.length));
}
