import assert from "node:assert/strict";
import { folderOf, namedBy, nameOf } from "../../commands/common.ts";

Deno.test("results of the second sets never lie where published ones do, and a name says whose they are", () => {
  const embedded = "embedded" as const;
  const all = [
    { experiment: "paper" as const },
    { experiment: embedded },
    { experiment: embedded, sets: "second" as const },
    { experiment: embedded, sets: "second" as const, on: "validation" as const },
  ];
  const names = all.map(nameOf);
  assert.deepEqual(names, ["paper", "embedded", "embedded-second", "embedded-second-validation"]);
  assert.deepEqual(names.map(namedBy), all);
  assert.equal(nameOf({ experiment: embedded, sets: "first" }), embedded);
  assert.equal(folderOf({ results: "r", experiment: embedded, sets: "second", on: "test" }), "r/embedded-second");
  assert.throws(() => nameOf({ experiment: embedded, on: "validation" }), /--on is of --sets second alone/);
});
