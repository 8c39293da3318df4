import assert from "node:assert/strict";
import { type Artifact, defineStage, pick, publish, reproduce, sourceFile, sourceFolder } from "../../pipeline/mod.ts";
import { openLab, textStages } from "./lab.ts";

Deno.test("a second run executes nothing; one changed file executes one item and what depends on it", async () => {
  using lab = openLab();
  lab.put({ "a.txt": "a", "b/c.txt": "c", "b/d.txt": "d" });
  const { ran, upper, total } = textStages();
  const texts = upper({ texts: sourceFolder(lab.source) });
  const target = { total: total({ texts }) };
  const first = await reproduce(target, lab.options());
  assert.deepEqual(await first.trees.total.json("total.json"), { texts: ["A", "C", "D"], skipped: {} });
  assert.deepEqual(ran.splice(0).sort(), ["total", "upper a", "upper b/c", "upper b/d"]);
  assert.deepEqual([first.summary.executed, first.summary.cached], [4, 0]);

  const second = await reproduce(target, lab.options());
  assert.deepEqual(ran, []);
  assert.deepEqual([second.summary.executed, second.summary.cached], [0, 4]);

  lab.put({ "b/c.txt": "changed" });
  const third = await reproduce(target, lab.options());
  assert.deepEqual(ran.splice(0), ["upper b/c", "total"]);
  assert.deepEqual([third.summary.executed, third.summary.cached], [2, 2]);
});

Deno.test("an output that comes out the same stops the recomputation", async () => {
  using lab = openLab();
  lab.put({ "a.txt": "abc" });
  const { ran, upper, total } = textStages();
  const target = { total: total({ texts: upper({ texts: sourceFolder(lab.source) }) }) };
  await reproduce(target, lab.options());
  ran.length = 0;
  lab.put({ "a.txt": "ABC" });
  await reproduce(target, lab.options());
  assert.deepEqual(ran, ["upper a"]);
});

Deno.test("a parameter reruns its stage and what depends on it, code reruns all, going back nothing", async () => {
  using lab = openLab();
  lab.put({ "a.txt": "a", "b.txt": "b" });
  const { ran, upper, total } = textStages();
  const run = async (suffix: string) => {
    await reproduce({ total: total({ texts: upper({ texts: sourceFolder(lab.source) }, { suffix }) }) }, lab.options());
    return ran.splice(0).sort();
  };
  assert.equal((await run("")).length, 3);
  assert.deepEqual(await run("!"), ["total", "upper a", "upper b"]);
  assert.deepEqual(await run(""), []);
  lab.code = "code 2";
  // outputs are the same, but the stage `total` has changed too
  assert.equal((await run("")).length, 3);
  lab.code = "code 1";
  assert.deepEqual(await run(""), []);
});

Deno.test("skipped items are counted, named downstream and part of what downstream depends on", async () => {
  using lab = openLab();
  lab.put({ "a.txt": "a", "b.txt": "" });
  const { ran, upper, total } = textStages();
  const texts = upper({ texts: sourceFolder(lab.source) });
  const { trees, summary } = await reproduce({ texts, total: total({ texts }) }, lab.options());
  assert.deepEqual(trees.texts.skipped, new Map([["b", "empty"]]));
  assert.deepEqual(await trees.total.json("total.json"), { texts: ["A"], skipped: { b: "empty" } });
  assert.equal(summary.skipped, 1);
  ran.length = 0;
  const again = await reproduce({ total: total({ texts }) }, lab.options());
  assert.deepEqual([ran, again.summary.skipped], [[], 1]);
});

Deno.test("pick: a consumer of one file does not rerun when another changes", async () => {
  using lab = openLab();
  lab.put({ "a.txt": "a", "sub/b.txt": "b" });
  const { ran, upper, total } = textStages();
  const texts = upper({ texts: sourceFolder(lab.source) });
  const target = { total: total({ texts: pick(texts, ["sub/"]) }) };
  const { trees } = await reproduce(target, lab.options());
  assert.deepEqual(await trees.total.json("total.json"), { texts: ["B"], skipped: {} });
  ran.length = 0;
  lab.put({ "a.txt": "other" });
  await reproduce(target, lab.options());
  assert.deepEqual(ran, ["upper a"]);
  await assert.rejects(reproduce({ x: pick(texts, ["nothing"]) }, lab.options()), /nothing matches "nothing"/);
});

