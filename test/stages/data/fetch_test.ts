import assert from "node:assert/strict";
import { asset, assetFolder, assets, isPresent } from "../../../stages/data/fetch.ts";
import { asset as bytesOf } from "../../assets.ts";
import { withScratch } from "../scratch.ts";

Deno.test("assets makes packaged files a tree by id, equal to the bytes that tests read", () =>
  withScratch(async ({ run }) => {
    const { trees: { decoys, one } } = await run({ decoys: assets("decoy/"), one: asset("models/facemeshcoords.ts") });
    assert.deepEqual(decoys.paths, ["decoy/ironman.jpg", "decoy/poisson_example.jpg"]);
    assert.deepEqual(one.paths, ["models/facemeshcoords.ts"]);
    for (const path of decoys.paths) assert.deepEqual(await decoys.bytes(path), await bytesOf(path));
    const again = await run({ decoys: assets(decoys.paths) });
    assert.equal(again.summary.executed, 0);
  }));

Deno.test("an unknown id is refused at once, with the nearest one", () => {
  assert.throws(
    () => asset("models/facemesh.bim"),
    /data\.lock has no "models\/facemesh\.bim"; did you mean "models\/facemesh\.bin"\?/,
  );
  assert.throws(() => assets("tset/"), /data\.lock has nothing under "tset\/".*models\/, train\/, held\/, test\//);
  assert.throws(
    () => assets(["test/sample1.jpg", "test/sample7.jpg"]),
    /no "test\/sample7\.jpg"; did you mean "test\/sample/,
  );
});

Deno.test("an absent gated file is an error only when it is needed", () =>
  withScratch(async ({ folder, run }) => {
    const dataFolder = `${folder}/none`;
    assert.equal(isPresent("paper/vgg19/vgg19_relu4_2.safetensors", { dataFolder }), false);
    assert.equal(isPresent("models/facemesh.bin"), true);
    const network = asset("paper/vgg19/vgg19_relu4_2.safetensors", { dataFolder });
    await assert.rejects(
      run({ network }),
      /is not there: .*none\/vgg19\/vgg19_relu4_2\.safetensors[^]*who grants it: [^]*without it: /,
    );
    const images = assetFolder("paper/facescape/images/", { dataFolder });
    await assert.rejects(run({ images }), /is not there: .*none\/facescape\/images/);
  }));

Deno.test("a gated file and folder that are there become inputs, and a changed file a new one", () =>
  withScratch(async ({ folder, run, write }) => {
    const options = { dataFolder: folder };
    await write("vgg19/vgg19_relu4_2.safetensors", "one");
    await write("celeba/img_align_celeba/000001.jpg", "photo");
    const id = "paper/vgg19/vgg19_relu4_2.safetensors";
    const { trees } = await run({
      network: asset(id, options),
      images: assetFolder("paper/celeba/img_align_celeba/", options),
    });
    assert.equal(await trees.network.text(id), "one");
    assert.deepEqual(trees.images.paths, ["000001.jpg"]);
    await write("vgg19/vgg19_relu4_2.safetensors", "two");
    const { trees: { network } } = await run({ network: asset(id, options) });
    assert.equal(await network.text(id), "two");
  }));
