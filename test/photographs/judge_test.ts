import assert from "node:assert/strict";
import { faultOfCount } from "./judge.ts";
import { KINDS } from "./variants.ts";

Deno.test("a detector that finds nothing, or one face of two, is wrong about whole portraits alone", () => {
  const blind = { faces: 2, found: null, reason: "no face was found" };
  assert.match(faultOfCount({ ...blind, whole: true })!, /^0 of 2 upright, undamaged faces found: no face was found$/);
  assert.match(faultOfCount({ ...blind, whole: true, found: 1 })!, /^1 of 2 upright, undamaged faces found$/);
  assert.equal(faultOfCount({ ...blind, whole: true, found: 2 }), null);
  assert.equal(faultOfCount({ ...blind, whole: false }), null);
  assert.equal(faultOfCount({ ...blind, whole: false, reason: undefined }), "neither a result nor a reason");
});

Deno.test("a third of the inputs at least are whole portraits, and 300 there are in all", () => {
  const kinds = Object.values(KINDS);
  const sum = (some: typeof kinds) => some.reduce((sum, { count }) => sum + count, 0);
  assert.equal(sum(kinds), 300);
  assert.ok(sum(kinds.filter(({ whole }) => whole)) >= 100);
});
