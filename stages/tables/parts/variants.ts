/**
 * The rows of Table 2: the method, FTIM with a first guess, with a part left out. The paper's table has three: "from
 * network trained without FTIM but with all losses", without ID-MRF and symmetry, full. What its network without FTIM
 * is, it does not say; `map` is our reading. `copy` and `guess` are not trained.
 */

/** Losses that are left out one at a time, beside the paper's pair. */
const LOSSES = ["photometric", "albedo", "identity", "mrf", "symmetry", "regularisation"] as const;

/**
 * Rows in order. Any loss that compares views may do the others' work: `direct` lacks the two that compare them texel
 * by texel or pixel by pixel, `alone` those through networks too, so that no view learns from another.
 */
export const VARIANTS = ["copy", "guess", "map", "plain", ...LOSSES, "direct", "alone", "light", "full"] as const;
/** A row of Table 2. */
export type Variant = typeof VARIANTS[number];
/** Rows that nothing was trained for. */
export const UNTRAINED: readonly Variant[] = ["copy", "guess"];
/** Rows that `--more` adds: neither the paper's nor a single loss. They take three trainings. */
export const MORE: readonly Variant[] = ["direct", "alone", "light"];

/** How each row is labelled. */
export const VARIANT_LABELS: Readonly<Record<Variant, string>> = {
  copy: "untrained: what is seen, else the template",
  guess: "untrained: the first guess (seen, else mirrored, else template)",
  map: "without FTIM, with all losses: what is seen, else the template with one learned map",
  plain: "without ID-MRF and symmetry",
  photometric: "without photometric",
  albedo: "without UV albedo",
  identity: "without identity",
  mrf: "without ID-MRF",
  symmetry: "without symmetry",
  regularisation: "without regularisation",
  direct: "without photometric and UV albedo",
  alone: "without photometric, UV albedo, identity and ID-MRF",
  light: "each view rendered in its own light",
  full: "full",
};

/** L1 that the paper's Table 2 printed. */
export const PAPER_TABLE2: Readonly<Partial<Record<Variant, number>>> = { map: 0.036, plain: 0.027, full: 0.024 };
