/** FaceScape's `publishable_list_v1.txt`: the numbers of the persons whom a publication may show. */

/** What such a list is: numbers, commas and space alone. */
export const PUBLISHABLE_LIST = /^[\d\s,;]*\d[\d\s,;]*$/;

/**
 * The numbers of a list; null if it holds anything but numbers, commas and space, for then it is not known whom it
 * allows.
 */
export function parsePublishableList(text: string): ReadonlySet<number> | null {
  if (!PUBLISHABLE_LIST.test(text)) return null;
  return new Set(text.match(/\d+/g)!.map(Number));
}
