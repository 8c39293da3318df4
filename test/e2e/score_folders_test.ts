/** `score`, as a person uses it: on packaged photographs, with a small model and an untrained network. */
import assert from "node:assert/strict";
import sharp from "sharp";
import { scoreFolders } from "../../experiments/score_folders.ts";
import type { ScoreOptions } from "../../experiments/scored_folders/options.ts";
import { silentReporter } from "@ftim/pipeline";
import { asset } from "../assets.ts";
import { type Scratch, withScratch } from "../stages/scratch.ts";
import { smallTraining } from "../experiments/small_training.ts";

const store = await Deno.makeTempDir({ prefix: "ftim-store-" });
globalThis.addEventListener("unload", () => Deno.removeSync(store, { recursive: true }));

async function optionsOf(
  { folder, write }: Scratch,
): Promise<Required<Pick<ScoreOptions, "here" | "say">> & ScoreOptions> {
  await write("results/embedded/trained.safetensors", await smallTraining());
  const engine = { store, reporter: silentReporter() };
  return { here: folder, results: `${folder}/results`, engine, say: () => {}, methods: ["deca", "ours", "guess"] };
}

/** A packaged portrait with one face. */
const PORTRAIT = "train/015f/015f.jpg";

const names = (folder: string) => [...Deno.readDirSync(folder)].map(({ name }) => name).sort();

Deno.test("one photograph: a table without intervals, a figure, an overlay's row; again it is the same", () =>
  withScratch(async (scratch) => {
    const { folder, write } = scratch;
    const options = await optionsOf(scratch);
    const photograph = await asset(PORTRAIT);
    await write("photos/me.jpg", photograph);
    await write("other/me.png", await sharp(photograph).png().toBuffer());
    const overlays = [{ name: "another program", folder: "other" }];
    const { files, text } = await scoreFolders({ ...options, photos: "photos", overlays });
    assert.deepEqual(files, names(`${folder}/scores`));
    assert.deepEqual(files, [
      "face_mask.csv",
      "face_mask.tex",
      "faces.csv",
      "figure3.png",
      "full_frame.csv",
      "full_frame.tex",
      "photographs.md",
      "photographs.txt",
      "photographs_left_out.csv",
      "source.json",
    ]);
    assert.match(text, /One face, so there is no interval/);
    assert.match(text, /^another program +\*0\.0000 +\*∞ +\*1\.0000/m, "the photograph itself is its own best render");
    assert.match(text, /^first guess \(not trained\) +0\./m);
    const before = await Deno.readFile(`${folder}/scores/faces.csv`);
    const { text: without } = await scoreFolders({ ...options, photos: "photos" });
    assert.doesNotMatch(without, /another program/);
    await scoreFolders({ ...options, photos: "photos", overlays });
    assert.deepEqual(await Deno.readFile(`${folder}/scores/faces.csv`), before);
    await assert.rejects(
      scoreFolders({ ...options, photos: "other" }),
      /scores: the scores of other folders are there .*; name another --output/,
    );
    await write("scores/faces.csv", "edited");
    await assert.rejects(
      scoreFolders({ ...options, photos: "photos", overlays }),
      /scores: faces\.csv was changed, or no earlier run made it; name another --output/,
    );
    assert.equal(await Deno.readTextFile(`${folder}/scores/faces.csv`), "edited");
  }));

