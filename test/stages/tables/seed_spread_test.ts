import assert from "node:assert/strict";
import { cast, sourceFolder } from "@ftim/pipeline";
import { spreadRules } from "../../../commands/gate_rules.ts";
import { seedSpread } from "../../../stages/tables/seed_spread.ts";
import { withScratch } from "../scratch.ts";

Deno.test("trainings stand in the order of their numbers above their mean and standard deviation", async () => {
  await withScratch(async ({ folder, write, run }) => {
    const psnr = new Map([["1", 30], ["2", 33], ["10", 36]]);
    for (const [name, value] of psnr) {
      const scores = { l1: 0.01, psnr: value, ssim: 0.9, cosine: 0.8 };
      const face = { face: "a/0", maskShare: 0.5, masked: scores, full: scores };
      await write(`real/${name}/a/0.json`, JSON.stringify(face));
      const view = {
        identity: "a",
        from: "a/0",
        to: "a/1",
        turn: 30,
        l1: 0.1,
        psnr: value - 10,
        ssim: 0.7,
        cosine: 0.6,
        revealed: { pixels: 200, l1: 0.1, psnr: value - 15, ssim: 0.5 },
      };
      const hidden = { ...view, to: "a/2", revealed: null };
      await write(`novel/${name}/novel.json`, JSON.stringify([view, hidden]));
      const texels = { l1: 0.1, psnr: value - 12, ssim: 0.7 };
      const texture = { identity: "a", face: "a/0", yaw: 30, seen: null, unseen: texels, all: texels, known: null };
      await write(`uv/${name}/uv.json`, JSON.stringify([texture, { ...texture, face: "a/1", known: texels }]));
    }
    const by = <K extends string>(role: string, kind: K) =>
      Object.fromEntries([...psnr.keys()].map((name) => [name, cast(sourceFolder(`${folder}/${role}/${name}`), kind)]));
    const [real, novel, uv] = [by("real", "metrics"), by("novel", "novel"), by("uv", "uv_scores")];
    const { trees } = await run({
      seeds: seedSpread({ real, novel, uv }),
      untold: seedSpread({ real, novel, uv: {} }),
    });
    const rows = (await trees.seeds.text("seeds.csv")).trim().split("\n").map((line) => line.split(","));
    const column = rows[0]!.indexOf("psnr");
    const shown = rows.slice(1).map((row) => [row[0], Number(row[column])]);
    assert.deepEqual(shown.map(([label]) => label), [
      "training 1",
      "training 2",
      "training 3",
      "mean",
      "standard deviation",
    ]);
    assert.deepEqual(shown.map(([, value]) => value), [30, 33, 36, 33, 3]);
    const revealed = rows[0]!.indexOf("revealed_psnr");
    assert.deepEqual(rows.slice(1).map((row) => Number(row[revealed])), [15, 18, 21, 18, 3]);
    for (const name of ["unseen_psnr", "known_psnr"]) {
      const column = rows[0]!.indexOf(name);
      assert.deepEqual(rows.slice(1).map((row) => Number(row[column])), [18, 21, 24, 21, 3], name);
    }
    const rules = spreadRules(await trees.seeds.text("seeds.csv"));
    assert.equal(rules["ours.masked.psnr"]?.atol, 12, "the gate knows every column");
    const untold = (await trees.untold.text("seeds.csv")).trim().split("\n");
    assert.ok(untold.slice(1).every((line) => line.endsWith(",,")), "no truth, no score of it");
    const { "10": _, ...lacking } = novel;
    await assert.rejects(
      run({ seeds: seedSpread({ real, novel: lacking, uv }) }),
      /Training 10 has no scores in other views/,
    );
  });
});
