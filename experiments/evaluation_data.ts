/** The data of an experiment, as the paper's section 4 needs them, and what its parts are made with. */
import type { Artifact } from "@ftim/pipeline";
import type { PreparedFaces } from "./faces.ts";
import type { TrainingData } from "./methods.ts";
import type { ComparatorNetworks } from "./networks.ts";
import type { RealCaptures } from "./real_views.ts";
import type { HeldOutViews, Scorers } from "./scoring.ts";
import type { ShownPictures } from "./shown_pictures.ts";

/** All data of an experiment. */
export interface EvaluationData {
  training: TrainingData & { poses: Artifact<"poses"> };
  test: PreparedFaces;
  heldOut: HeldOutViews;
  /** Photographs of persons from several sides, for other views of real light and skin. */
  real?: RealCaptures;
  /** The networks of the comparators' authors; without them Table 1 has no rows of them. */
  networks?: ComparatorNetworks;
  /** The network that scores identity. Default: the one that a package holds. */
  recognition?: Artifact<"assets"> | undefined;
  /** What the data and the networks are beside the paper's, for the notes of Table 1, a sentence each. */
  facts?: readonly string[];
  /** Which of the user's files are not the published ones. */
  otherBytes?: Artifact<"other_bytes">;
  /** How well captures were filtered, where that is known. */
  filter?: Artifact<"filter_report">;
}

/** What the comparison and the ablation are made with. */
export interface Means {
  readonly data: EvaluationData;
  readonly scorers: Scorers;
  /** What figures may show; undefined: all. */
  readonly shown: ShownPictures | undefined;
}
