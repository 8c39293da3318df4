import assert from "node:assert/strict";
import { z } from "zod";
import {
  defineStage,
  type Determinism,
  exportRun,
  fsck,
  gc,
  importRun,
  publish,
  reproduce,
  sourceFolder,
  verify,
} from "../../pipeline/mod.ts";
import { storedDocuments } from "../../pipeline/records.ts";
import { runNames } from "../../pipeline/run_record.ts";
import { openState } from "../../pipeline/state.ts";
import { type Lab, openLab, textStages } from "./lab.ts";

function blobPaths(root: string): string[] {
  const folder = `${root}/store/store/sha256`;
  return [...Deno.readDirSync(folder)].flatMap(({ name }) =>
    [...Deno.readDirSync(`${folder}/${name}`)].map((file) => `${folder}/${name}/${file.name}`)
  );
}

function overwrite(path: string, text: string): void {
  Deno.chmodSync(path, 0o644);
  Deno.writeTextFileSync(path, text);
}

Deno.test("fsck finds a damaged, a missing and a stray blob; the next run recomputes just those", async () => {
  using lab = openLab();
  lab.put({ "a.txt": "a", "b.txt": "b", "c.txt": "c" });
  const { ran, upper, total } = textStages();
  const target = { total: total({ texts: upper({ texts: sourceFolder(lab.source) }) }) };
  await reproduce(target, lab.options());
  const store = `${lab.root}/store`;
  const clean = await fsck(store);
  assert.deepEqual({ ...clean, bytes: 0 }, {
    blobs: 4,
    bytes: 0,
    corrupt: [],
    missing: [],
    strays: [],
    forgotten: 0,
    clean: true,
  });
  const find = (text: string) => blobPaths(lab.root).find((path) => Deno.readTextFileSync(path) === text) ?? "";
  const [a, b] = [find("A"), find("B")];
  overwrite(a, "X");
  Deno.removeSync(b);
  Deno.writeTextFileSync(`${a.slice(0, a.lastIndexOf("/"))}/notes.txt`, "stray");
  const report = await fsck(store);
  assert.deepEqual([report.corrupt, report.missing], [[a.slice(-64)], [b.slice(-64)]]);
  assert.equal(report.strays.length, 1);
  assert.equal(report.clean, false);
  assert.ok((await fsck(store)).clean);
  ran.length = 0;
  const { trees } = await reproduce(target, lab.options());
  assert.deepEqual(ran.sort(), ["upper a", "upper b"]);
  assert.deepEqual(await trees.total.json("total.json"), { texts: ["A", "B", "C"], skipped: {} });
});

Deno.test("verify reruns on the recorded inputs and judges by the determinism class, recording nothing", async () => {
  using lab = openLab();
  lab.put({ "a.txt": "1", "b.txt": "2", "c.txt": "3" });
  let drift = 0;
  const define = (name: string, determinism: Determinism) =>
    defineStage({
      name,
      module: import.meta.url,
      inputs: { texts: "folder" },
      output: "numbers",
      each: ["texts"],
      batch: 2,
      determinism,
      run: async ({ items, scratch }) => {
        Deno.writeTextFileSync(`${scratch}/x`, "");
        for (const { key, inputs, out } of items) {
          out.json(`${key}.json`, { value: Number(await inputs.texts.text(`${key}.txt`)) + drift });
        }
      },
    });
  const texts = sourceFolder(lab.source);
  const target = {
    bits: define("bits", "bitwise")({ texts }),
    near: define("near", { atol: 0.01, rtol: 0 })({ texts }),
    seed: define("seed", "seeded")({ texts }),
  };
  const verdicts = async () =>
    Object.fromEntries(
      (await verify(target, lab.options())).map(({ label, verdict, items }) => [label, `${verdict} ${items}`]),
    );
  await reproduce({}, lab.options());
  assert.deepEqual(await verdicts(), { bits: "absent 0", near: "absent 0", seed: "absent 0" });
  await reproduce(target, lab.options());
  assert.deepEqual(await verdicts(), { bits: "same 3", near: "same 3", seed: "same 3" });
  drift = 0.001;
  assert.deepEqual(await verdicts(), { bits: "differs 3", near: "within tolerance 3", seed: "seeded 3" });
  drift = 0.1;
  assert.deepEqual(await verdicts(), { bits: "differs 3", near: "differs 3", seed: "seeded 3" });
  const [row, ...others] = await verify(target, lab.options({}));
  assert.equal(others.length, 2);
  assert.match(row?.differences[0] ?? "", /^a\.json: \d+ bytes became \d+/);
  const some = await verify(target, { ...lab.options(), stages: ["near"], items: 2 });
  assert.deepEqual(some.map(({ label, items }) => [label, items]), [["near", 2]]);
  await assert.rejects(
    verify(target, { ...lab.options(), stages: ["far"] }),
    /no stage "far"; there are bits, near, seed/,
  );
  drift = 0;
  assert.deepEqual(await verdicts(), { bits: "same 3", near: "same 3", seed: "same 3" });
  assert.equal(blobPaths(lab.root).length, 3);
});

