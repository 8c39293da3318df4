/** What `score` is asked for: its options, and what is wrong with them before anything is read. */
import type { Options } from "@ftim/pipeline";
import type { EmbeddedOptions } from "../embedded.ts";
import { ReconstructError } from "../photographs/refused.ts";
import { SCORED, type ScoredMethod } from "../score.ts";
import { METHOD_LABELS } from "../../stages/scores/parts/methods.ts";

/** Pictures of another program. */
export interface OverlayFolder {
  /** The label of its row. */
  readonly name: string;
  readonly folder: string;
}

/** What to score, and how. */
export interface ScoreOptions {
  /** A folder of photographs, scored in the view that was unwrapped. */
  readonly photos?: string;
  /** A folder of captures, `<person>/<k_expression>/<view>.jpg`, scored in other views. */
  readonly triplets?: string;
  /** A CSV of triplets of the captures that were picked by hand. Default: they are drawn. */
  readonly picked?: string;
  /** Triplets that are drawn at most. Default as in `stages/data/triplets.ts`. */
  readonly draw?: number;
  /** Rows of pictures that other programs made of the photographs. */
  readonly overlays?: readonly OverlayFolder[];
  /** Default: all; with `trained`, those that it has the networks of. */
  readonly methods?: readonly ScoredMethod[];
  /** Folder for the results. Default `scores`. */
  readonly output?: string;
  /** The `trained.safetensors` of another training. */
  readonly trained?: string;
  /** The committed results, where trained networks lie. Default: `results` beside this package. */
  readonly results?: string;
  /** How to train what is not trained yet. */
  readonly training?: EmbeddedOptions;
  /** The folder that relative names start from. Default: the current one. */
  readonly here?: string;
  readonly engine?: Options;
  /** Takes lines for the person who waits. Default `console.log`. */
  readonly say?: (line: string) => void;
}

/** What every step is given. */
export type Means = ScoreOptions & {
  readonly methods: readonly ScoredMethod[];
  readonly here: string;
  readonly say: (line: string) => void;
  readonly work: string;
  /** Where results go. */
  readonly folder: string;
};

/**
 * What a person can score without a training: the network of these is in the committed file, or they have a linear
 * model, which takes seconds to fit.
 */
export const PACKED: readonly ScoredMethod[] = SCORED.filter((name) => name !== "printed" && name !== "tran");

/**
 * Refuses options that contradict each other.
 *
 * @throws {ReconstructError} if they do
 */
export function checkOptions({ photos, triplets, picked, draw, overlays = [], methods, trained }: ScoreOptions): void {
  const refuse = (why: string) => {
    throw new ReconstructError(why);
  };
  if (methods?.length === 0) refuse("--methods: name one at least");
  if (photos === undefined && triplets === undefined) {
    refuse("name a folder: --photos FOLDER, --triplets FOLDER, or both");
  }
  if (triplets === undefined && (picked ?? draw) !== undefined) {
    refuse("--picked and --draw are of captures: name their folder with --triplets");
  }
  if (photos === undefined && overlays.length > 0) {
    refuse("--overlays are pictures of photographs: name their folder with --photos");
  }
  const taken = overlays.find(({ name }) => Object.values(METHOD_LABELS).includes(name));
  if (taken !== undefined) refuse(`--overlays: a row is called "${taken.name}" already: choose another name`);
  const twice = overlays.find(({ name }, i) => overlays.findIndex((other) => other.name === name) < i);
  if (twice !== undefined) refuse(`--overlays: two rows are called "${twice.name}"`);
  const lacking = trained === undefined ? [] : (methods ?? []).filter((name) => !PACKED.includes(name));
  if (lacking.length > 0) refuse(`${trained} has no networks of ${lacking.join(" and ")}: name other --methods`);
}

/**
 * Reads names of methods.
 *
 * @throws {ReconstructError} if there is no such method
 */
export function scoredMethods(names: readonly string[]): ScoredMethod[] {
  return names.map((name) => {
    const method = SCORED.find((one) => one === name.trim());
    if (method === undefined) throw new ReconstructError(`--methods: there is no "${name}": ${SCORED.join(", ")}`);
    return method;
  });
}
