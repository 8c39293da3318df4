import assert from "node:assert/strict";
// @ts-types="npm:@types/papaparse@5.5.2"
import papaparse from "papaparse";
import { table1Console } from "../../../../stages/tables/parts/console.ts";
import { metricsCsv, table1Csv } from "../../../../stages/tables/parts/csv.ts";
import { METHOD_LABELS } from "../../../../stages/scores/parts/methods.ts";
import { NETWORK_ROWS } from "../../../../stages/scores/parts/table1_rows.ts";
import { latexText, table1Latex } from "../../../../stages/tables/parts/latex.ts";
import { table1Markdown } from "../../../../stages/tables/parts/markdown.ts";
import { tableNotes } from "../../../../stages/tables/parts/notes.ts";
import { summarise } from "../../../../stages/tables/parts/summary.ts";
import { madeUpMeasurements, MODELS } from "./made_up.ts";

const faces = madeUpMeasurements(6);
const summary = summarise(faces, { resamples: 100, seed: 1 });
const notes = tableNotes({
  models: MODELS,
  faces: 6,
  missed: ["test/my_photo (no face: 100 % dark)"],
});

Deno.test("table1Csv() parses back to twelve rows with intervals and the paper's values, empty where lost", () => {
  const { data, errors } = papaparse.parse<Record<string, string>>(table1Csv(summary), {
    header: true,
    skipEmptyLines: true,
  });
  assert.deepEqual(errors, []);
  assert.equal(data.length, 12);
  const [printed, ours] = [data[4]!, data[5]!];
  assert.deepEqual([ours.region, ours.method, ours.faces], ["masked", "FTIM with a first guess (ours)", "6"]);
  assert.deepEqual([ours.cosine512, data[11]!.cosine512], ["", "0.850000"]);
  assert.deepEqual([printed.paper_psnr, printed.paper_l1, printed.paper_ssim], ["27.585", "0.024", ""]);
  assert.deepEqual([ours.paper_psnr, ours.paper_l1], ["", ""]);
  assert.ok(Number(ours.psnr_low) <= Number(ours.psnr) && Number(ours.psnr) <= Number(ours.psnr_high));
  assert.equal(Number(ours.psnr).toFixed(3), summary.cells.masked.ours.psnr!.mean.toFixed(3));
});

Deno.test("metricsCsv() has a row for each face, method and region", () => {
  const { data } = papaparse.parse<Record<string, string>>(metricsCsv(faces), { header: true, skipEmptyLines: true });
  assert.equal(data.length, 6 * 6 * 2);
  assert.equal(
    data.find((row) => row.face === "test/photo_0/1" && row.method === METHOD_LABELS.tran && row.region === "full")
      ?.psnr,
    "23.600000",
  );
});

Deno.test("table1Markdown() has equal columns in each table, bold bests and escaped names", () => {
  const text = table1Markdown(summary, notes);
  for (const table of text.split(/\n\n/).filter((block) => block.startsWith("|"))) {
    assert.equal(new Set(table.split("\n").map((line) => line.split("|").length)).size, 1, table);
    assert.match(table.split("\n").at(-1)!, /^\| FTIM with a first guess \(ours\) \| \*\*0\.0/);
  }
  assert.match(text, /\| 27\.585 \|/);
  assert.match(text, /\| — \| 17\.575 \|/);
  assert.match(text, /my\\_photo/);
});

Deno.test("table1Latex() balances braces and columns, and escapes what LaTeX would read as markup", () => {
  const text = table1Latex(summary, notes);
  assert.equal(text.replaceAll(/\\[{}]/g, "").split("{").length, text.replaceAll(/\\[{}]/g, "").split("}").length);
  for (const line of text.split("\n").filter((line) => line.endsWith("\\\\"))) {
    assert.equal(line.split("&").length, 7, line);
  }
  assert.equal(text.match(/\\begin/g)?.length, text.match(/\\end/g)?.length);
  assert.match(text, /my\\_photo \(no face: 100 \\% dark\)/);
  assert.deepEqual([...text].filter((c) => c.charCodeAt(0) > 126), []);
});

/** A table with one network that was run, and one whose files are absent. */
const networked = faces.map((face) => ({
  ...face,
  methods: { ...face.methods, deng_network: face.methods.printed },
}));
const withNetworks = summarise(networked, { resamples: 100, seed: 1, absent: ["deca_network"] });

Deno.test("a comparator's network has a row behind its texture model, and the paper's values stand there", () => {
  const { data } = papaparse.parse<Record<string, string>>(table1Csv(withNetworks), {
    header: true,
    skipEmptyLines: true,
  });
  assert.equal(data.length, 16);
  assert.deepEqual(data.slice(0, 5).map(({ method, faces, psnr, paper_psnr }) => [method, faces, psnr, paper_psnr]), [
    [METHOD_LABELS.deca, "6", data[0]!.psnr, ""],
    ["DECA (authors' network)", "0", "", "21.741"],
    [METHOD_LABELS.chen, "6", data[2]!.psnr, "22.653"],
    [METHOD_LABELS.deng, "6", data[3]!.psnr, ""],
    ["Deng (authors' network)", "6", data[6]!.psnr, "23.568"],
  ]);
  const told = tableNotes({
    models: MODELS,
    networks: ["deca", "deng"],
    absent: { deca: "deca/deca_model.tar (granted by MPI)" },
    faces: 6,
    missed: [],
  });
  for (
    const text of [
      table1Markdown(withNetworks, told),
      table1Console(withNetworks, told),
      table1Latex(withNetworks, told),
    ]
  ) {
    assert.match(text, /DECA \(authors' network\)[\s|&]*(—|---)[\s|&]*(—|---)/);
    assert.match(
      text.replaceAll("\n", " "),
      /absent: DECA \(authors' network\): deca\/deca\\?_model\.tar \(granted by MPI\)/,
    );
    assert.match(text.replaceAll("\n", " "), /Deng \(authors' network\): with the authors' own weights/);
  }
  const all = summarise(faces, { resamples: 100, seed: 1, absent: NETWORK_ROWS });
  for (const line of table1Console(all, told).split("\n")) assert.ok([...line].length <= 80, line);
  assert.equal(metricsCsv(networked).trim().split("\n").length, 1 + 6 * 7 * 2);
});

Deno.test("latexText() escapes each special character", () => {
  assert.equal(
    latexText(`a_b & 5 % #1 $ {x} ~ ^ \\ — "q"`),
    "a\\_b \\& 5 \\% \\#1 \\$ \\{x\\} \\textasciitilde{} \\textasciicircum{} \\textbackslash{} --- ``q''",
  );
});

Deno.test("table1Console() fits 80 columns and stars the best", () => {
  const text = table1Console(summary, notes);
  for (const line of text.split("\n")) assert.ok([...line].length <= 80, line);
  assert.match(text, /^FTIM with a first guess \(ours\) .*\*0\.\d{4}.*\*25\.\d{3}/m);
});