Deno.test("gc keeps what the last runs used and what made the named files; the rest goes, oldest first", async () => {
  using lab = openLab();
  lab.put({ "a.txt": "a" });
  const number = defineStage({
    name: "number",
    module: import.meta.url,
    inputs: { texts: "folder" },
    output: "text",
    params: z.object({ n: z.number() }),
    determinism: "bitwise",
    run: ({ out, params }) => out.write("n.txt", `number ${params.n}`),
  });
  const run = async (n: number) => {
    const { trees, summary } = await reproduce(
      { x: number({ texts: sourceFolder(lab.source) }, { n }) },
      lab.options(),
    );
    return { tree: trees.x, executed: summary.executed };
  };
  const store = `${lab.root}/store`;
  const committed = `${lab.root}/results`;
  await publish((await run(1)).tree, committed);
  for (const n of [2, 3, 4, 5]) {
    await run(n);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  const options = { store, runs: 1, keep: [`${committed}/n.txt`], maxBytes: 9, graceMs: 0 };
  const dry = await gc({ ...options, dryRun: true });
  assert.deepEqual(dry.kept, { blobs: 3, bytes: 24 });
  assert.deepEqual(dry.removed, { blobs: 2, bytes: 16, records: 4 }, "two stages, two actions");
  assert.equal(blobPaths(lab.root).length, 5);
  assert.deepEqual(await gc(options), { ...dry, dryRun: false });
  assert.equal(blobPaths(lab.root).length, 3);
  assert.ok((await fsck(store)).clean);
  const executed: number[] = [];
  for (const n of [1, 2, 3, 4, 5]) executed.push((await run(n)).executed);
  assert.deepEqual(executed, [0, 1, 1, 0, 0]);
});

/** A store, a way to run it on some texts, and a way to make a run one that was killed: only its mark is left. */
function openRuns(lab: Lab) {
  const { ran, upper, total } = textStages();
  const store = `${lab.root}/store`;
  const target = () => ({ total: total({ texts: upper({ texts: sourceFolder(lab.source) }) }) });
  const run = async (texts: Readonly<Record<string, string>>) => {
    lab.put(texts);
    const { trees, summary } = await reproduce(target(), lab.options());
    return { tree: trees.total, executed: summary.executed };
  };
  const kill = () => {
    const [last = ""] = runNames(store).slice(-1);
    Deno.removeSync(`${store}/runs/${last}`);
    Deno.writeTextFileSync(`${store}/runs/${last.slice(0, 6)}.open`, "");
  };
  return { store, run, kill, ran };
}

Deno.test("gc keeps what a killed run finished while it is young; unnamed documents go", async () => {
  using lab = openLab();
  const { store, run, kill } = openRuns(lab);
  const documents = () => {
    using state = openState(store, { warn: assert.fail });
    return storedDocuments(state).length;
  };
  await run({ "a.txt": "one", "b.txt": "" });
  const few = documents();
  await run({ "a.txt": "two" });
  kill();
  assert.equal((await gc({ store, runs: 1 })).removed.blobs, 0);
  assert.equal((await run({})).executed, 0);
  kill();
  assert.ok(documents() > few);
  const { removed } = await gc({ store, runs: 1, graceMs: 0 });
  assert.deepEqual(removed, { blobs: 2, bytes: removed.bytes, records: 4 }, "two stages, two actions");
  assert.equal(documents(), few);
  assert.equal((await run({ "a.txt": "one" })).executed, 0, "with its skipped item");
  assert.ok((await fsck(store)).clean);
});

Deno.test("gc keeps what a killed run finished also when others have ended since, and what it used", async () => {
  using lab = openLab();
  const { store, run, kill } = openRuns(lab);
  await run({ "a.txt": "one" });
  await run({ "a.txt": "two" });
  kill();
  await run({ "a.txt": "three" });
  await gc({ store, runs: 1 });
  assert.equal((await run({ "a.txt": "two" })).executed, 0);
  kill();
  await run({ "a.txt": "one" });
  await run({ "a.txt": "three" });
  // the notes of a killed run: it had found the first texts' result before it executed something
  const [one = ""] = runNames(store).slice(-2);
  const { stages } = JSON.parse(Deno.readTextFileSync(`${store}/runs/${one}`));
  const keys = Object.values<{ key: string }>(stages).map(({ key }) => key);
  Deno.writeTextFileSync(`${store}/runs/000099.open`, `${keys.join("\n")}\n`);
  await gc({ store, runs: 0 });
  assert.equal((await run({ "a.txt": "one" })).executed, 0);
});

Deno.test("gc keeps the targets of a run that has just ended: they may not be published yet", async () => {
  using lab = openLab();
  const { store, run } = openRuns(lab);
  const { tree } = await run({ "a.txt": "one" });
  assert.equal((await gc({ store, runs: 0 })).removed.blobs, 1, "what was made on the way");
  await publish(tree, `${lab.root}/results`);
  assert.match(Deno.readTextFileSync(`${lab.root}/results/total.json`), /ONE/);
});

Deno.test("runs have an order of their own: a clock that was set back changes neither export nor gc", async () => {
  using lab = openLab();
  const { store, run } = openRuns(lab);
  const { now } = Date;
  const runAt = async (days: number, text: string) => {
    Date.now = () => now() + days * 86_400_000;
    try {
      return await run({ "a.txt": text });
    } finally {
      Date.now = now;
    }
  };
  await runAt(0, "older");
  const { tree } = await runAt(-400, "newer");
  await exportRun(`${lab.root}/run.tar`, { store });
  await importRun(`${lab.root}/run.tar`, { store: `${lab.root}/away` });
  const { sha256 } = tree.entry("total.json");
  assert.ok(Deno.statSync(`${lab.root}/away/store/sha256/${sha256.slice(0, 2)}/${sha256}`).isFile);
  await gc({ store, runs: 1, graceMs: 0 });
  assert.equal((await run({ "a.txt": "newer" })).executed, 0);
  assert.equal((await run({ "a.txt": "older" })).executed, 2);
  // the numbers go on without the database, and runs at once get different ones
  for (const suffix of ["", "-wal", "-shm"]) await Deno.remove(`${store}/state.db${suffix}`).catch(() => null);
  await Promise.all([run({}), run({}), run({})]);
  assert.deepEqual(runNames(store).map((name) => Number(name.slice(0, 6))), [1, 2, 3, 4, 5, 6, 7]);
});

Deno.test("fsck drops a row that is damaged in any column, its key as well, and is clean after that", async () => {
  using lab = openLab();
  const { store, run } = openRuns(lab);
  await run({ "a.txt": "one" });
  const harms = [
    "UPDATE actions SET key = CAST(x'ff' AS TEXT) || key WHERE item = 'a'",
    "UPDATE actions SET started = started + 1 WHERE item IS NULL",
    "UPDATE nodes SET run = 9223372036854775807 WHERE stage = 'total'",
    "UPDATE documents SET text = replace(text, 'a.up.txt', 'b.up.txt')",
    "UPDATE snapshots SET root = NULL",
    "INSERT INTO closures VALUES ('entry', '{}', 1)",
  ];
  for (const harm of harms) {
    {
      using state = openState(store, { warn: assert.fail });
      state.db.prepare(harm).run();
    }
    const report = await fsck(store);
    assert.ok(!report.clean && report.forgotten > 0, harm);
    assert.ok((await fsck(store)).clean, harm);
    assert.match(await (await run({})).tree.text("total.json"), /"ONE"/);
  }
});

Deno.test("gc refuses to work beside a run, and a run that starts meanwhile waits", async () => {
  using lab = openLab();
  lab.put({ "a.txt": "a" });
  const { upper } = textStages();
  let refused: Promise<unknown> = Promise.resolve();
  const stage = defineStage({
    name: "stage",
    module: import.meta.url,
    inputs: { texts: "texts" },
    output: "x",
    determinism: "bitwise",
    run: async ({ out }) => {
      refused = assert.rejects(gc({ store: `${lab.root}/store`, runs: 0, graceMs: 0 }), /a run is using/);
      await refused;
      out.write("x", "x");
    },
  });
  const target = { x: stage({ texts: upper({ texts: sourceFolder(lab.source) }) }) };
  await reproduce(target, lab.options());
  await refused;
  const [report, { summary }] = await Promise.all([
    gc({ store: `${lab.root}/store`, runs: 0, graceMs: 0 }),
    reproduce(target, lab.options()),
  ]);
  assert.equal(report.removed.blobs, 2);
  assert.equal(summary.executed, 2);
  assert.ok((await fsck(`${lab.root}/store`)).clean);
});
