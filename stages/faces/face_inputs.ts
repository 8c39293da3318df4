/** What a method reads of faces (`FaceTrees` in `training_set.ts`), and what all faces share. */

/** Inputs of a stage that works on faces. */
export const faceInputs = {
  crops: "aligned",
  unwrapped: "unwrapped",
  regressed: "regressed",
  guesses: "guesses",
  model: "model",
  topology: "assets",
} as const;

/** Those of them that hold a file or more for each face. */
export const faceItems = ["crops", "unwrapped", "regressed", "guesses"] as const;
