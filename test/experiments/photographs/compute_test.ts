import assert from "node:assert/strict";
import { computeAll } from "../../../experiments/photographs/compute.ts";
import { openGpu } from "@ftim/gpu/device";
import { silentReporter } from "@ftim/pipeline";
import { asset } from "../../assets.ts";
import { quietEngine } from "../../engine.ts";
import { withScratch } from "../../stages/scratch.ts";

Deno.test("a photograph that makes a run fail does not keep the others from their result", () =>
  withScratch(async ({ folder, write }) => {
    await write("decoy.jpg", await asset("decoy/poisson_example.jpg"));
    await Deno.mkdir(`${folder}/work`);
    const photos = ["gone", "decoy"].map((key) => ({ key, extension: "jpg", path: `${folder}/${key}.jpg` }));
    const engine = quietEngine(`${folder}/../store`);
    const trained = () => Promise.reject(new Error("there is no face to need it"));
    const computed = await computeAll(photos, { work: `${folder}/work`, size: 256, engine, trained });
    const [gone, decoy] = ["gone", "decoy"].map((key) => computed.get(key));
    assert.ok(gone instanceof Error && /not there/.test(gone.message));
    assert.ok(decoy !== undefined && !(decoy instanceof Error));
    assert.deepEqual(decoy.found.images.paths, ["decoy.json", "decoy.png"]);
    assert.equal(decoy.made, null);
  }));

Deno.test("the GPU is asked after each call of a stage, though the engine was given no check", () =>
  withScratch(async ({ folder, write }) => {
    await write("decoy.jpg", await asset("decoy/poisson_example.jpg"));
    await Deno.mkdir(`${folder}/work`);
    const gpu = await openGpu();
    const { assertHealthy } = gpu;
    const asked = new Set<string>();
    const noted = (where: string) => assertHealthy(where).finally(() => asked.add(where));
    const engine = { store: `${folder}/../store`, reporter: silentReporter() };
    const photos = [{ key: "decoy", extension: "jpg", path: `${folder}/decoy.jpg` }];
    const trained = () => Promise.reject(new Error("there is no face to need it"));
    Object.assign(gpu, { assertHealthy: noted });
    try {
      await computeAll(photos, { work: `${folder}/work`, engine, trained, size: 256 });
    } finally {
      Object.assign(gpu, { assertHealthy });
    }
    // Of a photograph without a lens to correct, the stage's own code does not ask.
    assert.ok(asked.has("import"), `${[...asked]}`);
  }));

Deno.test("what is no photograph's fault is tried with two of them alone, and fails all", () =>
  withScratch(async ({ folder, write }) => {
    await Deno.mkdir(`${folder}/work`);
    await write("decoy.jpg", await asset("decoy/poisson_example.jpg"));
    const photos = ["a", "b", "c", "d"].map((key) => ({ key, extension: "jpg", path: `${folder}/decoy.jpg` }));
    let runs = 0;
    const codeDigests = () => {
      runs++;
      return Promise.reject(new Error("no stage can be found"));
    };
    const engine = { ...quietEngine(`${folder}/../store`), codeDigests };
    const trained = () => Promise.reject(new Error("there is no face to need it"));
    const computed = await computeAll(photos, { work: `${folder}/work`, size: 256, engine, trained });
    assert.deepEqual([...computed.keys()], ["a", "b", "c", "d"]);
    for (const result of computed.values()) assert.match(`${result}`, /no stage can be found/);
    assert.equal(runs, 3);
  }));
