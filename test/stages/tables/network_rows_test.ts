/** The rows of comparators' networks in the tables of other views and of LPIPS. */
import assert from "node:assert/strict";
import { cast, sourceFolder } from "@ftim/pipeline";
import type { LpipsScores } from "../../../stages/scores/parts/lpips_scores.ts";
import { METHOD_LABELS, METHODS } from "../../../stages/scores/parts/methods.ts";
import type { NovelScores } from "../../../stages/scores/parts/novel_scores.ts";
import { byTable1Row } from "../../../stages/scores/parts/table1_rows.ts";
import { lpipsTable } from "../../../stages/tables/lpips_table.ts";
import { novelTable } from "../../../stages/tables/novel_table.ts";
import { withScratch } from "../scratch.ts";

const PAIRS = [["1", "a", "b"], ["1", "b", "a"], ["2", "c", "d"], ["2", "d", "c"]] as const;

/** Scores of some pairs of views; the best method has the highest level. */
function novelOf(level: number, pairs: readonly (typeof PAIRS)[number][]): NovelScores[] {
  return pairs.map(([identity, from, to]) => {
    const scores = { l1: 0.1 / level, psnr: 20 + level, ssim: 0.9 };
    return { identity, from, to, turn: 40, ...scores, cosine: 0.5, revealed: { pixels: 300, ...scores } };
  });
}

function lpipsOf(level: number, pairs: readonly (typeof PAIRS)[number][]): LpipsScores {
  const distance = 1 / level;
  return {
    faces: [{ face: "a", masked: distance, full: distance }],
    views: pairs.map(([identity, from, to]) => ({ identity, from, to, turn: 40, distance, revealed: distance })),
    textures: [],
  };
}

Deno.test("networks stand behind texture models in other views and by LPIPS, and notes say how they are drawn", () =>
  withScratch(async ({ folder, write, run }) => {
    const networks = ["deng_network", "chen_network"];
    const levels = { ...Object.fromEntries(METHODS.map((name) => [name, 4])), deng_network: 20, chen_network: 10 };
    for (const [name, level] of Object.entries(levels)) {
      // Chen's network has lost a view
      const pairs = name === "chen_network" ? PAIRS.slice(0, 3) : PAIRS;
      await write(`${name}/novel.json`, JSON.stringify(novelOf(level, pairs)));
      await write(`${name}/lpips.json`, JSON.stringify(lpipsOf(level, pairs)));
    }
    const of = <Kind extends string>(kind: Kind, names: readonly string[]) =>
      Object.fromEntries(names.map((name) => [
        name.replace("_network", ""),
        cast(sourceFolder(`${folder}/${name}`), kind),
      ]));
    const settings = { resamples: 50 };
    const tables = {
      novel: novelTable({ novel: of("novel", METHODS), networks: of("novel", networks), uv: {}, bounds: {} }, settings),
      plain: novelTable({ novel: of("novel", METHODS), networks: {}, uv: {}, bounds: {} }, settings),
      lpips: lpipsTable({ scores: of("lpips_scores", METHODS), networks: of("lpips_scores", networks) }, settings),
    };
    const { trees } = await run(tables);
    const { deca, chen, deng, tran, printed, ours } = METHOD_LABELS;
    const text = await trees.novel.text("novel_views.md");
    const inOrder = [
      deca,
      chen,
      "Chen, detailed (authors' network)",
      deng,
      "Deng (authors' network)",
      tran,
      printed,
      ours,
    ];
    const places = inOrder.map((label) => text.indexOf(`| ${label} |`));
    assert.deepEqual(places, places.toSorted((a, b) => a - b));
    assert.ok(places[0]! > 0);
    assert.match(text, /\| Deng \(authors' network\) \| \*\*0\.0050\*\* \[.*\*\*40\.00\*\* \[/);
    assert.match(text, /authors' network\): drawn with the mesh that the network itself finds in the other view/);
    assert.match(text, /Of 4 pairs of views: 3 \(Chen, detailed \(authors' network\)\)\./);
    for (const path of ["novel_views_margins.csv", "printed_margins.csv"]) {
      assert.match(await trees.novel.text(path), /Deng \(authors' network\)/);
    }
    assert.doesNotMatch(await trees.plain.text("novel_views.md"), /network/);
    const perceptual = await trees.lpips.text("lpips.md");
    assert.match(perceptual, /\| Deng \(authors' network\) \| \*\*0\.0500\*\* \[/);
    assert.match(perceptual, /in the lit colours that it found in the first/);
    assert.match(await trees.lpips.text("lpips_margins.md"), /\| Deng \(authors' network\) \| 0\.2000 \[/);
  }));

Deno.test("byTable1Row() refuses a network of no comparator", () => {
  const methods = Object.fromEntries(METHODS.map((method) => [method, method]));
  assert.deepEqual(byTable1Row(methods, { tran: "its network" }).slice(3, 5), [
    ["tran", "tran"],
    ["tran_network", "its network"],
  ]);
  assert.throws(() => byTable1Row(methods, { tran_network: "" }), /No comparator is called tran_network/);
});
