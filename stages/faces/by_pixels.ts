/** A batch's photographs in groups that memory holds when decoded. */
import type { Tree } from "@ftim/pipeline";

/** Pixels of a group, at most, unless one photograph alone has more: 100 MB in bytes. */
const AT_ONCE = 1 << 25;

/** Items in their order, in groups of so many pixels. */
export async function groupsByPixels<Item extends { readonly key: string; readonly inputs: { readonly images: Tree } }>(
  items: readonly Item[],
  most = AT_ONCE,
): Promise<Item[][]> {
  const sizes = await Promise.all(items.map(async ({ key, inputs: { images } }) => {
    const { width, height } = await images.json<{ width: number; height: number }>(`${key}.json`);
    return width * height;
  }));
  const groups: Item[][] = [];
  let pixels = Infinity;
  for (const [i, item] of items.entries()) {
    pixels += sizes[i]!;
    if (pixels <= most) groups.at(-1)!.push(item);
    else {
      groups.push([item]);
      pixels = sizes[i]!;
    }
  }
  return groups;
}
