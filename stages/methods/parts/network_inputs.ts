/** What every stage reads that runs the network of a comparator's authors. */

/** Faces, where their detector sees them, and their photographs. The authors' files stand beside them. */
export const NETWORK_INPUTS = { crops: "aligned", sought: "sought", images: "images" } as const;
/** Those of which a face reads its own. */
export const NETWORK_EACH = ["crops", "sought"] as const;
