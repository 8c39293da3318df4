/** The table of other views of a person's own captures. */
import assert from "node:assert/strict";
import { join } from "node:path";
// @ts-types="npm:@types/papaparse@5.5.2"
import papaparse from "papaparse";
import { cast, sourceFolder } from "@ftim/pipeline";
import type { Triplet } from "../../../stages/data/parts/triplet_choice.ts";
import type { NovelScores } from "../../../stages/scores/parts/novel_scores.ts";
import { viewPairs } from "../../../stages/scores/parts/view_pairs.ts";
import { viewTable } from "../../../stages/tables/view_table.ts";
import { type Scratch, withScratch } from "../scratch.ts";

function triplet(identity: string): Triplet {
  const key = (view: number) => `${identity}/1_neutral/${view}/0`;
  return { identity, expression: "1_neutral", views: [key(0), key(1), key(2)], yaws: [-30, 0, 35] };
}

/** Scores of all pairs of some persons; `gain` is what the row adds, `lost` a view without a mesh. */
function novelOf(persons: readonly string[], { gain, lost }: { gain: number; lost?: string }): NovelScores[] {
  return viewPairs(persons.map(triplet)).filter(({ from, to }) => from.key !== lost && to.key !== lost).map((pair) => {
    const { identity, from, to } = pair;
    const hard = identity === "anna" ? 1 : 0;
    return {
      identity,
      from: from.key,
      to: to.key,
      turn: Math.abs(to.yaw - from.yaw),
      l1: 0.05,
      psnr: 25 + gain - hard,
      ssim: 0.8,
      cosine: 0.9,
      revealed: from.yaw === 0 ? { pixels: 200, l1: 0.1, psnr: 20 + 2 * gain, ssim: 0.6 } : null,
    };
  });
}

const ROWS = [
  { name: "deca", label: "DECA" },
  { name: "ours", label: "ours" },
  { name: "oracle", label: "another camera's texture", reference: true },
];

async function tableOf({ folder, write, run }: Scratch, persons: readonly string[], lost?: string) {
  const gains = { deca: 0, ours: 1, oracle: 3 };
  for (const [row, gain] of Object.entries(gains)) {
    const scores = novelOf(persons, { gain, ...(lost === undefined ? {} : { lost }) });
    await write(`novel/${row}/novel.json`, JSON.stringify(scores));
  }
  const funnel = { photographs: 9, beyond: 0, inBins: [3, 3, 3], groups: 2, possible: 2, chosen: persons.length };
  await write("triplets/triplets.json", JSON.stringify({ bins: [], triplets: persons.map(triplet), funnel }));
  await write("none/none.json", "{}");
  const nothing = sourceFolder(join(folder, "none"));
  const novel = Object.keys(gains).map((row) =>
    [row, cast(sourceFolder(join(folder, "novel", row)), "novel")] as const
  );
  const { trees: { table } } = await run({
    table: viewTable({
      novel: Object.fromEntries(novel),
      triplets: cast(sourceFolder(join(folder, "triplets")), "triplets"),
      images: cast(nothing, "images"),
      detections: cast(nothing, "detections"),
      meshes: cast(nothing, "meshes"),
    }, { rows: ROWS, refused: { "anna/x.jpg": "it does not lie in its place" }, resamples: 200 }),
  });
  return table;
}

function parse(text: string): Record<string, string>[] {
  return papaparse.parse<Record<string, string>>(text, { header: true, skipEmptyLines: true }).data;
}

Deno.test("other views: means with intervals over persons, gains pair by pair, every score", () =>
  withScratch(async (scratch) => {
    const table = await tableOf(scratch, ["anna", "ben", "cleo"]);
    assert.deepEqual(table.paths, [
      "other_views.csv",
      "other_views.md",
      "other_views.tex",
      "other_views.txt",
      "other_views_left_out.csv",
      "other_views_margins.csv",
      "other_views_margins.md",
      "other_views_margins.tex",
      "pairs.csv",
    ]);
    const means = parse(await table.text("other_views.csv"));
    const psnr = means.map(({ row, psnr, revealed_psnr }) => [row, Number(psnr).toFixed(3), Number(revealed_psnr)]);
    assert.deepEqual(psnr, [["DECA", "24.667", 20], ["ours", "25.667", 22], [
      "another camera's texture",
      "27.667",
      26,
    ]]);
    assert.ok(Number(means[0]!.psnr_low) < Number(means[0]!.psnr_high));
    const margins = parse(await table.text("other_views_margins.csv"));
    assert.deepEqual(margins.map(({ row, psnr, psnr_low }) => [row, Number(psnr), Number(psnr_low)]), [
      ["DECA", 1, 1],
      ["another camera's texture", -2, -2],
    ]);
    const markdown = await table.text("other_views.md");
    assert.match(markdown, /18 pairs of views in 3 triplets of 3 persons/);
    assert.match(markdown, /6 of 18 pairs of views reveal/);
    assert.match(markdown, /^\| ours .*\*\*25\.67\*\*/m, "the oracle is never the best");
    assert.match(markdown, /Left out, 1: anna\/x\.jpg \(it does not lie in its place\)/);
    assert.equal(parse(await table.text("pairs.csv")).length, 3 * 18);
    assert.match(await table.text("other_views.txt"), /^ours +\*25\.67/m);
  }));

Deno.test("one person has no interval; pairs without a mesh are counted once and not once a row", () =>
  withScratch(async (scratch) => {
    const table = await tableOf(scratch, ["ben"], "ben/1_neutral/2/0");
    const markdown = await table.text("other_views.md");
    assert.match(markdown, /2 pairs of views in 1 triplet of 1 person\. One person, so there is no interval/);
    assert.match(markdown, /^\| ours \| \*\*0\.0500\*\* \| \*\*26\.00\*\* \|/m);
    const left = parse(await table.text("other_views_left_out.csv"));
    assert.deepEqual(left.map(({ row }) => row), ["all", "all", "all", "all", "all"]);
    assert.equal(left[1]!.reason, "no face mesh fits one of the two");
  }));
