import assert from "node:assert/strict";
import { calledFrom, namedFrom } from "../../commands/called_from.ts";
import { withScratch } from "../stages/scratch.ts";

Deno.test("names are those of the folder that a person is in, but where all that is found lies in the project's", () =>
  withScratch(async ({ folder, write }) => {
    const before = Deno.env.get("INIT_CWD");
    await write("mine.jpg", "");
    try {
      Deno.env.set("INIT_CWD", folder);
      const project = Deno.cwd();
      assert.equal(calledFrom(["mine.jpg"]), folder);
      assert.equal(calledFrom(["absent.jpg"]), folder);
      assert.equal(calledFrom(["-", "/absolute.jpg"]), folder);
      assert.equal(calledFrom(["deno.json"]), project);
      // one name that lies in the project does not move the others there
      assert.equal(calledFrom(["deno.json", "mine.jpg"]), folder);
    } finally {
      if (before === undefined) Deno.env.delete("INIT_CWD");
      else Deno.env.set("INIT_CWD", before);
    }
  }));

Deno.test("a folder that a person names lies where the person is; the usual one in the project", () => {
  assert.equal(namedFrom("/person", "store", { usual: ".ftim" }), "/person/store");
  assert.equal(namedFrom("/person", "/elsewhere", { usual: ".ftim" }), "/elsewhere");
  assert.equal(namedFrom("/person", ".ftim", { usual: ".ftim" }), ".ftim");
});
