import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import {
  cast,
  type Crate,
  crateOf,
  defineStage,
  pick,
  provenanceText,
  publish,
  reproduce,
  sourceFolder,
} from "../../pipeline/mod.ts";
import { type Lab, openLab, textStages } from "./lab.ts";

async function openRun(lab: Lab): Promise<string> {
  lab.put({ "a.txt": "a", "sub/b.txt": "b", "c.txt": "" });
  const { upper, total } = textStages();
  const texts = upper({ texts: sourceFolder(lab.source) }, { suffix: "!" });
  const facts = { adapter: "llvmpipe", commit: "abc" };
  const target = { total: total({ texts: pick(texts, ["sub/"]) }) };
  const { trees } = await reproduce(target, lab.options({ facts }));
  // a run that computes nothing asks for no facts: the crate has them from the one before
  await reproduce(target, lab.options());
  await publish(trees.total, `${lab.root}/results`);
  return `${lab.root}/store`;
}

Deno.test("provenance of a published file: its stages, parameters and inputs, through a pick", async () => {
  using lab = openLab();
  const store = await openRun(lab);
  const path = `${lab.root}/results/total.json`;
  const text = await provenanceText(path, { store });
  assert.match(text, /is total\.json of stage "total"/);
  assert.match(
    text,
    /\ntotal {2}\(20.*Z\)\n {2}code {3}[0-9a-f]{64}\n {2}input {2}texts: sub\/b\.up\.txt from upper, [0-9a-f]{64}\n/,
  );
  assert.match(
    text,
    /\nupper {2}\(20.*Z\)\n {2}params {"suffix":"!"}\n.*\n {2}input {2}texts: 3 files of the user's, [0-9a-f]{64}\n$/,
  );
  Deno.writeTextFileSync(path, "edited");
  await assert.rejects(provenanceText(path, { store }), /was not made by a stage of the store .*: it was edited, or/);
});

Deno.test("a stage that changed nothing did not make its own input", async () => {
  using lab = openLab();
  lab.put({ "a.txt": "a" });
  const copy = (name: string) =>
    defineStage({
      name,
      module: import.meta.url,
      inputs: { texts: "any" },
      output: "any",
      determinism: "bitwise",
      run: async ({ inputs: { texts }, out }) => {
        for (const path of texts.paths) out.write(path, await texts.bytes(path));
        if (name === "last") out.write("b.txt", "b");
      },
    });
  const source = cast(sourceFolder(lab.source), "any");
  const target = copy("last")({ texts: copy("second")({ texts: copy("first")({ texts: source }) }) });
  const { trees } = await reproduce({ target }, lab.options());
  await publish(trees.target, `${lab.root}/results`);
  const text = await provenanceText(`${lab.root}/results/b.txt`, { store: `${lab.root}/store` });
  assert.match(
    text,
    /\nlast [^]*from (first|second), [^]*\n(first|second) [^]*texts: a\.txt of the user's, [0-9a-f]{64}\n$/,
  );
});

Deno.test("without the store, the crate beside a file or in the folder above says how the file was made", async () => {
  using lab = openLab();
  lab.put({ "a.txt": "a", "sub/b.txt": "b", "c.txt": "" });
  const { upper, total } = textStages();
  const texts = pick(upper({ texts: sourceFolder(lab.source) }, { suffix: "!" }), ["sub/"]);
  const facts = { adapter: "llvmpipe", commit: "abc" };
  const { trees } = await reproduce({ total: total({ texts }), texts }, lab.options({ facts }));
  const [store, results] = [`${lab.root}/store`, `${lab.root}/results`];
  await publish(trees.total, `${results}/full`);
  await publish(trees.texts, results);
  const options = { store, name: "Test", description: "A test.", license: "MIT", workflow: "main.ts" };
  const crate = await crateOf({ ...options, folders: { total: "full" } });
  Deno.writeFileSync(`${results}/ro-crate-metadata.json.gz`, gzipSync(JSON.stringify(crate)));
  Deno.removeSync(store, { recursive: true });
  const text = await provenanceText(`${results}/full/total.json`, { store });
  assert.match(text, /is total\.json of stage "total", by .*ro-crate-metadata\.json\.gz\n/);
  assert.match(text, /\ntotal {2}\(20.*Z\)\n {2}code {3}[0-9a-f]{64}\n {2}input {2}texts: 1 file of stage "upper", /);
  assert.match(
    text,
    /\nupper {2}\(20.*Z\)\n {2}params suffix: !\n {2}code {3}[0-9a-f]{64}\n {2}input .* 3 files of the user's, /,
  );
  assert.ok(text.indexOf("\ntotal ") < text.indexOf("\nupper "), "users before what they read");
  assert.match(text, /\nrun {2}\(20.*Z\)\n {2}adapter llvmpipe\n {2}commit abc\n/);
  // a published part of a result, whose maker is that of the whole
  assert.match(await provenanceText(`${results}/sub/b.up.txt`, { store }), /is sub\/b\.up\.txt of stage "upper", by /);
  Deno.writeTextFileSync(`${results}/full/total.json`, "edited");
  await assert.rejects(provenanceText(`${results}/full/total.json`, { store }), /no ro-crate-metadata\.json near it/);
  Deno.writeTextFileSync(`${results}/ro-crate-metadata.json`, "nonsense");
  await assert.rejects(provenanceText(`${results}/full/total.json`, { store }), /cannot be read as an RO-Crate/);
});

