/**
 * The scores of Table 1 by skin tone, as TRUST argues for (Feng et al. 2022), because a mean over faces hides whom a
 * method serves badly. The paper has no such table.
 *
 * The tone is the apparent one: the ITA angle of the photograph itself on the cheeks and the forehead, as far as they
 * are seen. The regressor's albedo would not do, because its prior draws every face to the mean of few training faces.
 * A single photograph does not tell a dark skin in strong light from a light one in weak light, and of 22 faces a group
 * holds few.
 *
 * How far the albedos of our method tell the tone at all is said below the table: the lightness of the same texels in
 * photograph and albedo, its spread over the faces and their rank correlation.
 */
import { z } from "zod";
import { defineStage, map } from "@ftim/pipeline";

/**
 * Squares of the UV map [left, top, side], in parts of its side, that hold skin alone: both cheeks and the forehead.
 */
const SKIN = [[0.2, 0.5, 0.14], [0.66, 0.5, 0.14], [0.43, 0.14, 0.14]] as const;

/**
 * Each method's scores, the incomplete textures and our albedos (`<key>.albedo.png`) → `fairness.{md,csv,tex}` and
 * `skin_tone.csv` (angle and group of each face, lightness L* of its skin in the photograph and in the albedo).
 */
export const fairness = defineStage({
  name: "fairness",
  module: import.meta.url,
  inputs: {
    scores: map("metrics"),
    unwrapped: "unwrapped",
    albedos: "reconstructions",
  },
  output: "fairness",
  params: z.strictObject({ resamples: z.int().min(1).default(10_000), seed: z.int().default(1) }),
  determinism: "bitwise",
  computes: { cpu: "means and bootstrap intervals of a few hundred numbers: bookkeeping" },
  run: async ({ inputs, params, out }) => {
    const { medianColour, SKIN_TONES, skinTone, typologyAngle } = await import("../../face/skin_tone.ts");
    const { readSeen } = await import("../faces/geometry.ts");
    const { readImage } = await import("../faces/photograph.ts");
    const { clusterMean } = await import("./parts/bootstrap.ts");
    const { rankCorrelation } = await import("./parts/correlation.ts");
    const { gridFiles } = await import("./parts/grid.ts");
    const { standardDeviation } = await import("./parts/mean.ts");
    const { readFaceScores } = await import("../scores/parts/measurements.ts");
    const { byMethod, METHOD_LABELS } = await import("../scores/parts/methods.ts");
    const methods = await Promise.all(
      byMethod(inputs.scores).map(async ([method, tree]) => [method, await readFaceScores(tree)] as const),
    );
    const angles = new Map<string, number>();
    const lightness = new Map<string, { photograph: number; albedo: number }>();
    for (const { face } of methods.flatMap(([, scores]) => scores)) {
      if (angles.has(face)) continue;
      const [{ texture, visibility }, albedo] = await Promise.all([
        readSeen(inputs.unwrapped, face),
        readImage(inputs.albedos, `${face}.albedo.png`),
      ]);
      const [skin, plain] = [texture, albedo.data].map((map) => seenSkin({ texture: map, visibility })) as [
        Float32Array,
        Float32Array,
      ];
      angles.set(face, typologyAngle(skin));
      lightness.set(face, { photograph: medianColour(skin).lightness, albedo: medianColour(plain).lightness });
    }
    const groups = SKIN_TONES.map(([name]) => name).filter((name) =>
      [...angles.values()].some((angle) => skinTone(angle) === name)
    );
    const lights = (where: "photograph" | "albedo") => [...lightness.values()].map((values) => values[where]);
    const spread = (where: "photograph" | "albedo") => standardDeviation(lights(where));
    const rank = rankCorrelation(lights("photograph"), lights("albedo"));
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
        `How far albedos tell a person's tone: over these faces the lightness L* of the skin has a standard ` +
        `deviation of ${spread("photograph").toFixed(1)} in the photographs and of ${spread("albedo").toFixed(1)} in ` +
        `the albedos of our method, and the rank correlation of the two is ${
          Number.isNaN(rank) ? "—" : rank.toFixed(2)
        } ` +
        "(`skin_tone.csv`).",
      ],
    };
    for (const [name, text] of Object.entries(gridFiles(grid, "fairness"))) out.write(name, text);
    const rows = [...angles].sort(([a], [b]) => (a < b ? -1 : 1)).map(([face, angle]) => {
      const { photograph, albedo } = lightness.get(face)!;
      return [face, angle.toFixed(1), skinTone(angle), photograph.toFixed(1), albedo.toFixed(1)].join();
    });
    const header = "face,ita_degrees,group,photograph_lightness,albedo_lightness";
    out.write("skin_tone.csv", [header, ...rows].join("\n") + "\n");
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
