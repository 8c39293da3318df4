import assert from "node:assert/strict";
import { z } from "zod";
import { defineStage, reproduce, sourceFolder } from "../../pipeline/mod.ts";
import { openLab } from "./lab.ts";

Deno.test("a stage gets its parameters in one order, however the caller wrote them", async () => {
  const weights = { ä: 1, b: { y: 1, x: [{ d: 1, c: 2 }] }, a: 2, 10: 3, 9: 4 };
  const same = { 9: 4, 10: 3, a: 2, b: { x: [{ c: 2, d: 1 }], y: 1 }, ä: 1 };
  const texts: string[] = [];
  for (const given of [weights, same]) {
    using lab = openLab();
    const write = defineStage({
      name: "write",
      module: import.meta.url,
      inputs: {},
      output: "out",
      determinism: "bitwise",
      params: z.strictObject({ weights: z.any() }),
      run: ({ out, params }) => out.write("a.txt", JSON.stringify(params)),
    });
    const { trees } = await reproduce({ out: write({}, { weights: given }) }, lab.options());
    texts.push(await trees.out.text("a.txt"));
  }
  assert.equal(texts[0], texts[1]);
});

interface Shared {
  readonly params: { list: number[] };
  readonly paths: string[];
  readonly skipped: Map<string, string>;
  readonly inputs: object;
}

Deno.test("what items share cannot be changed by one for the next", async () => {
  const changes: Record<string, (shared: Shared) => void> = {
    "a parameter": ({ params }) => params.list.push(1),
    "the parameters": ({ params }) => params.list = [],
    "the paths": ({ paths }) => paths.pop(),
    "what was skipped": ({ skipped }) => skipped.set("a", "because"),
    "the inputs": ({ inputs }) => Object.assign(inputs, { all: null }),
  };
  for (const [what, change] of Object.entries(changes)) {
    using lab = openLab();
    lab.put({ "a.txt": "a", "b.txt": "b" });
    const spoil = defineStage({
      name: "spoil",
      module: import.meta.url,
      inputs: { texts: "folder", all: "folder" },
      output: "out",
      each: ["texts"],
      determinism: "bitwise",
      params: z.strictObject({ list: z.array(z.number()) }),
      run: ({ items, params, inputs }) => {
        const { paths, skipped } = inputs.all;
        change({ params, paths: paths as string[], skipped: skipped as Map<string, string>, inputs });
        for (const { key, out } of items) out.json(`${key}.json`, [params.list, inputs.all.paths]);
      },
    });
    const texts = sourceFolder(lab.source);
    await assert.rejects(reproduce({ out: spoil({ texts, all: texts }, { list: [0] }) }, lab.options()), (error) => {
      assert.ok(error instanceof Error && error.cause instanceof TypeError, what);
      return true;
    }, what);
  }
});
