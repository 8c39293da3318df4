import assert from "node:assert/strict";
import {
  diffRuns,
  findRun,
  gc,
  listRuns,
  pick,
  publish,
  publishRun,
  reproduce,
  sourceFolder,
  timelinePage,
  timelineText,
} from "../../pipeline/mod.ts";
import { type Lab, openLab, textStages } from "./lab.ts";

const text = (bytes: Uint8Array | null) => bytes === null ? null : new TextDecoder().decode(bytes);

/** Runs the graph with some parameters; returns the run's id. */
async function run(lab: Lab, { suffix = "", extra = false, about = "reproduce", fresh = true } = {}): Promise<string> {
  const { upper, total } = textStages();
  const texts = upper({ texts: sourceFolder(lab.source) }, { suffix });
  const whole = total({ texts });
  const targets = extra
    ? { whole, part: pick(texts, ["sub/"]), other: total({ texts: pick(texts, ["sub/"]) }) }
    : { whole };
  const facts = { commit: "abc", adapter: "llvmpipe" };
  const options = lab.options({ about: { command: about }, ...(fresh ? { facts } : {}) });
  const made: { run: string | null } = await reproduce(targets, options);
  return made.run ?? "";
}

Deno.test("runs are listed newest first, with what is known of the machine; a damaged record is left out", async () => {
  using lab = openLab();
  lab.put({ "sub/a.txt": "a" });
  const store = `${lab.root}/store`;
  assert.throws(() => findRun("latest", { store }), /there is no store/);
  const ids = [await run(lab), await run(lab, { about: "table1", fresh: false }), await run(lab, { suffix: "!" })];
  const runs = listRuns({ store });
  assert.deepEqual(runs.map(({ id }) => id), ids.toReversed());
  assert.deepEqual(runs.map(({ about }) => about?.command), ["reproduce", "table1", "reproduce"]);
  assert.deepEqual(runs.map(({ facts }) => facts?.commit), ["abc", "abc", "abc"]);
  assert.deepEqual(runs.map(({ summary }) => summary.executed), [2, 0, 2]);
  for (const broken of ["", "{", "null", "[]", '{"id":"x"}']) {
    Deno.writeTextFileSync(`${store}/runs/${ids[1]}.json`, broken);
    assert.deepEqual(listRuns({ store }).map(({ id }) => id), [ids[2], ids[0]], broken);
  }
  assert.equal(findRun("latest", { store }).id, ids[2]);
  assert.equal(findRun(ids[0]!, { store }).id, ids[0]);
  assert.equal(findRun(ids[0]!.slice(-8), { store }).id, ids[0]);
  assert.equal(findRun("1", { store }).id, ids[0]);
  assert.equal(findRun("000003", { store }).id, ids[2]);
  assert.throws(() => findRun("0000", { store }), /"0000" means 2 runs: /);
  assert.throws(() => findRun("2", { store }), /there is no run "2"/, "its record is damaged");
  assert.throws(() => findRun(`${ids[0]!.slice(0, -1)}_`, { store }), new RegExp(`did you mean "${ids[0]}"\\?`));
  assert.throws(() => findRun("x", { store }), /there is no run "x"; "runs" lists them/);
});

Deno.test("two runs differ by stage in explain's words, by results, and by the files that are asked for", async () => {
  using lab = openLab();
  lab.put({ "sub/a.txt": "a", "b.txt": "b" });
  const store = `${lab.root}/store`;
  const first = await run(lab, { extra: true });
  lab.put({ "b.txt": "B" });
  const second = await run(lab, { extra: true });
  lab.code = "code 2";
  const third = await run(lab, { suffix: "!" });
  const diff = (before: string, after: string) =>
    diffRuns({ before: findRun(before, { store }), after: findRun(after, { store }) }, {
      store,
      files: ["total.json"],
    });
  assert.deepEqual(await diff(first, first), { stages: [], same: 3, files: [] });
  const inputs = await diff(first, second);
  assert.deepEqual(inputs, {
    stages: [
      { label: "upper", change: "changed", reasons: ["input texts: 1 of 2 files changed (b.txt)"], output: null },
    ],
    same: 2,
    files: [],
  });
  const { stages, same, files } = await diff(second, third);
  assert.equal(same, 0);
  assert.deepEqual(stages, [
    {
      label: "upper",
      change: "changed",
      reasons: ["code: stage.ts changed", 'param suffix: "" → "!"'],
      output: "2 of 2 files changed (b.up.txt, sub/a.up.txt)",
    },
    {
      label: "total",
      change: "changed",
      reasons: ["code: stage.ts changed", "input texts: 2 of 2 files changed (b.up.txt, sub/a.up.txt)"],
      output: "1 of 1 files changed (total.json)",
    },
    { label: "total-2", change: "gone", reasons: [], output: null },
  ]);
  assert.deepEqual(files.map(({ target, path, before, after }) => [target, path, text(before), text(after)]), [
    ["whole", "total.json", '{"skipped":{},"texts":["B","A"]}', '{"skipped":{},"texts":["B!","A!"]}'],
    ["other", "total.json", '{"skipped":{},"texts":["A"]}', null],
  ]);
});

