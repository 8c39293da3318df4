import assert from "node:assert/strict";
// @ts-types="npm:@types/papaparse@5.5.2"
import papaparse from "papaparse";

/** Columns of the README's table of results, each a column of a file, and how far another adapter may take a value. */
const COLUMNS = [
  ["table1", "l1", 0.001],
  ["table1", "psnr", 0.25],
  ["table1", "ssim", 0.003],
  ["table1", "cosine", 0.01],
  ["novel_views", "psnr", 0.1],
  ["lpips", "novel", 0.004],
  ["uv_truth", "unseen_psnr", 0.25],
] as const;

Deno.test("the README shows the results that are there", async () => {
  const root = new URL("../", import.meta.url);
  const readme = await Deno.readTextFile(new URL("README.md", root));
  const shown = readme.split("\n").filter((line) => /^\| (DECA|Chen|Deng|Tran|Ours) \|/.test(line))
    .map((line) => line.split("|").map((cell) => cell.replaceAll("*", "").trim()).slice(1, -1));
  assert.deepEqual(shown.map(([method]) => method), ["DECA", "Chen", "Deng", "Tran", "Ours"]);
  for (const [i, [file, column, tolerance]] of COLUMNS.entries()) {
    const text = await Deno.readTextFile(new URL(`results/embedded/${file}.csv`, root));
    const { data } = papaparse.parse<Record<string, string>>(text, { header: true, skipEmptyLines: true });
    for (const [method, ...cells] of shown) {
      const row = data.find((row) => (row.row ?? row.method) === method && (row.region ?? "masked") === "masked");
      assert.ok(row !== undefined, `${file} has no row ${method}`);
      const [says, is] = [Number(cells[i]), Number(row[column])];
      assert.ok(Math.abs(says - is) <= tolerance, `${method}, ${file} ${column}: the README says ${says}, it is ${is}`);
    }
  }
});
