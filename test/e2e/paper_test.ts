/**
 * The experiment `paper` from a folder laid out as data.lock asks, with what can be had in place of what is licensed:
 * captures that `synthesize` casts from packaged photographs, in FaceScape's layout, packaged photographs for CelebA's,
 * and drawn weights for VGG-19's, in torchvision's format. It shows that the path runs, from the folder to a trained
 * network and its textures, and nothing of how well.
 */
import assert from "node:assert/strict";
import { findFaces, STRICT, topology } from "../../experiments/faces.ts";
import { paper } from "../../experiments/paper.ts";
import { safetensorsMetadata } from "../../nets/safetensors.ts";
import { pick, publish, reproduce } from "@ftim/pipeline";
import { assets } from "../../stages/data/fetch.ts";
import { fitMorphableModel } from "../../stages/geometry/fit_morphable.ts";
import { importPhotographs } from "../../stages/data/import.ts";
import { synthesize } from "../../stages/synthetic/synthesize.ts";
import { unwrapTextures } from "../../stages/geometry/unwrap.ts";
import { quietEngine } from "../engine.ts";
import { oldTorchArchive } from "../nets/files/torch_writer.ts";
import { drawnVgg19 } from "../nets/vgg19_weights.ts";

const PHOTOGRAPHS = 3;

/** Fills the data folder. */
async function fill(data: string, options: Parameters<typeof reproduce>[1]): Promise<void> {
  const { images, crops, meshes } = findFaces(importPhotographs(assets("train/")), { keep: "largest" });
  const unwrapped = unwrapTextures({ crops, meshes, topology: topology() }, STRICT);
  const model = fitMorphableModel({ crops, meshes, unwrapped, topology: topology() });
  const made = synthesize({ images, crops, meshes, model, topology: topology() }, { identities: 4, expressions: 1 });
  const { trees } = await reproduce({ captures: pick(made, ["captures/"]), photographs: assets("test/") }, options);
  await publish(trees.captures, `${data}/facescape`);
  await Deno.rename(`${data}/facescape/captures`, `${data}/facescape/images`);
  await Deno.mkdir(`${data}/celeba/img_align_celeba`, { recursive: true });
  const names = trees.photographs.paths.slice(0, PHOTOGRAPHS).map((path, i) => [path, `00000${i + 1}.jpg`] as const);
  for (const [path, name] of names) {
    await Deno.writeFile(`${data}/celeba/img_align_celeba/${name}`, await trees.photographs.bytes(path));
  }
  const list = names.map(([, name]) => `${name} 2\n`).join("");
  await Deno.writeTextFile(`${data}/celeba/list_eval_partition.txt`, list);
  await Deno.mkdir(`${data}/vgg19`);
  await Deno.writeFile(`${data}/vgg19/vgg19-dcbb9e9d.pth`, oldTorchArchive(drawnVgg19()));
}

Deno.test("paper trains through VGG-19 on a folder in FaceScape's layout and completes CelebA's faces", async () => {
  const root = await Deno.makeTempDir({ prefix: "ftim-paper-" });
  const options = quietEngine(`${root}/store`);
  try {
    await fill(`${root}/data`, options);
    const { ours, trained, losses } = paper({ data: `${root}/data`, triplets: 2, steps: 2 });
    const { trees } = await reproduce({ ours, trained, losses }, options);
    assert.equal(trees.ours.paths.filter((path) => path.endsWith(".texture.png")).length, PHOTOGRAPHS);
    const network = await trees.trained.bytes("trained.safetensors");
    assert.ok(JSON.parse(safetensorsMetadata(network).shape!).codeLength >= 3);
    const [names, ...steps] = (await trees.losses.text("losses.csv")).trim().split("\n").map((line) => line.split(","));
    const mrf = steps.map((step) => Number(step[names!.indexOf("mrf")]));
    assert.equal(mrf.length, 2);
    assert.ok(mrf.every((value) => value > 0 && Number.isFinite(value)), `${mrf}`);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});
