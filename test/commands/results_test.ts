import assert from "node:assert/strict";
import { gunzipSync } from "node:zlib";
import { publishTargets, writeCrate, writeTimeline } from "../../commands/results.ts";
import { defineStage, reproduce, sha256, silentReporter } from "@ftim/pipeline";

const table = defineStage({
  name: "table",
  module: import.meta.url,
  inputs: {},
  output: "table",
  determinism: "bitwise",
  run: ({ out }) => out.write("a.txt", "a"),
});

Deno.test("results: full-size targets apart, a page of where the time went, a crate that is kept", async () => {
  const root = Deno.makeTempDirSync();
  try {
    const place = { store: `${root}/store`, results: `${root}/results`, experiment: "embedded" } as const;
    const engine = { store: place.store, reporter: silentReporter() };
    const { trees, run } = await reproduce({ table1: table({}), report: table({}) }, engine);
    assert.equal(await publishTargets(trees, place), 2);
    await writeTimeline(run ?? "", place);
    const folder = `${root}/results/embedded`;
    assert.deepEqual([...Deno.readDirSync(`${folder}/full`)].map(({ name }) => name).sort(), ["a.txt", "run.html"]);
    assert.match(Deno.readTextFileSync(`${folder}/full/run.html`), new RegExp(`<h1>Run ${run}</h1>[^]*<td>table</td>`));
    const file = "table2-ro-crate-metadata.json";
    await writeCrate(file, { ...place, changed: false });
    const crate = gunzipSync(Deno.readFileSync(`${folder}/${file}.gz`)).toString();
    assert.ok(crate.includes(`#run-${run}`));
    const later = await reproduce({ table1: table({}) }, engine);
    await writeCrate(file, { ...place, changed: false });
    assert.equal(gunzipSync(Deno.readFileSync(`${folder}/${file}.gz`)).toString(), crate);
    await writeCrate(file, { ...place, changed: true });
    assert.ok(gunzipSync(Deno.readFileSync(`${folder}/${file}.gz`)).toString().includes(`#run-${later.run}`));
    await writeCrate(file, { ...place, ...(run === null ? {} : { run }), changed: true });
    assert.ok(gunzipSync(Deno.readFileSync(`${folder}/${file}.gz`)).toString().includes(`#run-${run}`));
  } finally {
    Deno.removeSync(root, { recursive: true });
  }
});

Deno.test("the hash of the trained networks is published beside them, as sha256sum writes it", async () => {
  const root = Deno.makeTempDirSync();
  const pack = defineStage({
    name: "pack",
    module: import.meta.url,
    inputs: {},
    output: "trained",
    determinism: "bitwise",
    run: ({ out }) => out.write("trained.safetensors", "weights"),
  });
  try {
    const place = { store: `${root}/store`, results: `${root}/results`, experiment: "embedded" } as const;
    const { trees } = await reproduce({ trained: pack({}) }, { store: place.store, reporter: silentReporter() });
    await publishTargets(trees, place);
    const text = Deno.readTextFileSync(`${root}/results/embedded/trained.sha256`);
    assert.equal(text, `${sha256("weights")}  trained.safetensors\n`);
  } finally {
    Deno.removeSync(root, { recursive: true });
  }
});
