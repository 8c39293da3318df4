/** What lanes of a stage hold is given up, and what they share is closed, only when and whenever all have ended. */
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { cast, defineStage, type PipelineEvent, reproduce, sourceFolder } from "../../../pipeline/mod.ts";
import { openLab } from "../lab.ts";

Deno.test("what a reporter throws ends a run, but not before the stage's other lane has ended", async () => {
  using lab = openLab();
  lab.put({ "0.txt": "0" });
  const [zero, one, working] = [0, 1, 2].map(() => Promise.withResolvers<void>());
  let [atWork, closed] = [0, false];
  const stage = (close: () => void) =>
    defineStage({
      name: "held",
      module: import.meta.url,
      inputs: { numbers: "numbers" },
      output: "numbers",
      each: ["numbers"],
      determinism: "bitwise",
      open: () => {},
      close,
      run: async ({ items }) => {
        const { key, out } = items[0]!;
        atWork++;
        working!.resolve();
        await (key === "0" ? zero : one)!.promise;
        atWork--;
        out.write(`${key}.txt`, key);
      },
    });
  const of = (close: () => void) => stage(close)({ numbers: cast(sourceFolder(lab.source), "numbers") });
  // A first run holds the item 0, for which the second waits, while it works on the item 1.
  const first = reproduce({ held: of(() => {}) }, lab.options());
  await working!.promise;
  lab.put({ "1.txt": "1" });
  const reporter = (event: PipelineEvent) => {
    if (event.type !== "wait") return;
    setTimeout(one!.resolve, 300);
    throw new Error("nobody reads this");
  };
  const close = () => {
    // the first run's call goes on
    assert.equal(atWork, 1, "closed while a lane still works");
    closed = true;
  };
  await assert.rejects(reproduce({ held: of(close) }, lab.options({ reporter, jobs: 2 })), /nobody reads this/);
  assert.ok(closed);
  zero!.resolve();
  assert.equal((await first).summary.executed, 1);
});

Deno.test("an item whose record cannot be read is given up, so that the next run need not wait for it", async () => {
  using lab = openLab();
  lab.put({ "a.txt": "a" });
  const copy = defineStage({
    name: "copy",
    module: import.meta.url,
    inputs: { texts: "texts" },
    output: "texts",
    each: ["texts"],
    determinism: "bitwise",
    run: ({ items }) => items.forEach(({ key, out }) => out.write(`${key}.txt`, key)),
  });
  const made = copy({ texts: cast(sourceFolder(lab.source), "texts") });
  const reporter = ({ type }: PipelineEvent) => {
    // after the stage's look-up, and before its item is locked
    if (type !== "start") return;
    const database = new DatabaseSync(`${lab.root}/store/state.db`);
    database.exec("DROP TABLE actions");
    database.close();
  };
  await assert.rejects(reproduce({ made }, lab.options({ reporter })), /no such table/);
  const { summary } = await reproduce({ made }, lab.options({ signal: AbortSignal.timeout(5000) }));
  assert.equal(summary.executed, 1);
});
