/** Inputs of a stage that runs a trained network on faces; `crops`, `unwrapped` and `regressed` are its items. */
export const networkInputs = {
  crops: "aligned",
  unwrapped: "unwrapped",
  regressed: "regressed",
  weights: "weights",
  model: "model",
  topology: "assets",
} as const;
