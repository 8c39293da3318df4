/**
 * `doctor` and `reproduce` with `--experiment paper` as a user types them, on a folder in which everything is: packaged
 * photographs in place of FaceScape's and CelebA's, and the authors' files in their own formats and shapes with drawn
 * weights. All ten rows of Table 1 have numbers: four networks, four texture models, both FTIMs. It shows that the path
 * runs, and nothing of how well.
 */
import assert from "node:assert/strict";
import { ROW_LABELS, TABLE1_ROWS } from "../../stages/scores/parts/table1_rows.ts";
import { asset } from "../assets.ts";
import { fillData, TESTED, UNREADABLE } from "./made_data.ts";
import { runTask } from "./task.ts";

/**
 * Made files have other bytes than the published ones whose hash is known, and nothing else is wrong with them.
 */
const PUBLISHED = [
  "deca/landmark_embedding.npy",
  "deca/uv_face_eye_mask.png",
  "facenet/20180402-114759-vggface2.pt",
  "flame/generic_model.pkl",
  "vgg19/vgg19-dcbb9e9d.pth",
];

/** The lines of `doctor` about files that stages read: what is said of each, by its place. */
async function examined(options: readonly string[]): Promise<{ said: Map<string, string>; text: string }> {
  const { out } = await runTask("doctor", options);
  const lines = out.split("\nFiles that no stage reads yet")[0]!.split("\n");
  const said = lines.flatMap((line) => {
    const found =
      /^(ok|other|absent|WRONG|-) +((?:bfm|celeba|chen|deca|deng|facenet|facescape|flame|tran|vgg19)\/\S+) +(.*)$/.exec(
        line,
      );
    return found === null ? [] : [[found[2]!, `${found[1]}: ${found[3]}`] as const];
  });
  return { said: new Map(said), text: out };
}

async function recognises(data: string, options: readonly string[]): Promise<void> {
  const { said, text } = await examined(options);
  assert.equal(said.size, 21, text);
  for (const [place, words] of said) {
    if (PUBLISHED.includes(place)) assert.match(words, /^other: .*, and other bytes than the published file/, place);
    else if (place === "vgg19/vgg19_relu4_2.safetensors") {
      assert.match(words, /^-: not needed: the other form is there/);
    } else assert.match(words, /^ok: /, place);
  }
  assert.match(text, /The 3DMM regressor is DECA with FLAME/);
  const [network, model] = [`${data}/deng/epoch_20.pth`, `${data}/deng/similarity_Lm3D_all.mat`];
  await Deno.rename(network, `${network}.part`);
  const standard = await Deno.readFile(model);
  await Deno.writeFile(model, standard.slice(0, standard.length / 2));
  const changed = await examined(options);
  assert.match(changed.said.get("deng/epoch_20.pth")!, /^absent: /);
  assert.match(changed.said.get("deng/similarity_Lm3D_all.mat")!, /^WRONG: it is cut off/);
  assert.match(
    changed.text,
    /files: +deng\/epoch_20\.pth, deng\/similarity[^]*granted by: [^]*licence: [^]*needed by: /,
  );
  await Deno.rename(`${network}.part`, network);
  await Deno.writeFile(model, standard);
}

Deno.test("every file of paper is recognised, and reproduce gives ten rows of numbers from them", async (t) => {
  const root = await Deno.makeTempDir({ prefix: "ftim-rows-" });
  try {
    const data = `${root}/data`;
    await fillData(data);
    const paper = ["--experiment", "paper", "--data", data, "--store", `${root}/store`];
    await t.step("doctor knows every file", () => recognises(data, paper));
    await t.step("reproduce", async () => {
      const small = ["--photographs", "9", "--triplets", "1", "--steps", "2"];
      const { code, out, err, peak } = await runTask(
        "reproduce",
        [...paper, "--results", `${root}/results`, ...small],
        {
          every: 500,
        },
      );
      assert.equal(code, 0, `${out.slice(-4000)}\n${err.slice(-4000)}`);
      assert.match(out, /^The 3DMM regressor is DECA with FLAME, as in the paper\./);
      const table = await Deno.readTextFile(`${root}/results/paper/table1.csv`);
      for (const row of TABLE1_ROWS) {
        const numbers = String.raw`(,0\.\d+){3}(,\d+\.\d+){3}(,-?0\.\d+){3}`;
        assert.match(table, new RegExp(`masked,"?${literal(ROW_LABELS[row])}"?,${TESTED.length}${numbers},`), row);
      }
      const notes = await Deno.readTextFile(`${root}/results/paper/table1.md`);
      assert.match(notes, /The cosine is of FaceNet's descriptors, as the paper's\./);
      assert.match(notes, new RegExp(`Not measured: ${UNREADABLE.replace(".jpg", "")} \\(.*not an image`));
      assert.match(notes, /Not the published files, .*flame\/generic\\_model\.pkl/);
      console.log(`at most ${(peak / 1e9).toFixed(2)} GB`);
    });
    // what photographs of one's own need is in the store, and DECA's parts are in no published file
    await t.step("reconstruct", async () => {
      const photo = `${root}/me.jpg`;
      await Deno.writeFile(photo, await asset("train/audrey/audrey_crop.jpg"));
      const own = [photo, ...paper, "--triplets", "1", "--steps", "2", "--size", "256", "--output", `${root}/me`];
      const made = await runTask("reconstruct", own);
      assert.equal(made.code, 0, `${made.out.slice(-4000)}\n${made.err.slice(-4000)}`);
      const { mesh, landmarks } = JSON.parse(await Deno.readTextFile(`${root}/me/face.json`));
      assert.equal(landmarks.vertices.length, mesh.vertices);
      assert.ok(mesh.vertices > 1000 && Math.max(...landmarks.vertices) < 5023);
      const other = await runTask("reconstruct", [photo, ...paper, "--output", `${root}/other`]);
      assert.equal(other.code, 1);
      assert.match(other.err, /The store holds no training of paper with these data and options/);
    });
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});

/** A text in a regular expression. */
function literal(text: string): string {
  return text.replace(/[()]/g, "\\$&");
}
