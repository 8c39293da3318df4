/**
 * The ablation where copying does not help: faces of captures that no training saw, reconstructed from one view by
 * variants of the method and rendered in another view of the same capture. The paper's Figure 4 shows the view that was
 * unwrapped, where the variants differ little, because what was seen stays as it is.
 */
import { z } from "zod";
import { defineStage } from "@ftim/pipeline";
import { fontFileOf } from "./parts/font_file.ts";
import type { Triplets } from "../data/triplets.ts";

/** Rows between the view that was unwrapped and the photograph of the other. */
const ROWS = [
  ["map", "Without FTIM"],
  ["plain", "No MRF, symmetry"],
  ["full", "Full"],
] as const;

/**
 * Crops, meshes and each variant's `<view>.texture.png` → `figure4_views.png`: pairs of views that are spread evenly
 * over all whose heads turn by 30° to 60°, or over all where there are none such. `font`: one TrueType file.
 */
export const figure4Views = defineStage({
  name: "figure4_views",
  module: import.meta.url,
  inputs: {
    triplets: "triplets",
    crops: "aligned",
    meshes: "meshes",
    map: "reconstructions",
    plain: "reconstructions",
    full: "reconstructions",
    topology: "assets",
    font: "assets",
  },
  output: "figure",
  params: z.strictObject({
    pairs: z.int().min(1).default(10),
    /** Turns between the two views that are shown, in degrees. */
    turn: z.tuple([z.number(), z.number()]).default([30, 60]),
  }),
  determinism: "bitwise",
  computes: { webgpu: "rendering", cpu: "contact sheets: file formats" },
  resources: { gpu: true },
  run: async ({ inputs, params, out }) => {
    const { renderPortraits } = await import("../../face/render_portraits.ts");
    const { openTfjs } = await import("@ftim/gpu/tfjs");
    const { contactSheet, spread } = await import("./parts/contact_sheet.ts");
    const { readMesh, readTopology } = await import("../faces/geometry.ts");
    const { encodePng, readImage } = await import("../faces/photograph.ts");
    const { viewPairs } = await import("../scores/parts/view_pairs.ts");
    const fontFile = fontFileOf(inputs.font);
    const { triplets } = await inputs.triplets.json<Triplets>("triplets.json");
    const usable = viewPairs(triplets)
      .map((pair) => ({ ...pair, turn: Math.abs(pair.to.yaw - pair.from.yaw) }))
      .filter(({ from, to }) =>
        inputs.meshes.has(`${to.key}.safetensors`) &&
        ROWS.every(([role]) => inputs[role].has(`${from.key}.texture.png`))
      );
    const [least, most] = params.turn;
    const turned = usable.filter(({ turn }) => turn >= least && turn <= most);
    const pairs = turned.length > 0 ? turned : usable;
    if (pairs.length === 0) throw new Error("figure4_views: no pair of views was reconstructed by every variant");
    const topology = await readTopology(inputs.topology);
    const tf = await openTfjs();
    const columns = await Promise.all(
      spread(pairs.length, params.pairs).map(async (i) => {
        const { identity, from, to, turn } = pairs[i]!;
        const [photograph, vertices, textures] = await Promise.all([
          readImage(inputs.crops, `${to.key}.png`),
          readMesh(inputs.meshes, to.key),
          Promise.all(ROWS.map(([role]) => readImage(inputs[role], `${from.key}.texture.png`))),
        ]);
        const { width, height, data: background } = photograph;
        const portraits = textures.map(({ data }) => ({ name: to.key, vertices, texture: data, background }));
        const options = { topology, size: textures[0]!.width, width, height, clip: true };
        const rendered = await renderPortraits(tf, portraits, options);
        return {
          heading: `${identity}, turned ${Math.round(turn)}°`,
          pictures: [
            await inputs.crops.bytes(`${from.key}.png`),
            ...await Promise.all(rendered.map(({ data }) => encodePng({ width, height, data }))),
            await inputs.crops.bytes(`${to.key}.png`),
          ],
        };
      }),
    );
    const labels = ["Reconstructed from", ...ROWS.map(([, label]) => label), "Photograph"];
    out.write(
      "figure4_views.png",
      await contactSheet({
        headings: columns.map(({ heading }) => heading),
        rows: labels.map((label, row) => ({ label, pictures: columns.map(({ pictures }) => pictures[row]!) })),
        fontFile,
      }),
    );
  },
});