Deno.test("an old run's results are published again, parts as parts; one that gc emptied is refused", async () => {
  using lab = openLab();
  lab.put({ "sub/a.txt": "a", "b.txt": "b" });
  const [store, out] = [`${lab.root}/store`, `${lab.root}/out`];
  const old = await run(lab, { extra: true });
  await run(lab, { suffix: "!" });
  const folderOf = (target: string) => `${out}/${target}`;
  const done = await publishRun(findRun(old, { store }), { store, folderOf });
  assert.deepEqual(Object.keys(done), ["whole", "part", "other"]);
  assert.deepEqual(done.part?.written, ["sub/a.up.txt"]);
  assert.equal(Deno.readTextFileSync(`${out}/part/sub/a.up.txt`), "A");
  const next = await publishRun(findRun("latest", { store }), { store, folderOf });
  assert.deepEqual(next.whole?.written, ["total.json"]);
  await gc({ store, runs: 1, graceMs: 0 });
  Deno.removeSync(out, { recursive: true });
  await assert.rejects(
    publishRun(findRun(old, { store }), { store, folderOf }),
    /the store no longer has "whole", so nothing was published/,
  );
  assert.throws(() => Deno.statSync(out), Deno.errors.NotFound);
});

Deno.test("a run's timeline: worked, waited, memory and log of each stage, as text and as a page", async () => {
  using lab = openLab();
  lab.put({ "a.txt": "a" });
  await run(lab);
  const record = findRun("latest", { store: `${lab.root}/store` });
  const waited = { inputs: 10, gpu: 40, others: 0, cores: 0 };
  const report = { total: 3, executed: 2, cached: 1, skipped: 0, seconds: 50, waited, peakMemory: 312_400_000 };
  const made = {
    ...record,
    summary: { ...record.summary, seconds: 100, stages: { train: report, "a<b": { ...report, total: 1 } } },
    timeline: {
      train: { spans: [[50, 60], [60, 100]] as const, log: ["step 1 <of> 2"] },
      "a<b": { spans: [[0, 1]] as const, log: [] },
      lost: { spans: [], log: [] },
    },
  };
  const shown = timelineText(made, { facts: [["machine", "llvmpipe"]] });
  const lines = shown.split("\n");
  assert.match(shown, /^Run 0.*\n {2}result {3}done in 1m 40s: 2 executed, 0 cached\n/);
  assert.match(shown, /\n {2}machine {2}llvmpipe\n/);
  const [first, second] = lines.filter((line) => line.includes("█"));
  assert.match(first!, /^a<b /);
  assert.equal(
    second,
    `train  ${" ".repeat(4)}${"·".repeat(16)}${"█".repeat(20)}  50.0 s  312 MB  2 of 3  40.0 s for the GPU`,
  );
  assert.match(shown, /\ntrain: step 1 <of> 2\n$/);
  const page = timelinePage(made, { facts: [["machine", "llvmpipe"]] });
  assert.match(page, /<td>a&#60;b<\/td>/);
  assert.match(page, /<rect x="100\.0" width="900\.0" height="10" fill="#bcd"\/><rect x="500\.0" width="100\.0"/);
  assert.match(page, /<details><summary>train<\/summary><pre>step 1 &#60;of&#62; 2<\/pre>/);
  assert.doesNotMatch(page, /<script|https?:|src=/);
  const { timeline: _, ...earlier } = record;
  assert.match(timelineText(earlier), /^Run/, "a record of an earlier version has none");
});

Deno.test("publishing an old run removes what the newer one's targets made in addition", async () => {
  using lab = openLab();
  lab.put({ "a.txt": "a" });
  const [store, out] = [`${lab.root}/store`, `${lab.root}/out`];
  const { upper } = textStages();
  const make = async () => {
    const { trees, run } = await reproduce({ texts: upper({ texts: sourceFolder(lab.source) }) }, lab.options());
    await publish(trees.texts, out, { remember: { store, target: "texts" } });
    return run ?? "";
  };
  const old = await make();
  lab.put({ "b.txt": "b" });
  await make();
  const { texts } = await publishRun(findRun(old, { store }), { store, folderOf: () => out });
  assert.deepEqual([texts?.written, texts?.removed], [[], ["b.up.txt"]]);
});
