/**
 * Figure 3 of the paper: each test photograph, its incomplete texture, the textures that both networks complete, and
 * what each row renders. One column a face. The paper chose its faces by hand; here they are spread evenly over all,
 * and `figure3_all.png` shows every one of up to 64.
 */
import { z } from "zod";
import { defineStage, map, type Tree } from "@ftim/pipeline";
import { keysOf } from "../faces/keys_of.ts";
import { fontFileOf } from "./parts/font_file.ts";
import { contactSheet, spread } from "./parts/contact_sheet.ts";
import { METHOD_LABELS, METHODS } from "../scores/parts/methods.ts";
import { byRow, tableRows } from "../tables/parts/table_rows.ts";

/** Columns of the larger figure: more would make a picture that few programs open. */
const MOST_COLUMNS = 64;

/**
 * Crops, textures and renders → `figure3.png` and, if there are more faces than columns, `figure3_all.png`. `font`: one
 * TrueType file.
 */
export const figure3 = defineStage({
  name: "figure3",
  module: import.meta.url,
  inputs: {
    crops: "aligned",
    unwrapped: "unwrapped",
    reconstructions: map("reconstructions"),
    font: "assets",
  },
  output: "figure",
  params: z.strictObject({
    columns: z.int().min(1).default(12),
    /** The rows of renders, in their order; default: the methods of Table 1. */
    rows: tableRows.prefault(METHODS.map((name) => ({ name, label: METHOD_LABELS[name] }))),
  }),
  determinism: "bitwise",
  computes: { cpu: "contact sheets: file formats" },
  run: async ({ inputs, params, out, log }) => {
    const fontFile = fontFileOf(inputs.font);
    const rows = byRow(inputs.reconstructions, params.rows);
    const textured = rows.filter(({ name }) => name === "printed" || name === "ours");
    const sources: { label: string; tree: Tree; ending: string }[] = [
      { label: "Input", tree: inputs.crops, ending: ".png" },
      { label: "Unwrapped texture", tree: inputs.unwrapped, ending: ".texture.png" },
      ...textured.map(({ label, of }) => ({ label: `${label}: texture`, tree: of, ending: ".texture.png" })),
      ...rows.map(({ label, of }) => ({ label: `${label}: render`, tree: of, ending: ".render.png" })),
    ];
    const keys = keysOf(rows[0]!.of, ".render.png");
    const whole = keys.filter((key) => sources.every(({ tree, ending }) => tree.has(key + ending)));
    for (const key of keys) if (!whole.includes(key)) log(`${key} is left out: not every row has rendered it`);
    if (whole.length === 0) throw new Error("no face was rendered in every row");

    const draw = async (chosen: readonly string[], cell: number) =>
      await contactSheet({
        headings: chosen,
        rows: await Promise.all(sources.map(async ({ label, tree, ending }) => ({
          label,
          pictures: await Promise.all(chosen.map((key) => tree.bytes(key + ending))),
        }))),
        cell,
        fontFile,
      });
    const spreadOver = (columns: number) => spread(whole.length, columns).map((i) => whole[i] as string);
    out.write("figure3.png", await draw(spreadOver(params.columns), 168));
    if (whole.length > params.columns) out.write("figure3_all.png", await draw(spreadOver(MOST_COLUMNS), 128));
  },
});
