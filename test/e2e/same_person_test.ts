/**
 * One face of three photographs against the best of three faces of one, on captures of heads that no training saw: in
 * all views of the same head, on the pixels that some of the three photographs did not show. A face of one photograph
 * is nearly perfect in that view; what counts is that a face is right from all sides. Takes minutes.
 */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { cast, pick, reproduce, sourceFile, sourceFolder, type Tree } from "@ftim/pipeline";
import { openTfjs } from "@ftim/gpu/tfjs";
import { findFaces, STRICT } from "../../experiments/faces.ts";
import { topology as topologyFile } from "../../experiments/regressors.ts";
import { person, photograph, unpacked } from "../../experiments/photograph.ts";
import { renderPortraits } from "../../face/render_portraits.ts";
import { assets } from "../../stages/data/fetch.ts";
import { importPhotographs } from "../../stages/data/import.ts";
import { readMask, readVisibility } from "../../stages/faces/geometry.ts";
import { readImage } from "../../stages/faces/photograph.ts";
import { readRegression } from "../../stages/faces/regression.ts";
import { fitMorphableModel } from "../../stages/geometry/fit_morphable.ts";
import { unwrapTextures } from "../../stages/geometry/unwrap.ts";
import { type FrameTruth, synthesize } from "../../stages/synthetic/synthesize.ts";
import { quietEngine } from "../engine.ts";
import { topology } from "../stages/face_lab.ts";
import { withScratch } from "../stages/scratch.ts";

const HEADS = 6;
/** Where the three photographs are taken from, in degrees. */
const FROM = { front: 0, left: -45, right: 45 } as const;
/** Views that are turned further, in degrees, have no mesh. */
const FARTHEST = 80;
const TRAINED = fileURLToPath(new URL("../../results/embedded/trained.safetensors", import.meta.url));
/** A pixel counts as seen, and as not seen, from and below these visibilities. */
const [SEEN, UNSEEN] = [0.5, 0.2];

Deno.test("from all sides a face of three photographs is nearer to the truth than the best face of one of them", () =>
  withScratch(async ({ folder, write }) => {
    const options = quietEngine(`${folder}/../store`);
    const found = findFaces(importPhotographs(assets("held/")), { keep: "largest" });
    const { images, crops, meshes } = found;
    const strict = unwrapTextures({ crops, meshes, topology: topologyFile() }, STRICT);
    const model = fitMorphableModel({ crops, meshes, unwrapped: strict, topology: topologyFile() });
    const casting = { identities: HEADS, expressions: 1, sourceYaw: 25, seed: 11 };
    const synthetic = synthesize({ images, crops, meshes, model, topology: topologyFile() }, casting);
    const { captures, truth } = (await reproduce({
      captures: cast(pick(synthetic, ["captures/"]), "captures"),
      truth: cast(pick(synthetic, ["truth.json"]), "truth"),
    }, options)).trees;
    const frames = (await truth.json<FrameTruth[]>("truth.json")).filter(({ yaw, hasFace }) => yaw !== null && hasFace);
    const trained = unpacked(sourceFile(TRAINED));
    const rows: { head: string; fused: number; best: number }[] = [];
    for (const [head, views] of Map.groupBy(frames, ({ identity }) => identity!)) {
      const nearest = (yaw: number) => views.toSorted((a, b) => Math.abs(a.yaw! - yaw) - Math.abs(b.yaw! - yaw))[0]!;
      const chosen = Object.values(FROM).map(nearest);
      const all = views.filter(({ yaw }) => Math.abs(yaw!) <= FARTHEST);
      for (const [name, some] of [["three", chosen], ["views", all]] as const) {
        for (const [i, { key }] of some.entries()) {
          await write(`${head}/${name}/${i}.jpg`, await captures.bytes(pathOf(captures, key)));
        }
      }
      const [three, other] = ["three", "views"].map((name) => sourceFolder(`${folder}/${head}/${name}`));
      const single = photograph(three!, trained, { size: 256 });
      const targets = photograph(other!, trained, { size: 256 });
      const { trees } = await reproduce({
        fused: person(three!, trained, { size: 256 }).heads,
        single: single.heads,
        before: single.unwrapped,
        crops: targets.crops,
        now: targets.unwrapped,
        regressed: targets.regressed,
      }, options);
      const row = await scoresOf(trees);
      rows.push({ head, ...row });
      console.log(`${head}: L1 ${row.fused.toFixed(4)} of three, ${row.best.toFixed(4)} of the best one`);
    }
    assert.equal(rows.length, HEADS);
    const mean = (name: "fused" | "best") => rows.reduce((sum, row) => sum + row[name], 0) / rows.length;
    console.log(`mean: ${mean("fused").toFixed(4)} of three, ${mean("best").toFixed(4)} of the best one`);
    assert.ok(mean("fused") < 0.8 * mean("best"));
  }));

/** The path of an image by the key that its truth has. */
function pathOf(captures: Tree, key: string): string {
  const path = captures.paths.find((path) => path.replace(/\.\w+$/, "").endsWith(key.replace(/^captures\//, "")));
  assert.ok(path !== undefined, `${key} is not among ${captures.paths.slice(0, 3).join(", ")} …`);
  return path;
}

/** Mean L1 over views, of the face of three photographs and of the best face of one in each view. */
async function scoresOf(
  { fused, single, before, crops, now, regressed }: Readonly<
    Record<"fused" | "single" | "before" | "crops" | "now" | "regressed", Tree>
  >,
): Promise<{ fused: number; best: number }> {
  const tf = await openTfjs();
  const keysOf = (tree: Tree, ending: string) =>
    tree.paths.filter((path) => path.endsWith(ending)).map((path) => path.slice(0, -ending.length));
  const from = keysOf(single, "/texture.png");
  const [three] = keysOf(fused, "/texture.png");
  assert.ok(from.length === 3 && three !== undefined);
  const textures = await Promise.all([
    readImage(fused, `${three}/texture.png`),
    ...from.map((key) => readImage(single, `${key}/texture.png`)),
  ]);
  const seen = await Promise.all(from.map((key) => readVisibility(before, key)));
  const [sums, count] = [textures.map(() => 0), { views: 0 }];
  for (const key of keysOf(regressed, ".safetensors")) {
    const [{ vertices }, crop, mask, own] = await Promise.all([
      readRegression(regressed, key),
      readImage(crops, `${key}.png`),
      readMask(now, key),
      readVisibility(now, key),
    ]);
    const pictures = await renderPortraits(tf, textures.map(({ data }) => ({ vertices, texture: data })), { topology });
    const shown = await renderPortraits(tf, [own, ...seen].map((texture) => ({ vertices, texture })), { topology });
    const pixels: number[] = [];
    for (let i = 0; i < mask.length; i++) {
      const others = shown.slice(1).map(({ data }) => data[i]!);
      const some = Math.min(...others) < UNSEEN && Math.max(...others) > SEEN;
      if (mask[i]! > 0.5 && shown[0]!.data[i]! > SEEN && some) pixels.push(i);
    }
    if (pixels.length < 300) continue;
    count.views++;
    for (const [k, { data }] of pictures.entries()) {
      const error = pixels.reduce((sum, i) => {
        return sum + [0, 1, 2].reduce((sum, c) => sum + Math.abs(data[3 * i + c]! - crop.data[3 * i + c]!), 0) / 3;
      }, 0);
      sums[k] = sums[k]! + error / pixels.length;
    }
  }
  assert.ok(count.views > 0, "no view reveals anything");
  const [of3, ...ofOne] = sums.map((sum) => sum / count.views);
  return { fused: of3!, best: Math.min(...ofOne) };
}
