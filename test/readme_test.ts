import assert from "node:assert/strict";
// @ts-types="npm:@types/papaparse@5.5.2"
import papaparse from "papaparse";
import { METHOD_LABELS, METHODS } from "../stages/scores/parts/methods.ts";

const LABELS = METHODS.map((method) => METHOD_LABELS[method]);

/** Columns of the README's table of results: the file and column that each is taken from. */
const COLUMNS = [
  ["table1", "l1"],
  ["table1", "psnr"],
  ["table1", "ssim"],
  ["table1", "cosine"],
  ["novel_views", "psnr"],
  ["lpips", "novel"],
  ["uv_truth", "unseen_psnr"],
] as const;

Deno.test("the README shows the committed results, rounded as it prints them", async () => {
  const root = new URL("../", import.meta.url);
  const readme = await Deno.readTextFile(new URL("README.md", root));
  const shown = readme.split("\n").filter((line) => LABELS.some((label) => line.startsWith(`| ${label} |`)))
    .map((line) => line.split("|").map((cell) => cell.replaceAll("*", "").trim()).slice(1, -1));
  assert.deepEqual(shown.map(([method]) => method), LABELS);
  for (const [i, [file, column]] of COLUMNS.entries()) {
    const text = await Deno.readTextFile(new URL(`results/embedded/${file}.csv`, root));
    const { data } = papaparse.parse<Record<string, string>>(text, { header: true, skipEmptyLines: true });
    for (const [method, ...cells] of shown) {
      const row = data.find((row) => (row.row ?? row.method) === method && (row.region ?? "masked") === "masked");
      assert.ok(row !== undefined, `${file} has no row ${method}`);
      const says = cells[i] ?? "";
      const is = row[column] ?? "";
      const digits = says.split(".")[1]?.length ?? 0;
      // Half of the last printed digit, and what is lost in writing a decimal as a double.
      const off = Math.abs(Number(says) - Number(is));
      assert.ok(
        says !== "" && is !== "" && off <= 0.5 * 10 ** -digits + 1e-9,
        `${method}, ${file} ${column}: the README says ${says}, it is ${is}`,
      );
    }
  }
});

Deno.test("every number that the documents give with an interval stands in a published table", async () => {
  const root = new URL("../", import.meta.url);
  const folders = ["results/embedded/", "results/embedded-second/", "results/embedded-second-validation/"];
  const tables = folders.flatMap((folder) => {
    const names = [...Deno.readDirSync(new URL(folder, root))].map(({ name }) => name);
    return names.filter((name) => name.endsWith(".csv")).map((name) => new URL(folder + name, root));
  });
  const published: (readonly number[])[] = [];
  for (const table of tables) {
    const text = await Deno.readTextFile(table);
    const { data } = papaparse.parse<Record<string, string>>(text, { header: true, skipEmptyLines: true });
    for (const row of data) {
      for (const [column, value] of Object.entries(row)) {
        const cells = [value, row[`${column}_low`], row[`${column}_high`]];
        if (cells.every((cell) => cell !== undefined && cell !== "")) published.push(cells.map(Number));
      }
    }
  }
  const rounded = (says: string, is: number) =>
    Math.abs(Number(says) - is) <= 0.5 * 10 ** -(says.split(".")[1]?.length ?? 0) + 1e-9;
  const number = String.raw`(-?\d+(?:\.\d+)?)`;
  const absent: string[] = [];
  for (const page of ["README.md", "results/README.md", "docs/departures.md"]) {
    const text = (await Deno.readTextFile(new URL(page, root))).replaceAll("−", "-");
    const stated = [...text.matchAll(new RegExp(`${number}(?: dB| %)? \\[${number}, ${number}\\]`, "g"))];
    assert.ok(stated.length > 0, page);
    for (const [whole, ...says] of stated) {
      if (!published.some((is) => says.every((one, i) => rounded(one, is[i]!)))) absent.push(`${page}: ${whole}`);
    }
  }
  assert.deepEqual(absent, []);
});

Deno.test("every file that the documents link to is there", async () => {
  const root = new URL("../", import.meta.url);
  const docs = [...Deno.readDirSync(new URL("docs/", root))].map(({ name }) => `docs/${name}`);
  const pages = ["README.md", "results/README.md", "stages/README.md", ...docs.filter((name) => name.endsWith(".md"))];
  const absent: string[] = [];
  for (const page of pages) {
    const text = (await Deno.readTextFile(new URL(page, root))).replaceAll(/```[^]*?```/g, "");
    for (const [, target = ""] of text.matchAll(/\]\(([^)\s#]+)(?:#[^)]*)?\)/g)) {
      if (/^[a-z]+:/.test(target)) continue;
      const found = await Deno.stat(new URL(target, new URL(page, root))).then(() => true, () => false);
      if (!found) absent.push(`${page}: ${target}`);
    }
  }
  assert.deepEqual(absent, []);
});
