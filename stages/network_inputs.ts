/** Inputs of a stage that runs a trained network on faces; `crops`, `unwrapped`, `regressed` and `guesses` are its items. */
export const networkInputs = {
  crops: "aligned",
  unwrapped: "unwrapped",
  regressed: "regressed",
  guesses: "guesses",
  weights: "weights",
  model: "model",
  topology: "assets",
} as const;
