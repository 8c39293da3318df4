/**
 * One page that holds every result of an experiment, for reading and sending: no other file, no script, no network.
 *
 * @module
 */
import { z } from "zod";
import { defineStage } from "../pipeline/mod.ts";

/** Table 1, Figure 3 and the filter report → `report.html`. */
export const report = defineStage({
  name: "report",
  module: import.meta.url,
  inputs: { table1: "table1", figure3: "figure", filter: "filter_report?" },
  output: "report",
  params: z.strictObject({
    title: z.string().default("High-fidelity facial texture reconstruction, reproduced"),
  }),
  determinism: "bitwise",
  run: async ({ inputs: { table1, figure3, filter }, params, out }) => {
    const { reportPage } = await import("./figures/report_page.ts");
    const pictures = figure3.paths.filter((path) => path.endsWith(".png"));
    const sections = [
      { markdown: await table1.text("table1.md"), pictures: [] },
      {
        markdown:
          "# Figure 3\n\nOne column a face. Rows: the photograph, its incomplete texture, the completed one, each method's render.\n",
        pictures: await Promise.all(pictures.map(async (path) => ({ name: path, png: await figure3.bytes(path) }))),
      },
      ...(filter === undefined ? [] : [{ markdown: await filter.text("filter_report.md"), pictures: [] }]),
    ];
    await out.write("report.html", await reportPage({ title: params.title, sections }));
  },
});
