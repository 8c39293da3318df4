import assert from "node:assert/strict";
// @ts-types="npm:@types/papaparse@5.5.2"
import papaparse from "papaparse";
import { cast, sourceFolder } from "@ftim/pipeline";
import { trainingGains } from "../../../stages/tables/training_gains.ts";
import { withScratch } from "../scratch.ts";

/** Two pairs of views of one head and one of another, each with this PSNR on revealed pixels. */
const scored = (psnrs: readonly number[]) =>
  JSON.stringify(psnrs.map((psnr, i) => ({
    identity: i < 2 ? "a" : "b",
    from: `${i}/0`,
    to: `${i}/1`,
    turn: 40,
    l1: 0.1,
    psnr: 20,
    ssim: 0.7,
    cosine: 0.6,
    revealed: { pixels: 200, l1: 0.1, psnr, ssim: 0.5 },
  })));

Deno.test("a training's row says what it is, what it gains and its share of the gap", async () => {
  await withScratch(async ({ folder, write, run }) => {
    const trainings = [{ name: "few", label: "8 persons" }, { name: "many", label: "34 persons" }];
    const psnrs = {
      ours: { few: [21, 22, 23], many: [24, 24, 24] },
      guess: { few: [20, 21, 22], many: [20, 20, 20] },
      oracle: { few: [30, 31, 32], many: [28, 28, 28] },
    };
    for (const [role, values] of Object.entries(psnrs)) {
      for (const [name, own] of Object.entries(values)) await write(`${role}/${name}/novel.json`, scored(own));
    }
    const of = (role: keyof typeof psnrs, names = trainings.map(({ name }) => name)) =>
      Object.fromEntries(names.map((name) => [name, cast(sourceFolder(`${folder}/${role}/${name}`), "novel")]));
    const inputs = { ours: of("ours"), guess: of("guess"), oracle: of("oracle") };
    const { trees } = await run({
      curve: trainingGains(inputs, { name: "gains", title: "What it buys", trainings }),
    });
    const text = await trees.curve.text("gains.csv");
    const { data: rows } = papaparse.parse<Record<string, string>>(text.trim(), { header: true });
    assert.deepEqual(rows.map(({ row }) => row), ["8 persons", "34 persons"]);
    const value = (row: number, name: string) => Number(rows[row]![name]);
    assert.deepEqual([value(0, "guess_psnr"), value(0, "ours_psnr"), value(0, "oracle_psnr")], [21, 22, 31]);
    assert.deepEqual([value(0, "gain"), value(0, "share")], [1, 10], "1 of 10 dB");
    assert.deepEqual([value(1, "gain"), value(1, "share")], [4, 50], "4 of 8 dB");
    await assert.rejects(
      run({
        curve: trainingGains({ ...inputs, oracle: of("oracle", ["few"]) }, {
          name: "gains",
          title: "What it buys",
          trainings,
        }),
      }),
      /many has no scores of oracle/,
    );
  });
});
