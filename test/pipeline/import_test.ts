import assert from "node:assert/strict";
import { defineStage, exportRun, importRun, reproduce } from "../../pipeline/mod.ts";
import { openLab } from "./lab.ts";

Deno.test("an import does not replace a whole result of the same key, but one that has lost a file", async () => {
  using lab = openLab();
  let count = 0;
  const drawn = defineStage({
    name: "drawn",
    module: import.meta.url,
    inputs: {},
    output: "out",
    determinism: "seeded",
    run: ({ out }) => out.write("a.txt", `draw ${++count}`),
  });
  const run = async (force: readonly string[] = []) => {
    const { trees } = await reproduce({ out: drawn({}) }, lab.options({ force }));
    return { text: await trees.out.text("a.txt"), sha: trees.out.entry("a.txt").sha256 };
  };
  const store = `${lab.root}/store`;
  const tar = `${lab.root}/run.tar`;
  await run();
  await exportRun(tar, { store });
  const { text, sha } = await run(["drawn"]);
  assert.equal(text, "draw 2");
  await importRun(tar, { store });
  assert.equal((await run()).text, "draw 2");
  Deno.removeSync(`${store}/store/sha256/${sha.slice(0, 2)}/${sha}`);
  await importRun(tar, { store });
  assert.equal((await run()).text, "draw 1");
  assert.equal(count, 2);
});
