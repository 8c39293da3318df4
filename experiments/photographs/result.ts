/** What the stages have made of one photograph → the files of its result, and what there is to say of it. */
import type { Detection } from "../../stages/data/detect.ts";
import type { ImportedImage } from "../../stages/data/import.ts";
import { whyLeftOut } from "../../stages/geometry/seen_skin.ts";
import type { FaceRecord, Head } from "../../stages/methods/head.ts";
import { SMALLEST_FACE } from "../photograph.ts";
import type { Computed } from "./compute.ts";
import { boxInFile, recordInFile } from "./file_pixels.ts";
import { FACE_FILES, FACE_RECORD, PASTED } from "./owner.ts";
import { ReconstructError } from "./refused.ts";
import type { ViewRecord } from "./view_record.ts";
import { describeLeftOut } from "./words.ts";

/** The result of one photograph. */
export interface Result {
  /** From left to right; `face` counts these, and nothing that only looked like a face. */
  readonly heads: readonly Head[];
  /** Contents by path in the result's folder. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** What was done to the photograph as a whole, in a line each. */
  readonly notes: readonly string[];
  /** Lines about what was left out. */
  readonly leftOut: readonly string[];
}

/** How the import stage's note of a reduction begins. */
const REDUCED = /^reduced from \d+×/;
const NO_FACE = "no face was found. A face must be turned to the side by less than about 80°, and " +
  `${SMALLEST_FACE} pixels wide or more`;

/** The folder of a face in its photograph's, with a "/" at its end; none where there is one face. */
export function faceFolder(face: number, faces: number): string {
  return faces === 1 ? "" : `${face}/`;
}

/**
 * Collects a result.
 *
 * @param options `views`: the photographs that its one face was made of, where they are several
 * @throws {ReconstructError} if the photograph could not be decoded, or shows no face
 */
export async function resultOf(
  { found, unwrapped, made }: Computed,
  { key, photo, views }: {
    readonly key: string;
    readonly photo: string;
    readonly views?: readonly ViewRecord[] | undefined;
  },
): Promise<Result> {
  const problem = found.imported.skipped.get(key);
  if (problem !== undefined) {
    const why = problem.slice(problem.indexOf(": ") + 2);
    const advice = why.includes("damaged") ? ": copy or download it again" : "";
    throw new ReconstructError(`${photo}: the file is ${why}${advice}`);
  }
  if (!found.detections.has(`${key}.json`)) throw new ReconstructError(`${photo}: ${NO_FACE}`);
  const { faces: candidates } = await found.detections.json<Detection>(`${key}.json`);
  const before = await found.imported.json<ImportedImage>(`${key}.json`);
  const after = await found.images.json<ImportedImage>(`${key}.json`);
  const pixel = after.original.width / after.width;
  const heads: Head[] = [];
  const files = new Map<string, Uint8Array>();
  const leftOut: string[] = [];
  const left: number[] = [];
  for (const [candidate, box] of candidates.entries()) {
    if (made?.heads.has(`${key}/${candidate}/${FACE_RECORD}`)) left.push(candidate);
    else leftOut.push(describeLeftOut(boxInFile(box, pixel), whyNot({ found, unwrapped }, `${key}/${candidate}`)));
  }
  if (made === null || left.length === 0) {
    const shows = candidates.some((_, candidate) => found.meshes.has(`${key}/${candidate}.safetensors`));
    const said = shows ? "no face can be reconstructed" : "no face was found";
    throw new ReconstructError(`${photo}: ${said}. ${leftOut.join("; ")}`);
  }
  for (const [face, candidate] of left.entries()) {
    const from = `${key}/${candidate}`;
    const below = faceFolder(face, left.length);
    const computed = await made.heads.json<FaceRecord>(`${from}/${FACE_RECORD}`);
    const record = recordInFile({ ...computed, face }, pixel);
    const { box, angles, seen, cutOff, colourless } = record;
    heads.push({ face, box, angles, seen, cutOff, colourless });
    for (const name of FACE_FILES) {
      const bytes = name === FACE_RECORD
        ? recordBytes(record, { path: `${below === "" ? "" : "../"}${PASTED}`, original: after.original, views })
        : await made.heads.bytes(`${from}/${name}`);
      files.set(`${below}${name}`, bytes);
    }
  }
  files.set(PASTED, await made.pasted.bytes(`${key}.png`));
  const notes = [...before.notes.filter((note) => REDUCED.test(note)), ...after.notes.slice(before.notes.length)];
  return { heads, files, notes: notes.map((note) => `the photograph was ${note}`), leftOut };
}

/**
 * `face.json`, a list of numbers in a line.
 *
 * @param path of the photograph as seen from there
 * @param original size of the photograph in its file, upright
 */
function recordBytes(
  { photograph, ...record }: FaceRecord,
  { path, original, views }: {
    readonly path: string;
    readonly original: ImportedImage["original"];
    readonly views: readonly ViewRecord[] | undefined;
  },
): Uint8Array {
  const { schema, face, ...rest } = record;
  const several = views === undefined ? {} : { views };
  const whole = { schema, face, photograph: { file: path, ...photograph, original }, ...several, ...rest };
  const text = JSON.stringify(whole, null, 1).replaceAll(/\[[-\s\d.,e+]+\]/g, (list) => {
    return list.replaceAll(/\s+/g, "").replaceAll(",", ", ");
  });
  return new TextEncoder().encode(`${text}\n`);
}

function whyNot({ found, unwrapped }: Pick<Computed, "found" | "unwrapped">, face: string): string {
  if (!found.meshes.has(`${face}.safetensors`)) return "is none on a closer look";
  return whyLeftOut(unwrapped?.skipped.get(face)) ?? "is turned so far away that nothing of its front is seen";
}
