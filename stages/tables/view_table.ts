/**
 * Other views of real captures, for any rows: a face is reconstructed from one view of a triplet and compared in its
 * other views. No true texture is known there; a row may be an oracle, whose textures other cameras saw.
 */
import { z } from "zod";
import { defineStage, map } from "@ftim/pipeline";
import type { Triplets } from "../data/triplets.ts";
import type { ViewPair } from "../scores/parts/view_pairs.ts";
import { byRow, ownTableParams } from "./parts/table_rows.ts";

/**
 * Scores of each row by name → `other_views.{md,csv,tex,txt}` (txt: for the terminal), `pairs.csv` (every score) and,
 * with a row called `ours`, `other_views_margins.{md,csv,tex}`: it less each other row, pair by pair.
 * `other_views_left_out.csv` lists photographs, faces and pairs of views without a score; `images`, `detections` and
 * `meshes` say why.
 */
export const viewTable = defineStage({
  name: "view_table",
  module: import.meta.url,
  inputs: {
    novel: map("novel"),
    triplets: "triplets",
    images: "images",
    detections: "detections",
    meshes: "meshes",
  },
  output: "view_table",
  params: z.strictObject(ownTableParams),
  determinism: "bitwise",
  computes: { cpu: "means and bootstrap intervals of a few hundred numbers: bookkeeping" },
  run: async ({ inputs, params, out }) => {
    // @ts-types="npm:@types/papaparse@5.5.2"
    const { default: papaparse } = await import("papaparse");
    const { gridFiles } = await import("./parts/grid.ts");
    const { gridText } = await import("./parts/grid_text.ts");
    const { leftOutCsv, leftOutNotes, leftOutOf } = await import("./parts/left_out.ts");
    const { columnsOf, marginCells, marginColumns, meanCells } = await import("./parts/measures.ts");
    const { NOVEL_MEASURES: novel } = await import("./parts/novel_measures.ts");
    const { revealedNote } = await import("./parts/revealed_measures.ts");
    const { readNovelScores } = await import("../scores/parts/novel_scores.ts");
    const { viewPairs } = await import("../scores/parts/view_pairs.ts");
    const rows = await Promise.all(
      byRow(inputs.novel, params.rows).map(async ({ of, ...row }) => ({
        ...row,
        scores: await readNovelScores(of),
        reasons: of.skipped,
      })),
    );
    const { triplets } = await inputs.triplets.json<Triplets>("triplets.json");
    const pairs = rows[0]!.scores;
    const persons = new Set(pairs.map(novel.by)).size;
    const missing = leftOutOf({
      skipped: [
        new Map(Object.entries(params.refused)),
        ...[inputs.images, inputs.detections, inputs.meshes].map(({ skipped }) => skipped),
      ],
      candidates: viewPairs(triplets).map(nameOf),
      otherwise: "no face mesh fits one of the two",
      rows: rows.map(({ label, scores, reasons }) => ({
        label,
        scored: new Set(scores.map(({ from, to }) => `${from} → ${to}`)),
        reasons: [new Map([...reasons].map(([key, reason]) => [key.replace(".to.", " → "), reason]))],
      })),
    });
    const left = leftOutNotes(missing, { file: LEFT_OUT });
    if (pairs.length === 0) throw new Error(["no pair of views could be scored.", ...left].join(" "));
    const plain = persons === 1;
    // One person is no sample of persons.
    const cells = <T extends { readonly mean: number }>(intervals: readonly (T | null)[]) =>
      plain ? intervals.map((interval) => interval?.mean ?? null) : intervals;
    const interval = plain ? "One person, so there is no interval" : "With the 95 % bootstrap interval over persons";
    const grid = {
      title: "Other views",
      columns: columnsOf(novel),
      rows: rows.map(({ label, reference, scores }) => ({
        label,
        reference,
        cells: cells(meanCells(scores, novel, params)),
      })),
      notes: [
        "Each face reconstructed from one view and compared, on the face mask, in another view of the same triplet: " +
        `${pairs.length} pairs of views in ${triplets.length} ${triplets.length === 1 ? "triplet" : "triplets"} of ` +
        `${plain ? "1 person" : `${persons} persons`}. ${interval}. Bold: the best of the column.`,
        revealedNote(pairs),
        "Textures are carried over as lit in the first view: where the light differs between views, every row loses.",
        ...left,
      ],
    };
    for (const [name, text] of Object.entries(gridFiles(grid, "other_views"))) out.write(name, text);
    const shown = ["psnr", "ssim", "cosine", "revealed_psnr", "revealed_ssim"];
    out.write("other_views.txt", gridText(grid, { columns: shown }));
    const ours = rows.find(({ name }) => name === "ours");
    const others = rows.filter((row) => row !== ours);
    const margins = ours === undefined || others.length === 0 ? {} : gridFiles({
      title: `Other views: ${ours.label} less each other row, pair by pair`,
      columns: marginColumns(columnsOf(novel)),
      rows: others.map(({ label, scores }) => ({
        label,
        cells: cells(marginCells(ours.scores, scores, { ...novel, ...params })),
      })),
      notes: [
        `Mean difference on the same pair of views. ${interval}` +
        (plain ? "." : "; an interval that does not hold 0 says that the two differ."),
      ],
    }, "other_views_margins");
    for (const [name, text] of Object.entries(margins)) out.write(name, text);
    const records = rows.flatMap(({ label: row, scores }) =>
      scores.map(({ revealed, ...score }) => ({
        row,
        ...score,
        revealed_pixels: revealed?.pixels,
        revealed_l1: revealed?.l1,
        revealed_psnr: revealed?.psnr,
        revealed_ssim: revealed?.ssim,
      }))
    );
    out.write("pairs.csv", `${papaparse.unparse(records, { newline: "\n" })}\n`);
    out.write(LEFT_OUT, leftOutCsv(missing));
  },
});

/** The file that lists what has no score. */
const LEFT_OUT = "other_views_left_out.csv";

function nameOf({ from, to }: Pick<ViewPair, "from" | "to">): string {
  return `${from.key} → ${to.key}`;
}
