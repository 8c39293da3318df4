/**
 * The networks of comparators' authors from a data folder to their rows in Table 1, with drawn weights in the authors'
 * own formats and shapes, on packaged photographs: it shows that the path runs, and nothing of how well. The scores of
 * the methods' rows are one network's own, so that nothing is trained.
 */
import assert from "node:assert/strict";
import sharp from "sharp";
import { findFaces } from "../../experiments/faces.ts";
import { topology } from "../../experiments/regressors.ts";
import { comparatorNetworks } from "../../experiments/networks.ts";
import { mapValues } from "../../experiments/map_values.ts";
import { photographScorer, secondOpinion } from "../../experiments/scoring.ts";
import { cast, reproduce, sourceFolder } from "@ftim/pipeline";
import type { SoughtFace } from "../../nets/comparators/comparator.ts";
import { importPhotographs } from "../../stages/data/import.ts";
import { seekFaces } from "../../stages/data/seek.ts";
import { assets } from "../../stages/data/fetch.ts";
import { unwrapTextures } from "../../stages/geometry/unwrap.ts";
import { METHODS } from "../../stages/scores/parts/methods.ts";
import { table1 } from "../../stages/tables/table1.ts";
import { decodePixels } from "../../stages/faces/photograph.ts";
import { asset } from "../assets.ts";
import { quietEngine } from "../engine.ts";
import { tranFiles } from "../golden/tran_drawn.ts";
import { drawnBfmFront, drawnDengEncoder, drawnStandardLandmarks } from "../nets/deng_weights.ts";
import { checkpoint } from "../nets/files/checkpoint_writer.ts";
import { matlabFile } from "../nets/files/matlab_writer.ts";
import { tranWeights } from "../nets/made_networks.ts";
import { oldTorchArchive } from "../nets/files/torch_writer.ts";

/** Width of the photographs, for MTCNN looks at all of each. */
const WIDTH = 400;

async function fill(data: string): Promise<void> {
  for (const name of ["photographs", "deng", "tran/checkpoint", "tran/3DMM_definition"]) {
    await Deno.mkdir(`${data}/${name}`, { recursive: true });
  }
  for (const i of [1, 2]) {
    const photograph = await sharp(await asset(`test/sample${i}.jpg`)).resize(WIDTH).png().toBuffer();
    await Deno.writeFile(`${data}/photographs/${i}.png`, photograph);
  }
  await Deno.writeFile(`${data}/deng/epoch_20.pth`, oldTorchArchive(drawnDengEncoder()));
  await Deno.writeFile(`${data}/deng/BFM_model_front.mat`, matlabFile(drawnBfmFront()));
  await Deno.writeFile(`${data}/deng/similarity_Lm3D_all.mat`, matlabFile(drawnStandardLandmarks()));
  for (const [name, bytes] of tranFiles()) await Deno.writeFile(`${data}/tran/3DMM_definition/${name}`, bytes);
  const index = checkpoint(tranWeights(), "Nonlinear3DMM.model-20");
  const values = await index.beside!(index.name.replace(".index", ".data-00000-of-00001"));
  for (const file of [index, values!]) {
    await Deno.writeFile(`${data}/tran/checkpoint/${file.name}`, await file.read(0, file.size));
  }
}

Deno.test("Deng's and Tran's networks go from files to Table 1, where DECA's row says what is absent", async () => {
  const data = await Deno.makeTempDir({ prefix: "ftim-networks-" });
  try {
    await fill(data);
    const images = importPhotographs(sourceFolder(`${data}/photographs`), { identities: "unknown" });
    const found = findFaces(images, { keep: "largest" });
    const { crops, meshes, detections } = found;
    const unwrapped = unwrapTextures({ crops, meshes, topology: topology() });
    const { runs, absent } = comparatorNetworks({ dataFolder: data });
    assert.deepEqual(Object.keys(runs).sort(), ["deng", "tran"]);
    const renders = mapValues(
      { deng: runs.deng!, tran: runs.tran! },
      (network) => network.faces({ crops, meshes, images, topology: topology() }),
    );
    // two persons, as if they were one head: it is only asked what is drawn where
    await Deno.mkdir(`${data}/triplets`);
    const triplet = { identity: "1", expression: "1", views: ["1/0", "2/0"], yaws: [0, 60] };
    await Deno.writeTextFile(`${data}/triplets/triplets.json`, JSON.stringify({ triplets: [triplet] }));
    const triplets = cast(sourceFolder(`${data}/triplets`), "triplets");
    const views = mapValues(
      { deng_views: runs.deng!, tran_views: runs.tran! },
      (network) => network.views({ crops, meshes, images, topology: topology(), triplets }),
    );
    // no scores read a face model
    const model = cast(sourceFolder(data), "model");
    const score = photographScorer({ ...found, unwrapped }, { model });
    const networks = mapValues(renders, (made) => score(() => made, { features: secondOpinion() }));
    const table = table1({
      scores: Object.fromEntries(METHODS.map((method) => [method, networks.deng])),
      networks,
      detections,
      crops,
      meshes,
    }, { absent });
    const sought = seekFaces({ crops, meshes, images, topology: topology(), network: assets("mtcnn/") });
    const { trees } = await reproduce({ ...renders, ...views, crops, sought, table }, quietEngine(`${data}/store`));
    const paths = ["1/0.render.png", "2/0.render.png"];
    assert.deepEqual([trees.deng.paths, trees.tran.paths], [paths, paths]);
    const pairs = ["1/0.to.2/0.render.png", "2/0.to.1/0.render.png"];
    assert.deepEqual([trees.deng_views.paths, trees.tran_views.paths], [pairs, pairs]);
    // MTCNN finds no profiles; such a face is cut out by its mesh, so that no row has fewer faces
    for (const [key, by] of [["1/0", "MTCNN"], ["2/0", "the mesh"]] as const) {
      assert.equal((await trees.sought.json<SoughtFace>(`${key}.json`)).by, by);
      const pixels = async (tree: typeof trees.crops, path: string) =>
        (await decodePixels(await tree.bytes(path))).image;
      const crop = await pixels(trees.crops, `${key}.png`);
      const other = key === "1/0" ? "2/0" : "1/0";
      for (const [tree, views] of [[trees.deng, trees.deng_views], [trees.tran, trees.tran_views]] as const) {
        const own = await pixels(tree, `${key}.render.png`);
        const shared = await pixels(views, `${other}.to.${key}.render.png`);
        const changed = ({ data }: typeof own) =>
          data.filter((value, i) => Math.abs(value - crop.data[i]!) > 8).length / data.length;
        for (const share of [changed(own), changed(shared)]) {
          assert.ok(share > 0.05 && share < 0.95, `${key}: ${share} of the crop is drawn over`);
        }
        assert.notDeepEqual(shared.data, own.data, "in the colours of the other view");
      }
    }
    const csv = await trees.table.text("table1.csv");
    assert.match(csv, /masked,Deng \(authors' network\),2,0\.\d+/);
    assert.match(csv, /masked,Tran \(authors' network\),2,0\.\d+/);
    assert.match(csv, /masked,DECA \(authors' network\),0,,/);
    const text = await trees.table.text("table1.md");
    assert.match(text, /absent: DECA \(authors' network\): deca\/deca\\_model\.tar, .*by Max Planck/);
    assert.match(text, /; Chen, detailed \(authors' network\): chen/);
  } finally {
    await Deno.remove(data, { recursive: true });
  }
});
