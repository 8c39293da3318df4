import assert from "node:assert/strict";
// @ts-types="npm:@types/papaparse@5.5.2"
import papaparse from "papaparse";
import { PAGES } from "../commands/page.ts";
import { filledPage } from "../commands/page_numbers.ts";

Deno.test("the pages show the committed results, as `page` fills them in", async () => {
  const root = new URL("../", import.meta.url);
  for (const page of PAGES) {
    const text = await Deno.readTextFile(new URL(page, root));
    const filled = filledPage(text, (path) => Deno.readTextFileSync(new URL(`results/${path}`, root)));
    assert.equal(text, filled, `${page} is not as the tables have it: type \`deno task page\``);
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
  for (const page of PAGES) {
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
