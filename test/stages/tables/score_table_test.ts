/** The table of a person's own photographs: rows that are chosen, faces that some rows lack, one face alone. */
import assert from "node:assert/strict";
import { join } from "node:path";
// @ts-types="npm:@types/papaparse@5.5.2"
import papaparse from "papaparse";
import { type Artifact, cast, defineStage, sourceFolder } from "@ftim/pipeline";
import type { FaceScores } from "../../../stages/scores/parts/measurements.ts";
import { scoreTable } from "../../../stages/tables/score_table.ts";
import { type Scratch, withScratch } from "../scratch.ts";

/** Scores that are the better the higher `rank` is; of rank 9 the pictures are equal. */
function scoresOf(face: string, rank: number): FaceScores {
  const scores = { l1: 0.1 - 0.01 * rank, psnr: rank === 9 ? null : 20 + rank, ssim: 0.1 * rank, cosine: 0.05 * rank };
  return { face, maskShare: 0.4, masked: scores, full: { ...scores, cosine512: 0.05 * rank } };
}

/** A tree that has no files for some keys, and says why. */
const skipping = defineStage({
  name: "skipping",
  module: import.meta.url,
  inputs: { reasons: "reasons" },
  output: "reasoned",
  determinism: "bitwise",
  run: async ({ inputs: { reasons }, out, skip }) => {
    for (const [key, reason] of Object.entries(await reasons.json<Record<string, string>>("reasons.json"))) {
      skip(key, reason);
    }
    out.json("kept.json", {});
  },
});

interface Made {
  /** Ranks by row and face. */
  readonly ranks: Record<string, Record<string, number>>;
  /** Reasons by role. */
  readonly reasons?: Record<string, Record<string, string>>;
}

/** The inputs of the table. */
async function inputsOf({ folder, write }: Scratch, { ranks, reasons = {} }: Made) {
  const faces = new Set(Object.values(ranks).flatMap((row) => Object.keys(row)));
  for (const face of faces) await write(`unwrapped/${face}.mask.png`, "mask");
  for (const [row, own] of Object.entries(ranks)) {
    for (const [face, rank] of Object.entries(own)) {
      await write(`scores/${row}/${face}.json`, JSON.stringify(scoresOf(face, rank)));
    }
  }
  const said = async <K extends string>(role: string, kind: K): Promise<Artifact<K>> => {
    await write(`reasons/${role}/reasons.json`, JSON.stringify(reasons[role] ?? {}));
    return cast(skipping({ reasons: cast(sourceFolder(join(folder, "reasons", role)), "reasons") }), kind);
  };
  return {
    scores: Object.fromEntries(
      Object.keys(ranks).map((row) => [row, cast(sourceFolder(join(folder, "scores", row)), "metrics")]),
    ),
    images: await said("images", "images"),
    detections: await said("detections", "detections"),
    meshes: await said("meshes", "meshes"),
    unwrapped: cast(sourceFolder(join(folder, "unwrapped")), "unwrapped"),
    overlays: reasons.overlay_1 === undefined ? {} : { overlay_1: await said("overlay_1", "reconstructions") },
  };
}

const ROWS = [
  { name: "deca", label: "DECA" },
  { name: "guess", label: "a guess", reference: true },
  { name: "overlay_1", label: "MICA" },
];

function parse(text: string): Record<string, string>[] {
  return papaparse.parse<Record<string, string>>(text, { header: true, skipEmptyLines: true }).data;
}

