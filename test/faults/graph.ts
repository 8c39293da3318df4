/** A small graph with something of everything to damage: items, skips, picks, paths, parameters, shared inputs. */
import { z } from "zod";
import { defineStage, pick, sourceFolder } from "../../pipeline/mod.ts";

const upper = defineStage({
  name: "upper",
  module: import.meta.url,
  inputs: { texts: "folder" },
  output: "texts",
  each: ["texts"],
  params: z.object({ suffix: z.string() }).strict(),
  determinism: "bitwise",
  run: async ({ items, params }) => {
    for (const { key, inputs, out, skip } of items) {
      const text = await inputs.texts.text(`${key}.txt`);
      if (text === "") skip("empty");
      else out.write(`${key}.up.txt`, text.toUpperCase() + params.suffix);
    }
  },
});
const count = defineStage({
  name: "count",
  module: import.meta.url,
  inputs: { texts: "texts" },
  output: "counts",
  each: ["texts"],
  batch: 2,
  determinism: "bitwise",
  run: ({ items }) => {
    for (const { key, inputs, out } of items) {
      out.json(`${key}.json`, { length: Deno.readTextFileSync(inputs.texts.file(`${key}.up.txt`)).length });
    }
  },
});
const join = defineStage({
  name: "join",
  module: import.meta.url,
  inputs: { texts: "texts" },
  output: "total",
  determinism: "bitwise",
  run: async ({ inputs, out }) => {
    const texts = await Promise.all(inputs.texts.paths.map((path) => inputs.texts.text(path)));
    out.json("total.json", { texts, skipped: Object.fromEntries(inputs.texts.skipped) });
    out.write("raw.bin", new Uint8Array(3000).fill(texts.length));
  },
});
const label = defineStage({
  name: "label",
  module: import.meta.url,
  inputs: { counts: "counts", total: "total" },
  output: "labels",
  each: ["counts"],
  determinism: "bitwise",
  run: async ({ items, inputs }) => {
    const { skipped } = await inputs.total.json<{ skipped: unknown }>("total.json");
    for (const { key, inputs: own, out } of items) {
      out.json(`${key}.label.json`, { counted: await own.counts.json(`${key}.json`), skipped });
    }
  },
});
const report = defineStage({
  name: "report",
  module: import.meta.url,
  inputs: { labels: "labels", total: "total", folder: "folder" },
  output: "report",
  determinism: "bitwise",
  run: async ({ inputs, out }) => {
    const labels = await Promise.all(inputs.labels.paths.map((path) => inputs.labels.text(path)));
    out.write("report.txt", [...labels, await inputs.total.text("total.json"), ...inputs.folder.paths].join("\n"));
  },
});
const seal = defineStage({
  name: "seal",
  module: import.meta.url,
  inputs: { report: "report" },
  output: "seal",
  determinism: "bitwise",
  run: async ({ inputs, out }) => out.write("seal.txt", `sealed: ${(await inputs.report.text("report.txt")).length}`),
});

/** The targets, made from a folder of texts. */
export function targetsOf(folder: string) {
  const texts = upper({ texts: sourceFolder(folder) }, { suffix: "!" });
  const counts = count({ texts });
  const total = join({ texts });
  const labels = label({ counts, total: pick(total, ["total.json"]) });
  const made = report({ labels, total: pick(total, ["total.json"]), folder: sourceFolder(folder) });
  return { total, made, seal: seal({ report: made }) };
}
