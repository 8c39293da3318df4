/** Work on the GPU that fails without an exception fails its stage by name, wherever stages run. */
import assert from "node:assert/strict";
import * as library from "../../mod.ts";
import { cast, type Options, reproduce, silentReporter, sourceFolder, StageError } from "@ftim/pipeline";
import { engineOptions } from "../../commands/common.ts";
import { quietEngine } from "../engine.ts";
import { withScratch } from "../stages/scratch.ts";
import { copy } from "./faulty_copy.ts";

const ENGINES: Readonly<Record<string, (store: string) => Options>> = {
  "a command's engine": (store) => ({ ...engineOptions({ store }), reporter: silentReporter() }),
  "the tests' engine": quietEngine,
};

for (const [name, engine] of Object.entries(ENGINES)) {
  Deno.test(`${name}: a buffer that is too large, and memory that has run out, are the stage's failures`, () =>
    withScratch(async ({ folder, write }) => {
      for (const [item, message] of [["large", /GPU work failed in copy: /], ["full", /not enough memory left/]]) {
        await write(`${item}/${item}.txt`, "text");
        const made = copy({ texts: cast(sourceFolder(`${folder}/${item}`), "texts") });
        await assert.rejects(reproduce({ made }, engine(`${folder}/../store`)), (error) => {
          assert.ok(error instanceof StageError);
          assert.deepEqual([error.stage, error.items], ["copy", [item]]);
          assert.match(error.message, message as RegExp);
          return true;
        });
      }
      await write("sound/sound.txt", "text");
      const sound = copy({ texts: cast(sourceFolder(`${folder}/sound`), "texts") });
      assert.equal((await reproduce({ sound }, engine(`${folder}/../store`))).summary.executed, 1);
    }));
}

Deno.test("users of mod.ts have the check without asking for it", () =>
  withScratch(async ({ folder, write }) => {
    await write("large/large.txt", "text");
    const made = copy({ texts: cast(sourceFolder(`${folder}/large`), "texts") });
    const options = { store: `${folder}/../store`, reporter: silentReporter() };
    await assert.rejects(library.reproduce({ made }, options), /stage "copy" \(item large\): GPU work failed in copy/);
  }));

Deno.test("the scratch of tests asks the GPU", () =>
  withScratch(async ({ folder, write, run }) => {
    await write("large/large.txt", "text");
    const made = copy({ texts: cast(sourceFolder(`${folder}/large`), "texts") });
    await assert.rejects(run({ made }), /stage "copy" \(item large\): GPU work failed in copy/);
  }));
