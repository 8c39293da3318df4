/** What stands below Table 1: what its rows are, how many faces it is a mean over, and which faces are missing. */
import { type Comparator, COMPARATORS, METHOD_LABELS } from "../../scores/parts/methods.ts";
import { isNetworkRow, networkRow, ROW_LABELS, type Table1Row } from "../../scores/parts/table1_rows.ts";
import { firstReasons } from "./first_reasons.ts";

/** What the notes are made from. */
export interface NoteFacts {
  /** The texture model behind each comparator's row, as words. */
  readonly models: Readonly<Record<Comparator, string>>;
  /** Comparators whose authors' network has a row. Default none. */
  readonly networks?: readonly Comparator[];
  /** Of those, why nothing was measured, by comparator. Default none. */
  readonly absent?: Readonly<Partial<Record<Comparator, string>>>;
  /** What the data and the networks are beside the paper's, a sentence each. Default none. */
  readonly facts?: readonly string[];
  /** The user's files that are not the published ones, though they have their shapes. Default none. */
  readonly otherBytes?: readonly string[];
  readonly faces: number;
  /** One line a photograph or face that has no measurement: which, and why. */
  readonly missed: readonly string[];
}

/** The notes, a sentence or two each, without markup. */
export function tableNotes(
  { models, networks = [], absent = {}, facts = [], otherBytes = [], faces, missed }: NoteFacts,
): string[] {
  const rows =
    "Four rows are the texture models of other papers and not those authors' networks, whose weights are not free: " +
    "each is that method's texture model " +
    `re-made on the same geometry, light and data as ours (${
      COMPARATORS.map((method) => `${METHOD_LABELS[method]}: ${models[method]}`).join("; ")
    }).`;
  const run = networks.filter((name) => absent[name] === undefined).map((name) => ROW_LABELS[networkRow(name)]);
  const lacking = networks.flatMap((name) => {
    const why = absent[name];
    return why === undefined ? [] : [`${ROW_LABELS[networkRow(name)]}: ${why}`];
  });
  return [
    `Mean over ${faces} faces with the 95 % bootstrap interval over faces. Bold: the best mean of the column. ` +
    "Each PSNR is the mean of the faces' PSNR.",
    rows,
    ...facts,
    ...(run.length === 0 ? [] : [
      `${
        run.join(", ")
      }: with the authors' own weights, crop, geometry, camera and light, drawn over the same crop and ` +
      `scored on the same mask as all rows. ${UNREACHED}`,
    ]),
    ...(otherBytes.length === 0 ? [] : [
      `Not the published files, though of the same shapes: ${otherBytes.join(", ")}. ` +
      "What rests on them rests on other weights than the authors'.",
    ]),
    ...(lacking.length === 0 ? [] : [`Not measured, for a file of the authors' is absent: ${lacking.join("; ")}.`]),
    'The paper\'s columns are what it printed for CelebA; "—" is a cell lost in the text at hand. ' +
    `Its own method stands beside "${METHOD_LABELS.printed}"; that one's L1 is from its Table 2. ` +
    "The module with a first guess is ours, and the paper has no value of it.",
    missed.length === 0 ? "No face of the test photographs is missing." : `Not measured: ${missed.join("; ")}.`,
  ];
}

/**
 * What the networks of comparators' authors are in other views, for the notes of a table, and which of them were scored
 * in fewer.
 *
 * @param scored pairs of views of each row, networks among them
 * @returns empty where there is no network
 */
export function networkViewsNote(scored: readonly (readonly [row: Table1Row, pairs: number])[]): string[] {
  const networks = scored.filter(([row]) => isNetworkRow(row));
  if (networks.length === 0) return [];
  const all = Math.max(...scored.map(([, pairs]) => pairs));
  const fewer = networks.filter(([, pairs]) => pairs < all);
  return [
    `${
      networks.map(([row]) => ROW_LABELS[row]).join(", ")
    }: drawn with the mesh that the network itself finds in the ` +
    `other view, in the lit colours that it found in the first, and scored on the mask of all rows. ${UNREACHED}` +
    (fewer.length === 0
      ? ""
      : ` Of ${all} pairs of views: ${fewer.map(([row, pairs]) => `${pairs} (${ROW_LABELS[row]})`).join(", ")}.`),
  ];
}

/** What is to be known of scores of meshes that do not cover the mask. */
const UNREACHED = "Where a network's mesh does not cover the mask, the photograph shows, which flatters that network.";

/** What `missedFaces` needs to know. */
export interface Finds {
  /** Faces that a person counts in each photograph, by key; a photograph that is not named is not checked. */
  readonly expected: Readonly<Record<string, number>>;
  /** Faces that the detector found, by photograph. */
  readonly found: ReadonlyMap<string, number>;
  /** Reasons of each stage in order, by key. */
  readonly skipped: readonly ReadonlyMap<string, string>[];
  /** Faces that were cut out of the photographs, by key. */
  readonly aligned: readonly string[];
  /** Faces that were measured, by key. */
  readonly measured: readonly string[];
}

/**
 * Names every face that ought to be in the table and is not: photographs with fewer found than expected, whatever a
 * stage skipped, and faces that some method has no render of.
 *
 * @throws {RangeError} if `expected` names a photograph that was neither searched nor skipped
 */
export function missedFaces({ expected, found, skipped, aligned, measured }: Finds): string[] {
  const missed: string[] = [];
  for (const [photo, count] of Object.entries(expected)) {
    if (!found.has(photo) && !skipped.some((reasons) => reasons.has(photo))) {
      throw new RangeError(
        `Cannot count the faces of "${photo}": no detections of it; known are ${[...found.keys()].join(", ")}`,
      );
    }
    const less = count - (found.get(photo) ?? 0);
    if (less > 0) missed.push(`${less} of the ${count} faces in ${photo} (not detected)`);
  }
  const named = new Map([...firstReasons(skipped)].filter(([key]) => expected[key] === undefined));
  for (const key of aligned) {
    if (!measured.includes(key) && !named.has(key)) named.set(key, "not rendered by every method");
  }
  return [...missed, ...[...named].map(([key, reason]) => `${key} (${reason})`)];
}