/** What RO-Crate 1.1 and the run profiles require, as far as it can be checked without their tools. */
function checkCrate({ "@graph": graph }: Crate): void {
  const byId = new Map(graph.map((entity) => [entity["@id"], entity]));
  assert.equal(byId.size, graph.length, "every @id is unique");
  const visit = (value: unknown): void => {
    if (typeof value !== "object" || value === null) return;
    if ("@id" in value && Object.keys(value).length === 1) {
      const id = String(value["@id"]);
      assert.ok(byId.has(id) || /^https?:/.test(id), `${id} is described`);
    } else Object.values(value).forEach(visit);
  };
  for (const entity of graph) Object.values(entity).forEach(visit);
  const root = byId.get("./");
  for (const field of ["name", "description", "license", "datePublished"]) assert.ok(root?.[field], field);
  assert.deepEqual(byId.get("ro-crate-metadata.json")?.about, { "@id": "./" });
  for (const file of graph.filter((entity) => entity["@type"] === "File")) {
    assert.match(String(file.sha256), /^[0-9a-f]{64}$/);
    assert.match(String(file.contentSize), /^\d+$/);
  }
}

Deno.test("a run crate is whole: references described, files with hash and size, steps with their runs", async () => {
  using lab = openLab();
  const store = await openRun(lab);
  const options = { store, name: "Test", description: "A test.", license: "MIT", workflow: "main.ts" };
  const crate = await crateOf({ ...options, folders: { total: "results" } });
  checkCrate(crate);
  const ofType = (type: string) => crate["@graph"].filter((entity) => entity["@type"] === type);
  assert.deepEqual(ofType("CreateAction").map(({ name }) => name), ["Run of main.ts", "upper", "total"]);
  assert.equal(ofType("HowToStep").length, 2);
  assert.equal(ofType("ControlAction").length, 2);
  assert.ok(ofType("PropertyValue").some(({ name, value }) => name === "suffix" && value === "!"));
  assert.ok(ofType("PropertyValue").some(({ name, value }) => name === "adapter" && value === "llvmpipe"));
  const files = ofType("File").map(({ name }) => name);
  assert.deepEqual(files, ["a.txt", "c.txt", "sub/b.txt", "total.json"]);
  assert.ok(crate["@graph"].some((entity) => entity["@id"] === "results/total.json"));
});

Deno.test("a target that is a part of a result is described with those files alone", async () => {
  using lab = openLab();
  lab.put({ "a.txt": "a", "sub/b.txt": "b" });
  const texts = textStages().upper({ texts: sourceFolder(lab.source) });
  await reproduce({ whole: texts, part: pick(texts, ["sub/"]) }, lab.options());
  const store = `${lab.root}/store`;
  const options = { store, name: "Test", description: "A test.", license: "MIT", workflow: "main.ts" };
  const crate = await crateOf({ ...options, folders: { part: "part" } });
  checkCrate(crate);
  const ids = crate["@graph"].filter((entity) => entity["@type"] === "File").map((entity) => entity["@id"]);
  assert.deepEqual(ids.filter((id) => id.startsWith("part/")), ["part/sub/b.up.txt"]);
  const file = "part-ro-crate-metadata.json";
  const named = await crateOf({ ...options, file, folders: { part: "part" } });
  assert.deepEqual(named["@graph"].map((entity) => entity["@id"]).filter((id) => id.endsWith(".json")), [file]);
});
