/**
 * The sets of `embedded`: which files of data.lock are trained on, and which are scored. The published tables are of
 * the sets `first`. The sets `second` are drawn by person. Within either, no person is in two of them. How they were
 * drawn, and what was chosen on which, is in `docs/protocol.md`.
 */
import type { Artifact } from "@ftim/pipeline";
import { assets, dataLock } from "../stages/data/fetch.ts";
import type { ShownPictures } from "./shown_pictures.ts";
import type { VideoPerson } from "./real_views.ts";

/** Which sets, and which of them is scored. */
export interface SetsOptions {
  /** Default `first`: the sets of the published tables. */
  sets?: "first" | "second" | undefined;
  /**
   * With the sets `second`, what is scored: `test`, which nothing is chosen on, or `validation`, which settings are
   * chosen on. Default `test`.
   */
  on?: "test" | "validation" | undefined;
  /** With the sets `second`, persons to train on; default all. */
  persons?: number | undefined;
}

/** What one evaluation scores. */
export interface EvaluationSet {
  /** Photographs in the wild, as a prefix of ids: Table 1. */
  readonly photographs: string;
  /** Portraits that heads are made of, as a prefix of ids: other views and true textures. */
  readonly heads: string;
  /** Triplets of those heads: about one a head. */
  readonly triplets: number;
  /** Whose videos show real other views. */
  readonly videos: VideoPerson;
  /** Faces that a person counts in each photograph, by key: Table 1 names those that were missed. */
  readonly expectedFaces: Readonly<Record<string, number>>;
  /** The face of the picture of what comes of one photograph, by key. */
  readonly shownFace: string;
  /** What figures may show; without it they may show all. */
  readonly shown?: ShownPictures;
}

/** What the published tables score, and what the settings of the sets `second` are chosen on. */
const FIRST: EvaluationSet = {
  photographs: "test/",
  heads: "held/",
  triplets: 20,
  // stills of the other person are trained on
  videos: "cap",
  expectedFaces: {
    "test/sample1": 3,
    "test/sample2": 3,
    "test/sample3": 3,
    "test/sample4": 4,
    "test/sample5": 5,
    "test/sample6": 4,
  },
  // turned, so that much of its skin is not seen
  shownFace: "test/sample1/2",
};

/** The test part of the sets `second`. Its figures show only the pictures whose licence allows to publish them. */
const unseen = (): EvaluationSet => ({
  photographs: "unseen/photographs/",
  heads: "unseen/heads/",
  triplets: 24,
  videos: "franck",
  expectedFaces: {
    ...Object.fromEntries(idsIn("unseen/photographs/").map((id) => [id.slice(0, id.lastIndexOf(".")), 1])),
    "unseen/photographs/insightface-t1": 6,
  },
  shownFace: "unseen/photographs/biden/0",
  shown: {
    photographs: [
      "unseen/photographs/ali-pazani",
      "unseen/photographs/ayo-ogunseinde",
      "unseen/photographs/biden",
      "unseen/photographs/erik-lucatero",
      "unseen/photographs/fezbot",
      "unseen/photographs/grace-hopper",
    ],
    heads: ["unseen/heads/ayo-ogunseinde", "unseen/heads/erik-lucatero"],
  },
});

/** Training heads of the sets `second` at most, where it is not said how many. */
const HEADS = 128;

/**
 * A training head of the sets `second` is made of a face that is turned by no more, in degrees: too much of its texture
 * would be invented.
 */
const SOURCE_YAW = 45;

/** Triplets of the training heads of the sets `second`: all that there are, for 128 heads give fewer. */
const TRIPLETS = 512;

/** What is trained on. */
export interface TrainingSet {
  /** Persons in the portraits. */
  readonly persons: number;
  /** The linear face model is learned from these. */
  readonly portraits: Artifact<"assets">;
  /** Training heads are made of these; default: of all portraits. */
  readonly sources?: Artifact<"assets">;
  /** Faces that are turned further, in degrees, give no training head; default: all do. */
  readonly sourceYaw?: number;
  /** Whether the losses count only what the portraits behind the heads showed; default: all of each capture. */
  readonly onlyShown?: boolean;
  /** Triplets to train on at most, where it is not said how many; default: as the experiment has it. */
  readonly triplets?: number;
}

/**
 * What is scored.
 *
 * @throws {RangeError} if the sets `first` are asked for their validation part, which they lack
 */
export function evaluationSet({ sets = "first", on }: SetsOptions): EvaluationSet {
  if (sets === "first" && on !== undefined) throw new RangeError(`"on" is of the sets "second" alone: say which sets`);
  return sets === "second" && on !== "validation" ? unseen() : FIRST;
}

/**
 * What is trained on. The persons of the sets `second` come in the order of the SHA-256 of their first photograph, so
 * that more persons, and more heads, are always the fewer and others.
 *
 * @param options `identities`: how many training heads are wanted; default, with the sets `second`: one of each of the
 *   first 128 persons whose face is frontal enough
 * @throws {RangeError} if there are not so many persons, or if a number of persons is asked of the sets `first`
 */
export function trainingSet(
  { sets = "first", persons, identities = HEADS }: SetsOptions & { identities?: number | undefined },
): TrainingSet {
  if (sets === "first") {
    if (persons !== undefined) throw new RangeError(`"persons" is of the sets "second" alone: say which sets`);
    return { persons: new Set(idsIn("train/").map(personOf)).size, portraits: assets("train/") };
  }
  const drawn = drawnPersons();
  if (persons !== undefined && persons > drawn.length) {
    throw new RangeError(`There are ${drawn.length} training persons, not ${persons}: ask for fewer`);
  }
  const chosen = drawn.slice(0, persons);
  return {
    persons: chosen.length,
    portraits: assets(chosen.flat()),
    sources: assets(chosen.slice(0, identities).flat()),
    sourceYaw: SOURCE_YAW,
    onlyShown: true,
    triplets: TRIPLETS,
  };
}

/** Photographs of each training person of the sets `second`, in the drawn order. */
function drawnPersons(): string[][] {
  // this person is in a packaged video, of which real other views can be made: nothing may be learned from its stills
  const ids = [...idsIn("train/"), ...idsIn("more/")].filter((id) => !id.startsWith("train/franck/"));
  const { assets: entries } = dataLock();
  return [...Map.groupBy(ids, personOf).values()]
    .map((own) => ({ own, order: entries.get(own[0]!)!.sha256! }))
    .sort((a, b) => a.order < b.order ? -1 : 1)
    .map(({ own }) => own);
}

/** Whose portrait it is: the folder below that of the set. */
function personOf(id: string): string {
  return id.split("/")[1]!;
}

function idsIn(folder: string): string[] {
  return [...dataLock().assets.keys()].filter((id) => id.startsWith(folder));
}
