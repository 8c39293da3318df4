/**
 * How far the scores of our method depend on the seed: the same training repeated with other seeds. The paper does not
 * say how many trainings its numbers are of.
 */
import { defineStage, map } from "@ftim/pipeline";
import { mean, standardDeviation } from "./parts/mean.ts";
import { inNumberOrder } from "./parts/trained_variants.ts";

/**
 * Scores of each training, named by its number, on the test photographs, in other views and, where the truth is known,
 * against true textures → `seeds.{md,csv,tex}`. The gate takes its tolerances from here (`commands/gate.ts`).
 */
export const seedSpread = defineStage({
  name: "seed_spread",
  module: import.meta.url,
  inputs: { real: map("metrics"), novel: map("novel"), uv: map("uv_scores") },
  output: "seed_spread",
  determinism: "bitwise",
  computes: { cpu: "means and bootstrap intervals of a few hundred numbers: bookkeeping" },
  run: async ({ inputs, out }) => {
    const { gridFiles } = await import("./parts/grid.ts");
    const { readFaceScores } = await import("../scores/parts/measurements.ts");
    const { revealedPsnr } = await import("./parts/revealed_measures.ts");
    const { readNovelScores } = await import("../scores/parts/novel_scores.ts");
    const { readUvScores } = await import("../scores/parts/uv_scores.ts");
    const runs: (number | null)[][] = [];
    for (const training of inNumberOrder(Object.keys(inputs.real))) {
      const [real, novel] = [inputs.real[training]!, inputs.novel[training]];
      if (novel === undefined) throw new TypeError(`Training ${training} has no scores in other views`);
      const faces = await readFaceScores(real);
      const views = await readNovelScores(novel);
      const textures = await readUvScores(inputs.uv[training]);
      runs.push([
        mean(faces.map(({ masked }) => masked.l1)),
        mean(faces.map(({ masked }) => masked.psnr ?? Infinity)),
        mean(faces.map(({ masked }) => masked.ssim)),
        mean(faces.map(({ masked }) => masked.cosine)),
        mean(views.map(({ l1 }) => l1)),
        mean(views.map(({ psnr }) => psnr ?? Infinity)),
        mean(views.map(({ cosine }) => cosine)),
        meanOrNull(views.flatMap((view) => revealedPsnr(view) ?? [])),
        meanOrNull(textures.flatMap(({ unseen }) => unseen === null ? [] : unseen.psnr ?? Infinity)),
        meanOrNull(textures.flatMap(({ known }) => known === null ? [] : known.psnr ?? Infinity)),
      ]);
    }
    if (runs.length === 0) throw new Error("seed_spread: no training was scored");
    const columns = [
      ["l1", "L1", 4],
      ["psnr", "PSNR", 2],
      ["ssim", "SSIM", 4],
      ["cosine", "cosine", 4],
      ["novel_l1", "other views: L1", 4],
      ["novel_psnr", "PSNR", 2],
      ["novel_cosine", "cosine", 4],
      ["revealed_psnr", "revealed pixels: PSNR", 2],
      ["unseen_psnr", "unseen texels: PSNR", 2],
      ["known_psnr", "unseen, but shown by the portrait: PSNR", 2],
    ] as const;
    const column = (i: number) => runs.flatMap((run) => run[i] ?? []);
    const grid = {
      title: "The training repeated with other seeds",
      columns: columns.map(([name, label, digits]) => ({ name, label, better: null, digits })),
      rows: [
        ...runs.map((cells, i) => ({ label: `training ${i + 1}`, cells })),
        { label: "mean", cells: columns.map((_, i) => meanOrNull(column(i))) },
        { label: "standard deviation", cells: columns.map((_, i) => deviation(column(i))) },
      ],
      notes: ["L1 to cosine: the face mask of the test photographs. Standard deviation over trainings, with n − 1."],
    };
    for (const [name, text] of Object.entries(gridFiles(grid, "seeds"))) out.write(name, text);
  },
});

/** Null for no value. */
function meanOrNull(values: readonly number[]): number | null {
  return values.length === 0 ? null : mean(values);
}

/** Null for a single value, which has no spread. */
function deviation(values: readonly number[]): number | null {
  return values.length < 2 ? null : standardDeviation(values);
}
