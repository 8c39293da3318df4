/**
 * Every method in other views of real captures, which are of few persons: so there are means and no intervals, and a
 * table by person. No true texture is known of photographs; where a third view of the capture saw the skin that another
 * view reveals, its own texture is the oracle in its place.
 */
import { z } from "zod";
import { defineStage, map } from "@ftim/pipeline";
import type { AlignedFace } from "../data/align.ts";

/**
 * Scores of each method, and of `guess`, `copy` and `oracle` beside them; the faces say how large they are →
 * `real_views.{md,csv,tex}`, and by person what training gains and how much of the gap from the guess to the oracle
 * that closes: `real_views_persons.{md,csv,tex}`. `real_metrics.json` holds the same numbers by name.
 */
export const realViews = defineStage({
  name: "real_views",
  module: import.meta.url,
  inputs: { novel: map("novel"), crops: "aligned" },
  output: "real_views",
  params: z.strictObject({}),
  determinism: "bitwise",
  computes: { cpu: "means of a few hundred numbers: bookkeeping" },
  run: async ({ inputs, out }) => {
    const { column, gridFiles } = await import("./parts/grid.ts");
    const { isReference, personsOf, REAL_LABELS, REAL_ROWS, realMeans, realMetrics } = await import(
      "./parts/real_scores.ts"
    );
    const { revealedNote } = await import("./parts/revealed_measures.ts");
    const { LEAST_REVEALED } = await import("../scores/parts/revealed_masks.ts");
    const { readNovelScores } = await import("../scores/parts/novel_scores.ts");
    const rows = await Promise.all(REAL_ROWS.map(async (name) => {
      const scores = inputs.novel[name];
      if (scores === undefined) throw new TypeError(`There are no scores of ${REAL_LABELS[name]}`);
      return { name, views: await readNovelScores(scores) };
    }));
    const ours = rows.find(({ name }) => name === "ours")!.views;
    const faces = await Promise.all([...new Set(ours.flatMap(({ from, to }) => [from, to]))].map(async (key) => {
      return (await inputs.crops.json<AlignedFace>(`${key}.json`)).box.width;
    }));
    const persons = personsOf(rows);
    const spread = (values: readonly number[], digits = 0) =>
      `${Math.min(...values).toFixed(digits)}–${Math.max(...values).toFixed(digits)}`;
    const known = ours.filter(({ third }) => third != null).length;
    const shared = [
      ours.length === 0
        ? "No pair of views could be compared."
        : "Each face reconstructed from one view and compared, on the face mask, in another view of the same " +
          `capture: ${ours.length} pairs of views of ${persons.length} ${
            persons.length === 1 ? "person" : "persons"
          } ` +
          `(${persons.map(({ person }) => person).join(", ")}), turned by ${spread(ours.map(({ turn }) => turn))}° ` +
          `from each other. Faces are ${spread(faces)} pixels wide in the photographs. ` +
          "Means over pairs; so few persons allow no interval.",
      revealedNote(ours),
      "Where a third view saw the skin: the revealed pixels whose visibility is above 0.5 in the third view of the " +
      `triplet, too. ${known} of ${ours.length} pairs have at least ${LEAST_REVEALED} of them. ` +
      "The oracle is the texture that the third view gives by itself, rendered with the same mesh as every method. " +
      "It is no method: it says how much completion could gain; the rest is the error of the meshes, and of the light.",
    ];
    const main = gridFiles({
      title: "Other views of real captures",
      columns: [
        column("l1", "L1", "lower", 4),
        column("psnr", "PSNR", "higher", 2),
        column("ssim", "SSIM", "higher", 4),
        column("cosine", "cosine", "higher", 4),
        column("revealed_psnr", "revealed pixels: PSNR", "higher", 2),
        column("revealed_ssim", "SSIM", "higher", 4),
        column("third_psnr", "where a third view saw the skin: PSNR", "higher", 2),
        column("third_ssim", "SSIM", "higher", 4),
      ],
      rows: rows.map(({ name, views }) => ({
        label: REAL_LABELS[name],
        reference: isReference(name),
        cells: Object.values(realMeans({ name, views })),
      })),
      notes: shared,
    }, "real_views");
    const byPerson = gridFiles({
      title: "Other views of real captures, by person",
      columns: [
        column("pairs", "pairs of views", null, 0),
        column("revealed_pairs", "that reveal enough", null, 0),
        column("revealed_gain", "revealed pixels: ours less the guess, dB", null, 2),
        column("third_pairs", "pairs of which a third view saw enough", null, 0),
        column("guess", "there: guess, PSNR", null, 2),
        column("ours", "ours", null, 2),
        column("oracle", "oracle", null, 2),
        column("gain", "ours less the guess, dB", null, 2),
        column("gap", "oracle less the guess, dB", null, 2),
        column("share", "share of the gap that training closes, %", null, 0),
      ],
      rows: persons.map(({ person, numbers }) => ({ label: person, cells: Object.values(numbers) })),
      notes: [
        ...shared,
        "Differences are of the same pairs of views. Share: the summed gain over the summed gap; " +
        '"—" where the oracle is no better than the guess.',
      ],
    }, "real_views_persons");
    for (const [name, text] of Object.entries({ ...main, ...byPerson })) out.write(name, text);
    out.json("real_metrics.json", realMetrics(rows, persons));
  },
});
