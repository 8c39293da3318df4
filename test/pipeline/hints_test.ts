import assert from "node:assert/strict";
import { defineStage, reproduce, sourceFolder } from "../../pipeline/mod.ts";
import { openLab } from "./lab.ts";

/** A stage that adds a line to its hints at each run and tells what it found there. */
function remembering(name = "speed") {
  const found: unknown[] = [];
  const stage = defineStage({
    name: "remembering",
    module: import.meta.url,
    inputs: { texts: "folder" },
    output: "texts",
    determinism: "bitwise",
    run: async ({ inputs, out, hints }) => {
      const record = hints(name);
      const known = record.read();
      found.push(known);
      record.write([...Array.isArray(known) ? known : [], "fast"]);
      out.write("all.txt", await inputs.texts.text("a.txt"));
    },
  });
  return { stage, found };
}

Deno.test("hints outlive the run and the code, and no key knows them", async () => {
  using lab = openLab();
  lab.put({ "a.txt": "a" });
  const { stage, found } = remembering();
  const run = () => reproduce({ all: stage({ texts: sourceFolder(lab.source) }) }, lab.options());
  await run();
  lab.code = "code 2";
  await run();
  assert.deepEqual(found, [null, ["fast"]]);
  assert.equal((await run()).summary.executed, 0);
});

Deno.test("damaged or lost hints are no hints; a name that is no name is refused", async () => {
  using lab = openLab();
  const { stage, found } = remembering();
  const run = async (text: string) => {
    lab.put({ "a.txt": text });
    await reproduce({ all: stage({ texts: sourceFolder(lab.source) }) }, lab.options());
  };
  await run("1");
  Deno.writeTextFileSync(`${lab.root}/store/hints/speed.json`, '["fas');
  await run("2");
  Deno.removeSync(`${lab.root}/store/hints/speed.json`);
  await run("3");
  await run("4");
  assert.deepEqual(found, [null, null, null, ["fast"]]);
  lab.put({ "a.txt": "5" });
  const outside = remembering("../speed");
  await assert.rejects(
    reproduce({ all: outside.stage({ texts: sourceFolder(lab.source) }) }, lab.options()),
    /"\.\.\/speed" cannot name hints/,
  );
});
