/** Parts of photographs in the order that they go to the device in, as many together as may be there. */
import type { Pixels } from "../face/pixels.ts";

/** Something to be made of a part of a photograph. */
export interface PixelWork {
  readonly image: Pixels;
  /** Bytes on the device. */
  readonly bytes: number;
}

/**
 * Neighbours in one group until they take more bytes; bytes go with bytes, and floats with floats. What takes more by
 * itself is a group.
 *
 * @param most bytes of a group
 */
export function groupsOf<Part>(
  parts: readonly Part[],
  { most, workOf }: { readonly most: number; readonly workOf: (part: Part) => PixelWork },
): Part[][] {
  const groups: Part[][] = [];
  let [kind, total]: [unknown, number] = [undefined, 0];
  for (const part of parts) {
    const { image, bytes } = workOf(part);
    const own = image.data.constructor;
    total += bytes;
    if (own === kind && total <= most) {
      groups.at(-1)!.push(part);
    } else {
      groups.push([part]);
      [kind, total] = [own, bytes];
    }
  }
  return groups;
}
