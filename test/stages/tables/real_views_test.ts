import assert from "node:assert/strict";
import { cast, sourceFolder } from "@ftim/pipeline";
import type { NovelScores } from "../../../stages/scores/parts/novel_scores.ts";
import { REAL_ROWS } from "../../../stages/tables/parts/real_scores.ts";
import type { LpipsScores } from "../../../stages/scores/parts/lpips_scores.ts";
import { realLpips } from "../../../stages/tables/real_lpips.ts";
import { realViews } from "../../../stages/tables/real_views.ts";
import { withScratch } from "../scratch.ts";

const PAIRS = [["a", "0", "1"], ["a", "1", "0"], ["a", "0", "2"], ["b", "3", "4"]] as const;

/** PSNRs on some pixels of each pair; null: there are too few pixels. */
type Psnrs = readonly (number | null)[];

const scores = ({ revealed, third }: Record<"revealed" | "third", Psnrs>): NovelScores[] =>
  PAIRS.map(([identity, from, to], i) => ({
    identity,
    from,
    to,
    turn: 10 + 5 * i,
    l1: 0.02,
    psnr: 30 + i,
    ssim: 0.9,
    cosine: 0.8,
    revealed: part(revealed[i]!),
    third: part(third[i]!),
  }));

const part = (psnr: number | null) => psnr === null ? null : { pixels: 200, l1: 0.03, psnr, ssim: 0.7 };

Deno.test("by person the table says what training gains where a third view saw the skin, and of which gap", () =>
  withScratch(async ({ folder, write, run }) => {
    const third: Record<string, Psnrs> = {
      ours: [28, null, 27, 26],
      guess: [26, null, 26, 27],
      copy: [25, null, 24, 23],
      oracle: [30, null, 28, 26.5],
    };
    for (const name of REAL_ROWS) {
      const revealed = name === "ours" ? [27, 25, null, 24] : [26, 24.5, null, 24];
      const rows = scores({ revealed, third: third[name] ?? [20, null, 20, 20] });
      await write(`${name}/novel.json`, JSON.stringify(rows));
    }
    const widths = [80, 90, 100, 70, 110];
    for (const [key, width] of widths.entries()) await write(`crops/${key}.json`, JSON.stringify({ box: { width } }));
    const novel = REAL_ROWS.map((name) => [name, cast(sourceFolder(`${folder}/${name}`), "novel")]);
    const crops = cast(sourceFolder(`${folder}/crops`), "aligned");
    const { trees: { table } } = await run({ table: realViews({ novel: Object.fromEntries(novel), crops }) });
    const [header, ...lines] = (await table.text("real_views_persons.csv")).trim().split("\n");
    assert.equal(
      header,
      "row,pairs,revealed_pairs,revealed_gain,third_pairs,guess,ours,oracle,gain,gap,share",
    );
    const persons = lines.map((line) => line.split(",").map((cell) => cell === "" ? null : Number(cell)).slice(1));
    // 2 and 1 dB of 4 and 2
    assert.deepEqual(persons[0], [3, 2, 0.75, 2, 26, 27.5, 29, 1.5, 3, 50]);
    // where the oracle is worse than the guess there is no gap
    assert.deepEqual(persons[1], [1, 1, 0, 1, 27, 26, 26.5, -1, -0.5, null]);
    const text = await table.text("real_views.md");
    assert.match(
      text,
      /4 pairs of views of 2 persons \(a, b\), turned by 10–25° from each other\. Faces are 70–110 pix/,
    );
    assert.match(text, /3 of 4 pairs of views reveal at least 100/);
    assert.match(text, /3 of 4 pairs have at least 100 of them/);
    assert.match(
      text,
      /\| a third view's own texture \(oracle\) \| — \| — \| — \| — \| — \| — \| 28\.17 \| 0\.7000 \|/,
    );
    assert.match(
      text,
      /\(ours\) \| \*\*0\.0200\*\* \| \*\*31\.50\*\* \| .* \| \*\*25\.33\*\* \| .* \| \*\*27\.00\*\* \|/,
    );
    const numbers = await table.json<Record<string, number>>("real_metrics.json");
    assert.equal(numbers["gain.real.a.third_psnr"], 1.5);
    assert.equal(numbers["gain.real.b.revealed_psnr"], 0);
    assert.ok(!("real.oracle.psnr" in numbers) && numbers["real.deca.third_psnr"] === 20);
  }));

Deno.test("of LPIPS the means are of those pairs that are known, and the oracle has that of a third view alone", () =>
  withScratch(async ({ folder, write, run }) => {
    for (const [i, name] of REAL_ROWS.entries()) {
      const views = PAIRS.map(([identity, from, to], k) => ({
        ...{ identity, from, to, turn: 20, distance: 0.1 * i },
        revealed: k === 0 ? null : 0.02,
        third: k < 2 ? null : 0.01 * k,
      }));
      const scores: LpipsScores = { faces: [], views, textures: [] };
      await write(`${name}/lpips.json`, JSON.stringify(scores));
    }
    const of = (name: string) => cast(sourceFolder(`${folder}/${name}`), "lpips_scores");
    const scores = Object.fromEntries(REAL_ROWS.map((name) => [name, of(name)]));
    const { trees: { table } } = await run({ table: realLpips({ scores }) });
    const text = await table.text("real_lpips.md");
    assert.match(text, /\| albedo and detail \(Chen's model\) \| 0\.1000 \| \*\*0\.02000\*\* \| \*\*0\.02500\*\* \|/);
    assert.match(text, /\| a third view's own texture \(oracle\) \| — \| — \| 0\.02500 \|/);
  }));
