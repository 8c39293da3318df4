/**
 * One page with the tables and figures of an experiment, for reading and sending: no other file, no script, no network.
 * LPIPS, whose network may be out of reach, the spread over seeds and the ablation are not on it.
 */
import { z } from "zod";
import { defineStage, type Tree } from "@ftim/pipeline";
import type { ReportSection } from "./parts/report_page.ts";

/** Tables, figures, charts and the filter report → `report.html`; what is not given is left out. */
export const report = defineStage({
  name: "report",
  module: import.meta.url,
  inputs: {
    table1: "table1",
    others: "novel_table?",
    fairness: "fairness?",
    figure1: "figure?",
    figure2: "figure?",
    figure3: "figure",
    charts: "charts?",
    filter: "filter_report?",
  },
  output: "report",
  params: z.strictObject({
    title: z.string().default("High-fidelity facial texture reconstruction, reproduced"),
  }),
  determinism: "bitwise",
  computes: { cpu: "a web page: file formats" },
  run: async ({ inputs, params, out }) => {
    const { reportPage } = await import("./parts/report_page.ts");
    const sections: ReportSection[] = [];
    const text = async (tree: Tree | undefined, paths: readonly string[]) => {
      for (const path of tree === undefined ? [] : paths.filter((path) => tree.has(path))) {
        sections.push({ markdown: await tree!.text(path), pictures: [] });
      }
    };
    const pictures = async (tree: Tree | undefined, markdown: string) => {
      const paths = tree?.paths.filter((path) => path.endsWith(".png")) ?? [];
      if (tree === undefined || paths.length === 0) return;
      const drawn = await Promise.all(paths.map(async (path) => ({ name: path, png: await tree.bytes(path) })));
      sections.push({ markdown, pictures: drawn });
    };
    await pictures(
      inputs.figure1,
      "# Figure 1\n\nThe framework, with FTIM as printed: from a photograph to the render and the losses.\n",
    );
    await pictures(inputs.figure2, "# Figure 2\n\nFTIM, as printed and with a first guess.\n");
    await text(inputs.table1, ["table1.md"]);
    await pictures(
      inputs.figure3,
      "# Figure 3\n\nOne column a face. " +
        "Rows: the photograph, its incomplete texture, the completed one, each method's render.\n",
    );
    await text(inputs.others, [
      "novel_views.md",
      "novel_views_margins.md",
      "printed_margins.md",
      "revealed_gap.md",
      "uv_truth.md",
      "uv_truth_margins.md",
    ]);
    await text(inputs.fairness, ["fairness.md"]);
    await text(inputs.filter, ["filter_report.md"]);
    await pictures(inputs.charts, "# Training and data\n");
    out.write("report.html", await reportPage({ title: params.title, sections }));
  },
});
