/** How well the data funnel did, in numbers, from what is known of made captures. */
import type { Triplet } from "../../data/parts/triplet_choice.ts";
import { binOf } from "../../data/parts/triplet_choice.ts";
import { quantile } from "./bootstrap.ts";
import { mean } from "./mean.ts";

/** What is true of one captured frame. */
export interface FrameTruth {
  readonly key: string;
  /** Null: not known, and the frame is not counted. */
  readonly hasFace: boolean | null;
  /** Degrees, > 0: nose to the image's right; null if there is no face, or it is not known. */
  readonly yaw: number | null;
  readonly identity: string | null;
  readonly expression: string | null;
}

/** What the stages made of the frames. */
export interface FilterResults {
  readonly truth: readonly FrameTruth[];
  /** Keys of the frames that the face filter kept. */
  readonly kept: ReadonlySet<string>;
  /** Estimated yaw in degrees of each kept frame. */
  readonly yaws: ReadonlyMap<string, number>;
  readonly triplets: readonly Pick<Triplet, "identity" | "expression" | "views">[];
  /** Yaw ranges in degrees: left, frontal, right. */
  readonly bins: readonly (readonly [number, number])[];
}

/** Names of the bins in the confusion's rows and columns; rows lack the last. */
export const BIN_NAMES = ["left", "frontal", "right", "none", "dropped"] as const;

/**
 * How well the filter, the pose network and the triplet builder did. Ratios are null where nothing was there to count.
 */
export interface FilterScores {
  readonly frames: number;
  /** Frames of which nothing is known, which are not among the others; absent: none. */
  readonly unknown?: number;
  readonly faces: {
    readonly withFace: number;
    readonly kept: number;
    /** Share of the kept frames that show a face. */
    readonly precision: number | null;
    /** Share of the frames with a face that were kept. */
    readonly recall: number | null;
    readonly keptWithoutFace: readonly string[];
    readonly droppedWithFace: readonly string[];
  };
  /**
   * Of kept frames with a face, degrees; bias is the mean of estimate − truth, the others are of its absolute value.
   */
  readonly yaw: {
    readonly count: number;
    readonly bias: number | null;
    readonly mean: number | null;
    readonly median: number | null;
    readonly p95: number | null;
  };
  /** `confusion[true bin][estimated bin]`: counts of frames with a face, in the order of `BIN_NAMES`. */
  readonly confusion: readonly (readonly number[])[];
  readonly triplets: {
    readonly count: number;
    /** Share whose three true yaws lie in the three bins. */
    readonly rightBins: number | null;
    /** Share whose three frames truly show one identity with one expression, the one that the triplet names. */
    readonly rightPeople: number | null;
    readonly wrong: readonly (readonly string[])[];
  };
}

/**
 * Scores the data funnel of the paper's Section 3.1 against what is known of made captures.
 *
 * @throws {RangeError} if a stage speaks of a frame of which the truth is not known
 */
export function scoreFilter({ truth, kept, yaws, triplets, bins }: FilterResults): FilterScores {
  const frames = new Map(truth.map((frame) => [frame.key, frame]));
  const frameOf = (key: string): FrameTruth => {
    const frame = frames.get(key) ?? frames.get(key.replace(/\/[^/]*$/, ""));
    if (frame === undefined) throw new RangeError(`Cannot score "${key}": the truth does not name it`);
    return frame;
  };
  const isKnown = ({ hasFace }: FrameTruth) => hasFace !== null;
  const known = truth.filter(isKnown);
  const keptKnown = [...kept].map(frameOf).filter(isKnown).length;
  const withFace = truth.filter(({ hasFace }) => hasFace === true);
  const keptWithFace = withFace.filter(({ key }) => kept.has(key));

  const errors: number[] = [];
  const confusion = BIN_NAMES.slice(0, 4).map(() => BIN_NAMES.map(() => 0));
  for (const { key, yaw } of withFace) {
    if (yaw === null) continue;
    const estimate = yaws.get(key);
    const column = estimate === undefined ? 4 : binOf(estimate, bins) ?? 3;
    confusion[binOf(yaw, bins) ?? 3]![column]! += 1;
    if (estimate !== undefined) errors.push(estimate - yaw);
  }
  const sizes = errors.map(Math.abs).sort((a, b) => a - b);
  const ofErrors = (value: () => number) => (errors.length === 0 ? null : value());

  const judged = triplets.filter(({ views }) => views.map(frameOf).every(isKnown)).map(
    ({ identity, expression, views }) => {
      const shown = views.map(frameOf);
      return {
        views,
        bins: shown.every(({ yaw }, i) => yaw !== null && binOf(yaw, bins) === i),
        people: shown.every((frame) => frame.identity === identity && (frame.expression ?? "") === expression),
      };
    },
  );
  return {
    frames: known.length,
    ...(known.length < truth.length && { unknown: truth.length - known.length }),
    faces: {
      withFace: withFace.length,
      kept: keptKnown,
      precision: share(keptWithFace.length, keptKnown),
      recall: share(keptWithFace.length, withFace.length),
      keptWithoutFace: truth.filter(({ key, hasFace }) => hasFace === false && kept.has(key)).map(({ key }) => key),
      droppedWithFace: withFace.filter(({ key }) => !kept.has(key)).map(({ key }) => key),
    },
    yaw: {
      count: errors.length,
      bias: ofErrors(() => mean(errors)),
      mean: ofErrors(() => mean(sizes)),
      median: ofErrors(() => quantile(sizes, 0.5)),
      p95: ofErrors(() => quantile(sizes, 0.95)),
    },
    confusion,
    triplets: {
      count: judged.length,
      rightBins: share(judged.filter((triplet) => triplet.bins).length, judged.length),
      rightPeople: share(judged.filter((triplet) => triplet.people).length, judged.length),
      wrong: judged.filter((triplet) => !triplet.bins || !triplet.people).map(({ views }) => views),
    },
  };
}

function share(part: number, whole: number): number | null {
  return whole === 0 ? null : part / whole;
}
