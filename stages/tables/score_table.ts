/**
 * Table 1's columns on any photographs: each row's render compared with the photograph, as means over the faces that
 * every row has, beside the scores of each face and what was left out.
 *
 * It is a table of its own because rows and faces are the user's: there may be few methods, pictures of other programs,
 * one face alone, and the paper has printed nothing of it.
 */
import { z } from "zod";
import { defineStage, map } from "@ftim/pipeline";
import { readFaceScores, scoreOf } from "../scores/parts/measurements.ts";
import type { Region } from "../scores/parts/methods.ts";
import { keysOf } from "../faces/keys_of.ts";
import { byRow, ownTableParams } from "./parts/table_rows.ts";

/**
 * Scores of each row by name → `photographs.{md,txt}` (txt: for the terminal), `face_mask.{csv,tex}`,
 * `full_frame.{csv,tex}`, `faces.csv` (every score) and `photographs_left_out.csv`.
 *
 * `images`, `detections`, `meshes` and `unwrapped` say what could not be scored and why; `overlays`, by the names of
 * their rows, why another program's pictures could not.
 */
export const scoreTable = defineStage({
  name: "score_table",
  module: import.meta.url,
  inputs: {
    scores: map("metrics"),
    images: "images",
    detections: "detections",
    meshes: "meshes",
    unwrapped: "unwrapped",
    overlays: map("reconstructions"),
  },
  output: "score_table",
  params: z.strictObject(ownTableParams),
  determinism: "bitwise",
  computes: { cpu: "means and bootstrap intervals of a few hundred numbers: bookkeeping" },
  run: async ({ inputs, params, out }) => {
    // @ts-types="npm:@types/papaparse@5.5.2"
    const { default: papaparse } = await import("papaparse");
    const { bootstrapMean, resample } = await import("./parts/bootstrap.ts");
    const { column, gridCsv, gridLatex, gridMarkdown } = await import("./parts/grid.ts");
    const { gridText } = await import("./parts/grid_text.ts");
    const { leftOutCsv, leftOutNotes, leftOutOf } = await import("./parts/left_out.ts");
    const { COMPARATORS, METRIC_STYLES, METRICS, REGION_LABELS, REGION_METRICS, REGIONS } = await import(
      "../scores/parts/methods.ts"
    );
    const rows = await Promise.all(
      byRow(inputs.scores, params.rows).map(async ({ of, ...row }) => {
        const scores = await readFaceScores(of);
        return { ...row, reasons: of.skipped, scores: new Map(scores.map((score) => [score.face, score])) };
      }),
    );
    const faces = keysOf(inputs.unwrapped, ".mask.png");
    const scored = faces.filter((face) => rows.every(({ scores }) => scores.has(face))).sort();
    const missing = leftOutOf({
      skipped: [
        new Map(Object.entries(params.refused)),
        ...[inputs.images, inputs.detections, inputs.meshes, inputs.unwrapped].map(({ skipped }) => skipped),
      ],
      candidates: faces,
      otherwise: "it came to no render",
      rows: rows.map(({ name, label, scores, reasons }) => {
        const own = inputs.overlays[name]?.skipped ?? new Map<string, string>();
        return { label, scored: new Set(scores.keys()), reasons: [own, reasons] };
      }),
    });
    const left = leftOutNotes(missing, { file: LEFT_OUT });
    if (scored.length === 0) throw new Error(["no face has a score in every row.", ...left].join(" "));

    const draws = resample(scored.length, params);
    const grid = (region: Region, notes: readonly string[]) => ({
      title: REGION_LABELS[region],
      columns: REGION_METRICS[region].map((metric) => {
        const { label, better, digits } = METRIC_STYLES[metric];
        return column(metric, label, better, digits);
      }),
      rows: rows.map(({ label, reference, scores }) => ({
        label,
        reference,
        cells: REGION_METRICS[region].map((metric) => {
          const values = scored.flatMap((face) => scoreOf(scores.get(face)!, { region, metric }) ?? []);
          if (values.length < scored.length) return null;
          return scored.length === 1 ? values[0]! : bootstrapMean(values, draws);
        }),
      })),
      notes,
    });
    const remade = rows.filter(({ name }) => COMPARATORS.some((comparator) => comparator === name));
    const one = scored.length === 1;
    const notes = [
      (one
        ? "One face, so there is no interval. "
        : `Mean over ${scored.length} faces with the 95 % bootstrap interval over faces. `) +
      "Bold: the best of the column. Each face is scored in the photograph that it was reconstructed from, " +
      "which rewards copying.",
      ...remade.length === 0 ? [] : [
        `${remade.map(({ label }) => label).join(", ")}: that method's texture model, re-made here on the same ` +
        "geometry, light and data, and not its authors' network.",
      ],
      ...left,
    ];
    const grids = { face_mask: grid("masked", []), full_frame: grid("full", notes) };
    for (const [name, one] of Object.entries(grids)) {
      out.write(`${name}.csv`, gridCsv(one));
      out.write(`${name}.tex`, gridLatex({ ...one, notes }, { label: name.replace("_", "-") }));
    }
    out.write("photographs.md", Object.values(grids).map(gridMarkdown).join("\n"));
    out.write(
      "photographs.txt",
      Object.values(grids).map((one) => gridText(one, { columns: one.columns.map(({ name }) => name) })).join("\n"),
    );
    const counted = new Set(scored);
    // Six decimals: beyond what any two machines agree on. Empty where the region lacks the metric.
    const number = (value: number | undefined) => value?.toFixed(6) ?? "";
    const everyScore = faces.toSorted().flatMap((face) =>
      rows.flatMap(({ label, scores }) =>
        REGIONS.flatMap((region) => {
          const score = scores.get(face);
          if (score === undefined) return [];
          const values = METRICS.map((metric) => [metric, number(scoreOf(score, { region, metric }))]);
          const about = { mask_share: number(score.maskShare), counted: counted.has(face) ? "yes" : "no" };
          return [{ face, row: label, region, ...Object.fromEntries(values), ...about }];
        })
      )
    );
    const fields = ["face", "row", "region", ...METRICS, "mask_share", "counted"];
    out.write("faces.csv", `${papaparse.unparse({ fields, data: everyScore }, { newline: "\n" })}\n`);
    out.write(LEFT_OUT, leftOutCsv(missing));
  },
});

/** The file that lists what has no score. */
const LEFT_OUT = "photographs_left_out.csv";
