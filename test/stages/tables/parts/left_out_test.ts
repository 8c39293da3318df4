import assert from "node:assert/strict";
import { leftOutCsv, leftOutNotes, leftOutOf } from "../../../../stages/tables/parts/left_out.ts";

const reasons = (record: Record<string, string>) => new Map(Object.entries(record));

Deno.test("what no row has is listed once, before what single rows lack; the first reason stays", () => {
  const list = leftOutOf({
    skipped: [reasons({ a: "a: no face" }), reasons({ a: "later", b: "torn" })],
    candidates: ["c/0", "d/0", "e/0"],
    rows: [
      { label: "one", scored: new Set(["c/0"]), reasons: [reasons({ "e/0": "lost" })] },
      { label: "two", scored: new Set(["c/0", "d/0"]), reasons: [] },
    ],
    otherwise: "nobody knows",
  });
  assert.deepEqual(list, [
    { what: "a", row: null, reason: "no face" },
    { what: "b", row: null, reason: "torn" },
    { what: "e/0", row: null, reason: "lost" },
    { what: "d/0", row: "one", reason: "nobody knows" },
  ]);
});

Deno.test("notes name five and count the rest", () => {
  const list = Array.from({ length: 7 }, (_, i) => ({ what: `p${i}`, row: null, reason: "dark" }));
  const [note, ...rest] = leftOutNotes(list, { file: "left_out.csv" });
  assert.match(note!, /^Left out, 7: p0 \(dark\); .*p4 \(dark\); and 2 more, see left_out\.csv\.$/);
  assert.deepEqual(rest, []);
  assert.deepEqual(leftOutNotes([], { file: "left_out.csv" }), []);
});

Deno.test("leftOutCsv() has a line for each, and the head alone for none", () => {
  const list = [{ what: "a", row: null, reason: "dark, and far" }, { what: "b → c", row: "one", reason: "lost" }];
  assert.equal(leftOutCsv(list), 'what,row,reason\na,all,"dark, and far"\nb → c,one,lost\n');
  assert.equal(leftOutCsv([]), "what,row,reason\n");
});
