/**
 * The scores of Table 1 by skin tone, as TRUST argues for (Feng et al. 2022), because a mean over faces hides whom a
 * method serves badly. The paper has no such table.
 *
 * The tone is the apparent one: the ITA angle of the photograph itself on the cheeks and the forehead, as far as they
 * are seen. The regressor's albedo would not do, because its prior draws every face to the mean of few training faces.
 * A single photograph does not tell a dark skin in strong light from a light one in weak light, and of 22 faces a group
 * holds few.
 */
import { z } from "zod";
import { defineStage, map } from "@ftim/pipeline";

/**
 * Squares of the UV map [left, top, side], in parts of its side, that hold skin alone: both cheeks and the forehead.
 */
const SKIN = [[0.2, 0.5, 0.14], [0.66, 0.5, 0.14], [0.43, 0.14, 0.14]] as const;

/**
 * Each method's scores and the incomplete textures → `fairness.{md,csv,tex}` and `skin_tone.csv` (angle and group of
 * each face).
 */
export const fairness = defineStage({
  name: "fairness",
  module: import.meta.url,
  inputs: {
    scores: map("metrics"),
    unwrapped: "unwrapped",
  },
  output: "fairness",
  params: z.strictObject({ resamples: z.int().min(1).default(10_000), seed: z.int().default(1) }),
  determinism: "bitwise",
  computes: { cpu: "means and bootstrap intervals of a few hundred numbers: bookkeeping" },
  run: async ({ inputs, params, out }) => {
    const { SKIN_TONES, skinTone, typologyAngle } = await import("../../face/skin_tone.ts");
    const { readSeen } = await import("../faces/geometry.ts");
    const { clusterMean } = await import("./parts/bootstrap.ts");
    const { gridFiles } = await import("./parts/grid.ts");
    const { readFaceScores } = await import("../scores/parts/measurements.ts");
    const { byMethod, METHOD_LABELS } = await import("../scores/parts/methods.ts");
    const methods = await Promise.all(
      byMethod(inputs.scores).map(async ([method, tree]) => [method, await readFaceScores(tree)] as const),
    );
    const angles = new Map<string, number>();
    for (const { face } of methods.flatMap(([, scores]) => scores)) {
      if (angles.has(face)) continue;
      angles.set(face, typologyAngle(seenSkin(await readSeen(inputs.unwrapped, face))));
    }
    const groups = SKIN_TONES.map(([name]) => name).filter((name) =>
      [...angles.values()].some((angle) => skinTone(angle) === name)
    );
    const grid = {
      title: "By skin tone",
      columns: groups.flatMap((group) => {
        const count = [...angles.values()].filter((angle) => skinTone(angle) === group).length;
        const name = group.replaceAll(" ", "_");
        return [
          { name: `${name}_l1`, label: `${group} (${count}): L1`, better: "lower" as const, digits: 4 },
          { name: `${name}_psnr`, label: "PSNR", better: "higher" as const, digits: 2 },
          { name: `${name}_cosine`, label: "cosine", better: "higher" as const, digits: 4 },
        ];
      }),
      rows: methods.map(([method, scores]) => ({
        label: METHOD_LABELS[method],
        cells: groups.flatMap((group) => {
          const members = scores.filter(({ face }) => skinTone(angles.get(face)!) === group);
          const clusters = members.map(({ face }) => face);
          const mean = (values: number[]) => clusterMean(values, { clusters, ...params });
          return [
            mean(members.map(({ masked }) => masked.l1)),
            mean(members.map(({ masked }) => masked.psnr ?? Infinity)),
            mean(members.map(({ masked }) => masked.cosine)),
          ];
        }),
      })),
      notes: [
        "Face mask of the test photographs, as in Table 1. " +
        "Groups by the individual typology angle of the photograph on cheeks and forehead: the apparent tone, " +
        "for one photograph does not tell a dark skin in strong light from a light one in weak light. " +
        "In brackets: faces.",
      ],
    };
    for (const [name, text] of Object.entries(gridFiles(grid, "fairness"))) out.write(name, text);
    const rows = [...angles].sort(([a], [b]) => (a < b ? -1 : 1));
    out.write(
      "skin_tone.csv",
      ["face,ita_degrees,group", ...rows.map(([face, angle]) => `${face},${angle.toFixed(1)},${skinTone(angle)}`)].join(
        "\n",
      ) + "\n",
    );
  },
});

/**
 * The colours of the skin squares of a texture [S·S·3] where they are well seen, one triple a texel; all of them if
 * none is.
 */
function seenSkin({ texture, visibility }: { texture: Float32Array; visibility: Float32Array }): Float32Array {
  const size = Math.sqrt(visibility.length);
  const texels: number[] = [];
  for (const [left, top, side] of SKIN) {
    for (let y = Math.round(top * size); y < Math.round((top + side) * size); y++) {
      for (let x = Math.round(left * size); x < Math.round((left + side) * size); x++) texels.push(y * size + x);
    }
  }
  const seen = texels.filter((texel) => visibility[texel]! >= 0.5);
  return Float32Array.from((seen.length > 0 ? seen : texels).flatMap((i) => [...texture.subarray(3 * i, 3 * i + 3)]));
}