Deno.test("means are of the faces that every row has; what is left out is counted with its reason", () =>
  withScratch(async (scratch) => {
    const inputs = await inputsOf(scratch, {
      ranks: {
        deca: { "a/0": 2, "a/1": 4, "b/0": 8 },
        guess: { "a/0": 6, "a/1": 6, "b/0": 6 },
        overlay_1: { "a/0": 1, "a/1": 1 },
      },
      reasons: {
        detections: { c: "c: no face (score of at least 0.6)" },
        meshes: { "d/0": "d/0: the mesh network finds no face in the crop (score 0.20 < 0.5)" },
        overlay_1: { "b/0": "b.png is 10×10 pixels, its photograph 20×20" },
      },
    });
    const settings = { rows: ROWS, refused: { "e.pdf": "this is a PDF document" }, resamples: 100 };
    const { trees: { table } } = await scratch.run({ table: scoreTable(inputs, settings) });
    assert.deepEqual(table.paths, [
      "face_mask.csv",
      "face_mask.tex",
      "faces.csv",
      "full_frame.csv",
      "full_frame.tex",
      "photographs.md",
      "photographs.txt",
      "photographs_left_out.csv",
    ]);
    const means = parse(await table.text("face_mask.csv"));
    assert.deepEqual(means.map(({ row, psnr }) => [row, Number(psnr)]), [["DECA", 23], ["a guess", 26], ["MICA", 21]]);
    assert.ok(Number(means[0]!.psnr_low) < 23 && Number(means[0]!.psnr_high) > 23);
    const markdown = await table.text("photographs.md");
    assert.match(markdown, /^\| DECA \| \*\*0\.0700\*\* .*\*\*23\.000\*\*/m, "a reference row is never the best");
    assert.match(markdown, /Mean over 2 faces/);
    assert.match(markdown, /Left out, 3: e\.pdf \(this is a PDF document\); c \(no face .*\); d\/0 \(the mesh network/);
    assert.match(
      markdown,
      /Without a score in the row "MICA", 1: b\/0 \(b\.png is 10×10 pixels, its photograph 20×20\)/,
    );
    const faces = parse(await table.text("faces.csv"));
    assert.equal(faces.length, (3 + 3 + 2) * 2);
    assert.deepEqual(
      new Set(faces.filter(({ face }) => face === "b/0").map(({ counted }) => counted)),
      new Set(["no"]),
    );
    assert.deepEqual(faces.find(({ region }) => region === "masked")!.cosine512, "");
    assert.deepEqual(parse(await table.text("photographs_left_out.csv")).map(({ what, row }) => [what, row]), [
      ["e.pdf", "all"],
      ["c", "all"],
      ["d/0", "all"],
      ["b/0", "MICA"],
    ]);
    const text = await table.text("photographs.txt");
    assert.ok(text.split("\n").every((line) => [...line].length <= 80), text);
    assert.match(text, /^DECA +\*0\.0700 +\*23\.000/m);
  }));

Deno.test("of one face there is no interval, and equal pictures have an infinite PSNR", () =>
  withScratch(async (scratch) => {
    const inputs = await inputsOf(scratch, { ranks: { deca: { "a/0": 3 }, guess: { "a/0": 9 } } });
    const { trees: { table } } = await scratch.run({ table: scoreTable(inputs, { rows: ROWS.slice(0, 2) }) });
    const markdown = await table.text("photographs.md");
    assert.match(markdown, /^\| DECA \| \*\*0\.0700\*\* \| \*\*23\.000\*\* \|/m);
    assert.match(markdown, /^\| a guess \| 0\.0100 \| ∞ \|/m);
    assert.match(markdown, /One face, so there is no interval/);
    assert.doesNotMatch(markdown, /Left out/);
    assert.deepEqual(parse(await table.text("photographs_left_out.csv")), []);
  }));

Deno.test("where no face has a score in every row, the error says what each lacks", () =>
  withScratch(async (scratch) => {
    const ranks = { deca: { "a/0": 2 }, overlay_1: { "b/0": 1 } };
    const reasons = { overlay_1: { "a/0": "there is no a.png" } };
    const inputs = await inputsOf(scratch, { ranks, reasons });
    await assert.rejects(
      scratch.run({ table: scoreTable(inputs, { rows: [ROWS[0]!, ROWS[2]!] }) }),
      /no face has a score in every row\..*"MICA", 1: a\/0 \(there is no a\.png\)/,
    );
    await assert.rejects(
      scratch.run({ table: scoreTable(inputs, { rows: ROWS }) }),
      /There is nothing of the row "a guess"/,
    );
  }));
