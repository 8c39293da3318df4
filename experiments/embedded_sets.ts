/**
 * The sets of `embedded`: which files of data.lock serve what. No person is in two of them; how they were drawn, and
 * what was chosen on which, is in `docs/protocol.md`.
 */
import type { Artifact } from "@ftim/pipeline";
import { assets, dataLock } from "../stages/data/fetch.ts";
import type { ShownPictures } from "./evaluation.ts";

/** What one evaluation scores. */
export interface EvaluationSet {
  /** Photographs in the wild: Table 1. */
  readonly photographs: string;
  /** Portraits that heads are made of: other views and true textures. */
  readonly heads: string;
  /** Faces that a person counts in the photographs that do not show exactly one, by key. */
  readonly severalFaces: Readonly<Record<string, number>>;
  /** The face of the picture of what comes of one photograph, by key. */
  readonly shownFace: string;
  /**
   * What figures may show; without it they may show all. Figures of the test set are committed, so these are the
   * pictures whose licence allows that.
   */
  readonly shown?: ShownPictures;
}

/** What can be scored: `test`, which nothing is chosen on, and `validation`, which settings are chosen on. */
export const EVALUATION_SETS = {
  test: {
    photographs: "test/photographs/",
    heads: "test/heads/",
    severalFaces: { "test/photographs/insightface-t1": 6 },
    shownFace: "test/photographs/biden/0",
    shown: {
      photographs: [
        "test/photographs/ali-pazani",
        "test/photographs/ayo-ogunseinde",
        "test/photographs/biden",
        "test/photographs/erik-lucatero",
        "test/photographs/fezbot",
        "test/photographs/grace-hopper",
      ],
      heads: ["test/heads/ayo-ogunseinde", "test/heads/erik-lucatero"],
    },
  },
  validation: {
    photographs: "validation/photographs/",
    heads: "validation/heads/",
    severalFaces: {
      "validation/photographs/sample1": 3,
      "validation/photographs/sample2": 3,
      "validation/photographs/sample3": 3,
      "validation/photographs/sample4": 4,
      "validation/photographs/sample5": 5,
      "validation/photographs/sample6": 4,
    },
    // turned, so that much of its skin is not seen
    shownFace: "validation/photographs/sample1/2",
  },
} as const satisfies Record<string, EvaluationSet>;

/** One of {@link EVALUATION_SETS}. */
export type EvaluationSetName = keyof typeof EVALUATION_SETS;

/** Faces that a person counts in each photograph of a set, by key. */
export function expectedFaces({ photographs, severalFaces }: EvaluationSet): Record<string, number> {
  const ones = idsIn(photographs).map((id) => [id.slice(0, id.lastIndexOf(".")), 1] as const);
  return { ...Object.fromEntries(ones), ...severalFaces };
}

/**
 * The photographs of the training persons.
 *
 * @param persons how many persons; default all. They come in the order of the SHA-256 of their first photograph, so
 *   that more persons are always the fewer and others.
 * @throws {RangeError} if there are not so many
 */
export function trainingPhotographs(persons?: number): Artifact<"assets"> {
  if (persons === undefined) return assets("train/");
  const byPerson = Map.groupBy(idsIn("train/"), (id) => id.split("/")[1]!);
  if (persons > byPerson.size) {
    throw new RangeError(`There are ${byPerson.size} training persons, not ${persons}: ask for fewer`);
  }
  const { assets: entries } = dataLock();
  const ordered = [...byPerson.values()]
    .map((ids) => ({ ids, order: entries.get(ids[0]!)!.sha256! }))
    .sort((a, b) => a.order < b.order ? -1 : 1);
  return assets(ordered.slice(0, persons).flatMap(({ ids }) => ids));
}

function idsIn(folder: string): string[] {
  return [...dataLock().assets.keys()].filter((id) => id.startsWith(folder));
}
