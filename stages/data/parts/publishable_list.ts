/** FaceScape's `publishable_list_v1.txt`: the numbers of the persons whom a publication may show. */

/**
 * The numbers of a list; null if it holds anything but numbers, commas and space, for then it is not known whom it
 * allows.
 */
export function parsePublishableList(text: string): ReadonlySet<number> | null {
  if (!/^[\d\s,;]*\d[\d\s,;]*$/.test(text)) return null;
  return new Set(text.match(/\d+/g)!.map(Number));
}
