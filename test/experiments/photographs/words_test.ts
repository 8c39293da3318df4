import assert from "node:assert/strict";
import { defineStage, PipelineError, reproduce, StageError } from "@ftim/pipeline";
import { peopleReporter } from "../../../experiments/photographs/progress.ts";
import { activityOf, plainReason } from "../../../experiments/photographs/words.ts";
import { facesIn, freeFaces, person, photograph, recognised, unpacked } from "../../../experiments/photograph.ts";
import { graphOf, sourceFile, sourceFolder } from "@ftim/pipeline";
import { withScratch } from "../../stages/scratch.ts";

Deno.test("every stage that a photograph goes through has words for what it does", () => {
  const source = sourceFolder("photographs");
  const trained = unpacked(sourceFile("trained.safetensors"));
  const graphs = [
    graphOf({ ...facesIn(source), ...photograph(source, trained) }),
    graphOf({ ...person(source, trained), recognised: recognised(freeFaces(source, trained)) }),
  ];
  for (const { kind, label } of graphs.flat()) {
    if (kind === "stage") assert.notEqual(activityOf(label), "computing", label);
  }
});

Deno.test("no message names a stage or an item, or shows a stack", () => {
  const inner = new StageError("detect-2", "threw: no memory\n    at run (file.ts:1:2)", { items: ["a1b2", "c3"] });
  assert.equal(plainReason(inner), "it failed while looking for faces: threw: no memory");
  assert.equal(plainReason(new PipelineError('stage "mesh": was edited')), "was edited");
  assert.equal(plainReason("odd"), "odd");
});

Deno.test("progress says what is being done and clears its line; without a terminal only warnings are written", () =>
  withScratch(async ({ folder }) => {
    const stage = defineStage({
      name: "detect",
      module: import.meta.url,
      inputs: { texts: "folder" },
      output: "found",
      each: ["texts"],
      determinism: "bitwise",
      run: async ({ items }) => {
        for (const { key, out } of items) {
          await new Promise((resolve) => setTimeout(resolve, 60));
          out.json(`${key}.json`, {});
        }
      },
    });
    await Deno.mkdir(`${folder}/texts`);
    for (const name of ["a", "b", "c", "d", "e"]) await Deno.writeTextFile(`${folder}/texts/${name}.txt`, name);
    const shown: string[] = [];
    const screen = { live: true, write: (text: string) => void shown.push(text), columns: () => 40 };
    const targets = { found: stage({ texts: sourceFolder(`${folder}/texts`) }) };
    const engine = { store: `${folder}/../store`, reporter: peopleReporter(screen), jobs: 1 };
    await reproduce(targets, engine);
    assert.match(shown.join(""), /looking for faces [1-4] of 5/);
    assert.ok(shown.at(-1) === "\r\x1b[K" && shown.every((text) => text.length <= 44 && !text.includes("detect")));
    const quiet: string[] = [];
    const reporter = peopleReporter({ ...screen, live: false, write: (text) => void quiet.push(text) });
    await reproduce(targets, { ...engine, reporter });
    reporter({ type: "warning", message: 'stage "mesh": slow' });
    assert.deepEqual(quiet, ["slow\n"]);
  }));
