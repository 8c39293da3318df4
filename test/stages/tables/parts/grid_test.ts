import assert from "node:assert/strict";
import papaparse from "papaparse";
import { bootstrapMean, clusterMean, resample } from "../../../../stages/tables/parts/bootstrap.ts";
import { gridCsv, gridLatex, gridMarkdown } from "../../../../stages/tables/parts/grid.ts";

const draws = { resamples: 2000, seed: 3 };

Deno.test("clusterMean of clusters of one is bootstrapMean", () => {
  const values = [1, 4, 2, 8, 5];
  const clusters = ["a", "b", "c", "d", "e"];
  assert.deepEqual(clusterMean(values, { clusters, ...draws }), bootstrapMean(values, resample(5, draws)));
});

Deno.test("clusterMean: repeating every value within its cluster moves neither mean nor interval; none is null", () => {
  const [values, clusters] = [[1, 4, 2, 8], ["a", "a", "b", "c"]];
  const once = clusterMean(values, { clusters, ...draws });
  const twice = clusterMean([...values, ...values], { clusters: [...clusters, ...clusters], ...draws });
  assert.equal(once?.mean, 15 / 4);
  assert.deepEqual(twice, once);
  assert.equal(clusterMean([], { clusters: [], ...draws }), null);
});

const grid = {
  title: "A table",
  columns: [
    { name: "paper", label: "paper", better: null, digits: 3 },
    { name: "l1", label: "L1", better: "lower", digits: 2 },
    { name: "psnr", label: "PSNR", better: "higher", digits: 1 },
  ],
  rows: [
    { label: "one", cells: [0.5, { mean: 0.1, low: 0.05, high: 0.2 }, { mean: 20, low: 19, high: 21 }] },
    { label: "two & more", cells: [null, { mean: 0.2, low: 0.1, high: 0.3 }, { mean: 30, low: 28, high: 33 }] },
    { label: "three", cells: [0.25, null, null] },
  ],
  notes: ["A note."],
} as const;

Deno.test("a grid's Markdown marks the best of each column by its direction, and shows what is absent", () => {
  const lines = gridMarkdown(grid).split("\n");
  assert.equal(lines[4], "| one | 0.500 | **0.10** [0.05, 0.20] | 20.0 [19.0, 21.0] |");
  assert.equal(lines[5], "| two & more | — | 0.20 [0.10, 0.30] | **30.0** [28.0, 33.0] |");
  assert.equal(lines[6], "| three | 0.250 | — | — |");
  assert.match(lines[2]!, /paper \| L1 ↓ \| PSNR ↑/);
});

Deno.test("a grid's CSV reads back with its intervals, and LaTeX escapes labels", () => {
  const { data } = papaparse.parse<Record<string, string>>(gridCsv(grid), { header: true, skipEmptyLines: true });
  assert.deepEqual(data.map(({ row, l1, l1_low, l1_high, paper }) => [row, l1, l1_low, l1_high, paper]), [
    ["one", "0.100000", "0.050000", "0.200000", "0.500000"],
    ["two & more", "0.200000", "0.100000", "0.300000", ""],
    ["three", "", "", "", "0.250000"],
  ]);
  const latex = gridLatex(grid, { label: "grid" });
  assert.match(latex, /two \\& more & --- & 0\.20 & \\textbf\{30\.0\} \\\\/);
  assert.match(latex, /\\label\{tab:ftim-grid\}/);
});

Deno.test("a row to compare with is never the best, and leaves the best to the others", () => {
  const known = { label: "known", cells: [null, { mean: 0, low: 0, high: 0 }, { mean: 99, low: 99, high: 99 }] };
  const rows = [...grid.rows, { ...known, reference: true }];
  const lines = gridMarkdown({ ...grid, rows }).split("\n");
  assert.equal(lines[4], "| one | 0.500 | **0.10** [0.05, 0.20] | 20.0 [19.0, 21.0] |");
  assert.equal(lines[7], "| known | — | 0.00 [0.00, 0.00] | 99.0 [99.0, 99.0] |");
  assert.match(gridLatex({ ...grid, rows }, { label: "grid" }), /known & --- & 0\.00 & 99\.0 \\\\/);
  assert.match(gridMarkdown({ ...grid, rows: [...grid.rows, known] }), /\*\*99\.0\*\*/);
});
