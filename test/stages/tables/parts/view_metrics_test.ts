import assert from "node:assert/strict";
import type { NovelScores } from "../../../../stages/scores/parts/novel_scores.ts";
import type { UvScores } from "../../../../stages/scores/parts/uv_scores.ts";
import { column } from "../../../../stages/tables/parts/grid.ts";
import type { Measures } from "../../../../stages/tables/parts/measures.ts";
import { viewMetrics } from "../../../../stages/tables/parts/view_metrics.ts";

const name = (text: string) => column(text, text, "higher", 2);
const by = () => "head";

/** Every column that is looked at has the L1 of a score. */
const novel: Measures<NovelScores> = {
  same: ({ to }) => to,
  by,
  measures: ["l1", "psnr", "ssim", "cosine", "revealed_psnr", "revealed_ssim"].map((text) => [
    name(text),
    ({ l1 }) => l1,
  ]),
};
const uv: Measures<UvScores> = {
  same: ({ face }) => face,
  by,
  measures: ["seen_psnr", "unseen_l1", "unseen_psnr", "unseen_ssim", "known_psnr"].map((text) => [
    name(text),
    ({ all: { psnr } }) => psnr,
  ]),
};

function view(to: string, l1: number): NovelScores {
  return { identity: "a", from: "a/0", to, turn: 30, l1, psnr: 20, ssim: 0.5, cosine: 0.5, revealed: null };
}

function texture(face: string, psnr: number | null): UvScores {
  const all = { l1: 0.1, psnr, ssim: 0.5 };
  return { identity: "a", face, yaw: 0, all, seen: null, unseen: null, known: null };
}

Deno.test("gains are over what ours and the guess both scored; a mean that is no number says so", () => {
  const rows = {
    ours: { novel: [view("x", 0.5), view("y", 0.9), view("z", 0.1)], uv: [texture("a", 30), texture("b", null)] },
    guess: { novel: [view("y", 0.4), view("x", 0.2)], uv: [texture("a", NaN)] },
  };
  const metrics = viewMetrics(rows, { novel, uv });
  const near = (key: string, value: number) => assert.ok(Math.abs(metrics[key]! - value) < 1e-9, key);
  near("novel.ours.revealed_psnr", 0.5);
  near("novel.guess.psnr", 0.3);
  near("gain.novel.revealed_psnr", 0.4);
  near("uv.ours.known_psnr", 30);
  assert.equal(metrics["uv.guess.known_psnr"], null);
  assert.equal(metrics["gain.uv.known_psnr"], null);
  assert.deepEqual([metrics["novel.pairs"], metrics["novel.revealed_pairs"], metrics["uv.views"]], [3, 0, 2]);
});

Deno.test("without a guess there are no gains, without truth nothing of it, and of equal pictures no mean", () => {
  const alone = viewMetrics({ ours: { novel: [view("x", Infinity)] } }, { novel, uv });
  assert.deepEqual(Object.keys(alone), ["novel.pairs", "novel.revealed_pairs"]);
});
