/**
 * What counts as skin (skin_visibility.ts). Chosen by eye on portraits of training persons, and the glare on one of the
 * first sets' held-out heads; no table is made with it.
 */
export const SKIN = {
  /** Added to colours before their logarithm: what is darker says little of its colour. */
  dark: 0.03,
  /** Least standard deviation of the logarithm of a colour: pores and small shadows are skin, too. */
  spread: 0.09,
  /** Turns of finding the skin's colours and weighing by them. */
  turns: 5,
  /** Standard deviations within which a colour is skin's, and beyond which it is none. */
  skin: 2.2,
  other: 3.2,
  /**
   * A glare: by how much it is brighter than skin, in the mean logarithm of the channels; the visibility from which it
   * is skin that shines, for a bright wall lies where a cheek turns away; and as `radius` and `share`, for its rim
   * shines, too.
   */
  glare: { brighter: 0.12, facing: 0.5, radius: 0.05, share: [0.03, 0.15] },
  /** Least visibility of a mirror image that is believed. */
  seen: 0.3,
  /** Neighbourhood of a texel, in parts of the map's side; the share of it at which covering begins, and is whole. */
  radius: 0.016,
  share: [0.2, 0.5],
} as const;
