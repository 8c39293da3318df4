/**
 * Table 1 of the paper: L1, PSNR, SSIM and cosine similarity of each method's render with the photograph, as means over
 * the test faces, beside the values that the paper printed. The paper does not say whether it scored the face or the
 * whole image. Both are here, the face first, because every render is pasted over the photograph and full-frame scores
 * flatter every method.
 */
import { z } from "zod";
import { defineStage, map } from "@ftim/pipeline";
import { readOtherBytes } from "../data/other_bytes.ts";
import { keysOf } from "../faces/keys_of.ts";
import { joinMethods, readFaceScores } from "../scores/parts/measurements.ts";
import { COMPARATORS } from "../scores/parts/methods.ts";
import { byTable1Row, networkRow } from "../scores/parts/table1_rows.ts";
import { missedFaces, tableNotes } from "./parts/notes.ts";
import { summarise } from "./parts/summary.ts";

/**
 * Scores of each method by name, and of comparators' networks by the comparator's → `table1.{csv,md,tex,txt}` (txt: for
 * the terminal), `metrics.csv` and `metrics.json` (every score).
 * `images`, `detections`, `crops` and `meshes` only serve to name what is missing, and `otherBytes` to name files that
 * are not the published ones.
 */
export const table1 = defineStage({
  name: "table1",
  module: import.meta.url,
  inputs: {
    scores: map("metrics"),
    networks: map("metrics"),
    images: "images?",
    detections: "detections?",
    crops: "aligned?",
    meshes: "meshes?",
    otherBytes: "other_bytes?",
  },
  output: "table1",
  params: z.strictObject({
    /** The texture model behind each comparator's row, as the footnote says it. */
    models: z.strictObject({
      deca: z.string().default("a linear albedo"),
      chen: z.string().default("a linear albedo and a UV detail layer"),
      deng: z.string().default("a linear albedo fitted to skin with a photometric and a perceptual term"),
      tran: z.string().default("a non-linear albedo decoder"),
    }).prefault({}),
    /** Why a comparator's network has a row without scores, by comparator. */
    absent: z.partialRecord(z.enum(COMPARATORS), z.string()).default({}),
    /** What the data and the networks are beside the paper's, for the notes, a sentence each. */
    facts: z.array(z.string()).default([]),
    /** Faces that a person counts in each test photograph, by the key that it has in `detections`. */
    expectedFaces: z.record(z.string(), z.int().min(0)).default({}),
    resamples: z.int().min(1).default(10_000),
    seed: z.int().default(1),
  }),
  determinism: "bitwise",
  computes: { cpu: "means and bootstrap intervals of a few hundred numbers: bookkeeping" },
  run: async ({ inputs, params, out }) => {
    const { metricsCsv, table1Csv } = await import("./parts/csv.ts");
    const { table1Console } = await import("./parts/console.ts");
    const { table1Latex } = await import("./parts/latex.ts");
    const { table1Markdown } = await import("./parts/markdown.ts");
    const { images, detections, crops, meshes } = inputs;
    const trees = byTable1Row(inputs.scores, inputs.networks);
    const rows = await Promise.all(trees.map(async ([row, tree]) => [row, await readFaceScores(tree)]));
    const measurements = joinMethods(Object.fromEntries(rows));
    const found = new Map<string, number>();
    for (const path of detections?.paths ?? []) {
      const { faces } = z.object({ faces: z.array(z.unknown()) }).parse(await detections?.json(path));
      found.set(path.replace(/\.[^/]*$/, ""), faces.length);
    }
    const none: ReadonlyMap<string, string> = new Map();
    const missed = missedFaces({
      expected: params.expectedFaces,
      found,
      skipped: [
        images?.skipped ?? none,
        detections?.skipped ?? none,
        crops?.skipped ?? none,
        meshes?.skipped ?? none,
        inputs.scores.ours!.skipped,
        ...Object.values(inputs.networks).map(({ skipped }) => skipped),
      ],
      aligned: crops === undefined ? [] : keysOf(crops, ".json"),
      measured: measurements.map(({ face }) => face),
    });
    const lacking = COMPARATORS.filter((name) => params.absent[name] !== undefined);
    const summary = summarise(measurements, { ...params, absent: lacking.map(networkRow) });
    const shown = COMPARATORS.filter((name) => lacking.includes(name) || inputs.networks[name] !== undefined);
    const otherBytes = inputs.otherBytes === undefined ? [] : await readOtherBytes(inputs.otherBytes);
    const notes = tableNotes({ ...params, otherBytes, networks: shown, faces: measurements.length, missed });
    out.write("table1.csv", table1Csv(summary));
    out.write("table1.md", table1Markdown(summary, notes));
    out.write("table1.tex", table1Latex(summary, notes));
    out.write("table1.txt", table1Console(summary, notes));
    out.write("metrics.csv", metricsCsv(measurements));
    out.json("metrics.json", measurements.toSorted((a, b) => (a.face < b.face ? -1 : 1)));
  },
});