Deno.test("a face without an overlay is counted; overlays of which none fits are refused before a score is taken", () =>
  withScratch(async (scratch) => {
    const { folder, write } = scratch;
    const options = await optionsOf(scratch);
    const photograph = await asset(PORTRAIT);
    await write("photos/a.jpg", photograph);
    await write("photos/b.jpg", photograph);
    await write("photos/none.jpg", await asset("decoy/poisson_example.jpg"));
    await write("photos/torn.jpg", "no picture");
    await write("other/a.png", photograph);
    await write("small/a.png", await sharp(photograph).resize(64, 64, { fit: "fill" }).png().toBuffer());
    const overlay = (name: string) => ({ overlays: [{ name, folder: name }] });
    const { text } = await scoreFolders({ ...options, photos: "photos", ...overlay("other"), methods: ["guess"] });
    assert.match(text, /Left out, 2: torn\.jpg[^]*none \(no face/);
    assert.match(text.replaceAll("\n", " "), /Without a score in the row "other", 1: b\/0 \(there is no b\.png/);
    const csv = await Deno.readTextFile(`${folder}/scores/faces.csv`);
    assert.match(csv, /^b\/0,first guess.*,no$/m);
    assert.match(csv, /^a\/0,first guess.*,yes$/m);
    await assert.rejects(
      scoreFolders({ ...options, photos: "photos", ...overlay("small"), output: "second" }),
      /--overlays small=small: no picture in it can be scored: a\/0 \(a\.png is 64×64 pixels, its photograph /,
    );
    assert.ok(!names(folder).includes("second"));
  }));

Deno.test("a folder without faces, and captures without triplets, end in an error that says what was found", () =>
  withScratch(async (scratch) => {
    const { folder, write } = scratch;
    const options = await optionsOf(scratch);
    await write("none/a.jpg", await asset("decoy/poisson_example.jpg"));
    await assert.rejects(
      scoreFolders({ ...options, photos: "none" }),
      /^ReconstructError: none: no face was found in its photograph \(.*\): a \(no face \(score of at least 0\.6\)\)$/,
    );
    const photograph = await asset(PORTRAIT);
    await write("views/anna/1_neutral/0.jpg", photograph);
    await write("views/anna/1_neutral/1.png", await sharp(photograph).resize(300).png().toBuffer());
    await write("views/anna/neutral/2.jpg", photograph);
    await assert.rejects(
      scoreFolders({ ...options, triplets: "views" }),
      (error: Error) => {
        assert.match(error.message, /^views \(2 photographs\): no triplet can be built from 2 photographs: /);
        assert.match(error.message, /anna\/neutral\/2\.jpg \(it does not lie in <person>\/<k_expression>\/<view>\.jpg/);
        assert.doesNotMatch(error.message, /stage|\n/);
        return true;
      },
    );
    await write("mine.csv", "left,frontal,right\nanna/1_neutral/0,anna/1_neutral/1,anna/1_neutral/9\n");
    await assert.rejects(
      scoreFolders({ ...options, triplets: "views", picked: "mine.csv" }),
      /views: mine\.csv, row 1: "anna\/1_neutral\/9" is not a photograph with a posed face/,
    );
    assert.deepEqual(names(folder).filter((name) => name === "scores"), []);
  }));

Deno.test("captures of views of several sizes: picked triplets are scored in their other views", () =>
  withScratch(async (scratch) => {
    const { folder, write } = scratch;
    const options = await optionsOf(scratch);
    for (const width of [300, 340, 380]) {
      const picture = sharp(await asset(PORTRAIT)).resize(width);
      const turned = width === 300 ? picture.flop() : picture;
      await write(`views/anna/1_neutral/${width}.png`, await turned.png().toBuffer());
    }
    await write("mine.csv", "left,frontal,right\nanna/1_neutral/300,anna/1_neutral/340,anna/1_neutral/380\n");
    const { files, text } = await scoreFolders({ ...options, triplets: "views", picked: "mine.csv" });
    assert.ok(files.includes("pairs.csv") && files.includes("triplets.csv") && !files.includes("faces.csv"));
    assert.match(text.replaceAll("\n", " "), /6 pairs of views in 1 triplet of 1 person/);
    const triplets = await Deno.readTextFile(`${folder}/scores/triplets.csv`);
    assert.match(triplets, /anna,1_neutral,anna\/1_neutral\/300\/0,anna\/1_neutral\/340\/0,anna\/1_neutral\/380\/0/);
  }));