Deno.test("equal calls are one vertex; publish writes only what differs", async () => {
  using lab = openLab();
  lab.put({ "a.txt": "a" });
  const { ran, upper } = textStages();
  const make = (): Artifact<"texts"> => upper({ texts: sourceFolder(lab.source) });
  const { trees, summary } = await reproduce({ one: make(), two: make() }, lab.options());
  assert.deepEqual(ran, ["upper a"]);
  assert.deepEqual(Object.keys(summary.stages), ["upper"]);
  const out = `${lab.root}/out`;
  assert.deepEqual((await publish(trees.one, out)).written, ["a.up.txt"]);
  assert.deepEqual((await publish(trees.two, out)).written, []);
  assert.equal(Deno.readTextFileSync(`${out}/a.up.txt`), "A");
  assert.deepEqual([...Deno.readDirSync(out)].map(({ name }) => name), ["a.up.txt"]);
});

Deno.test("kinds are checked by the compiler and at run time", () => {
  const { upper, total } = textStages();
  // @ts-expect-error a file is not a folder
  assert.throws(() => upper({ texts: sourceFile("x") }), /is of kind "file", not "folder"/);
  // @ts-expect-error the input is missing
  assert.throws(() => total({}), /input "texts" is missing/);
  // @ts-expect-error there is no such parameter
  assert.throws(() => upper({ texts: sourceFolder("x") }, { sufix: "" }), /sufix/);
});

/** A stage that goes on for so many ms after it has returned, by a forgotten `await`, and one that takes a while. */
function hastyStages(ms: number) {
  const ran: string[] = [];
  const late: Promise<unknown>[] = [];
  const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
  const hasty = defineStage({
    name: "hasty",
    module: import.meta.url,
    inputs: { texts: "folder" },
    output: "texts",
    each: ["texts"],
    determinism: "bitwise",
    run: ({ items }) => {
      for (const { key, out, skip } of items) {
        ran.push(`hasty ${key}`);
        out.write(`${key}.txt`, "in time");
        const writing = pause(ms).then(() => out.write(`${key}.late`, "late"));
        late.push(writing.catch((error: Error) => error.message));
        late.push(writing.catch(() => skip("late")).catch((error: Error) => error.message));
      }
    },
  });
  const slow = defineStage({
    name: "slow",
    module: import.meta.url,
    inputs: { texts: "texts" },
    output: "texts",
    determinism: "bitwise",
    run: async ({ out }) => {
      ran.push("slow");
      await pause(300);
      out.write("done.txt", "");
    },
  });
  return { ran, late, hasty, slow };
}

for (const [when, ms] of [["before it is recorded", 0], ["while a later stage runs", 150]] as const) {
  Deno.test(`a stage that writes after it has returned, ${when}, fails the run and is not recorded`, async () => {
    using lab = openLab();
    lab.put({ "a.txt": "a" });
    const { ran, late, hasty, slow } = hastyStages(ms);
    const targets = { slow: slow({ texts: hasty({ texts: sourceFolder(lab.source) }) }) };
    const message = /stage "hasty" \(item a\): wrote "a\.late" after it had returned: is an "await" missing\?/;
    for (let round = 0; round < 2; round++) {
      await assert.rejects(reproduce(targets, lab.options()), { name: "StageError", message });
      assert.equal(ran[0], "hasty a");
      const [wrote, skipped] = await Promise.all(late.splice(0));
      assert.match(String(wrote), message);
      assert.match(String(skipped), /skipped "a" after it had returned/);
      ran.length = 0;
    }
  });
}

Deno.test("what a stage writes after the run has ended takes its record back", async () => {
  using lab = openLab();
  lab.put({ "a.txt": "a" });
  const { ran, late, hasty } = hastyStages(300);
  const targets = { hasty: hasty({ texts: sourceFolder(lab.source) }) };
  assert.equal((await reproduce(targets, lab.options())).summary.status, "done");
  assert.match(String(await late[0]), /stage "hasty" \(item a\): wrote "a\.late" after it had returned/);
  assert.equal((await reproduce(targets, lab.options())).summary.executed, 1);
  assert.deepEqual(ran, ["hasty a", "hasty a"]);
  await Promise.all(late);
});
