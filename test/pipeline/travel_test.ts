import assert from "node:assert/strict";
import { join } from "node:path";
import {
  AbortedError,
  defineStage,
  exportRun,
  folderRemote,
  fsck,
  gc,
  importRun,
  type Options,
  pull,
  push,
  reproduce,
  sourceFolder,
} from "../../pipeline/mod.ts";
import { bundleText, parseBundle } from "../../pipeline/bundle.ts";
import type { ActionRecord } from "../../pipeline/state.ts";
import { type Lab, openLab } from "./lab.ts";
import { ALL, checkRemote, NOTHING, openRun, WELL } from "./travel_lab.ts";

Deno.test("an exported run is complete elsewhere: nothing runs, and one changed item runs once", async () => {
  using lab = openLab();
  const { ran, target, home, away } = await openRun(lab);
  const tar = `${lab.root}/run.tar`;
  assert.deepEqual(await exportRun(tar, { store: home }), ALL);
  const bytes = Deno.readFileSync(tar);
  await exportRun(tar, { store: home });
  assert.deepEqual(Deno.readFileSync(tar), bytes, "the same results give the same bytes");
  assert.deepEqual(await importRun(tar, { store: away }), ALL);
  const { summary, trees } = await reproduce(target(), lab.options({ store: away }));
  assert.deepEqual([ran, summary.executed, summary.cached, summary.skipped], [[], 0, 4, 1]);
  assert.deepEqual(await trees.total.json("total.json"), { texts: ["A", "B"], skipped: { c: "empty" } });
  lab.put({ "b.txt": "B" });
  await reproduce(target(), lab.options({ store: away }));
  assert.deepEqual(ran, ["upper b"]);
  assert.ok((await fsck(away)).clean);
  await assert.rejects(exportRun(tar, { store: home, run: "none" }), /has no run "none"/);
});

Deno.test("other programs can read the archive", async () => {
  using lab = openLab();
  const { home } = await openRun(lab);
  await exportRun(`${lab.root}/run.tar`, { store: home });
  const { success, stdout } = await new Deno.Command("tar", { args: ["tf", `${lab.root}/run.tar`] }).output();
  assert.ok(success);
  const names = new TextDecoder().decode(stdout).trim().split("\n");
  assert.deepEqual(names.map((name) => name.replace(/[0-9a-f]{64}/, "#")), [
    ...Array(3).fill("sha256/#"),
    ...Array(2).fill("nodes/#.json"),
  ]);
});

Deno.test("an archive with a flipped bit, or cut short, is refused and records nothing", async () => {
  using lab = openLab();
  const { ran, target, home, away } = await openRun(lab);
  const tar = `${lab.root}/run.tar`;
  await exportRun(tar, { store: home });
  const good = Deno.readFileSync(tar);
  const cases: [(bytes: Uint8Array) => Uint8Array, RegExp][] = [
    [
      (bytes) => bytes.map((byte, index) => index === 512 ? byte ^ 1 : byte),
      /object [0-9a-f]+ is damaged; nothing was recorded/,
    ],
    [(bytes) => bytes.map((byte, index) => index === 0 ? byte ^ 1 : byte), /not a tar archive, or damaged/],
    [(bytes) => bytes.subarray(0, 2000), /ends too early/],
  ];
  for (const [damage, message] of cases) {
    Deno.writeFileSync(tar, damage(good));
    await assert.rejects(importRun(tar, { store: away }), message);
  }
  await reproduce(target(), lab.options({ store: away }));
  assert.equal(ran.length, 4);
});

Deno.test("an archive in which two items changed places is refused", async () => {
  using lab = openLab();
  const { target, home, away } = await openRun(lab);
  const tar = `${lab.root}/run.tar`;
  await exportRun(tar, { store: home });
  const text = new TextDecoder("latin1").decode(Deno.readFileSync(tar));
  const rows = [...text.matchAll(/"item":"[ab]".*?"files":(\[\[.*?\]\])/g)].map(([, files = ""]) => files);
  const [a = "", b = ""] = rows;
  assert.ok(a.length === b.length && a !== b);
  const swapped = text.replaceAll(`"files":${a}`, "#").replaceAll(`"files":${b}`, `"files":${a}`)
    .replaceAll("#", `"files":${b}`);
  assert.notEqual(swapped, text);
  Deno.writeFileSync(tar, Uint8Array.from(swapped, (letter) => letter.charCodeAt(0)));
  await assert.rejects(
    importRun(tar, { store: away }),
    /the records [0-9a-f]+ are damaged: their checksum is another; nothing was recorded/,
  );
  assert.equal((await reproduce(target(), lab.options({ store: away }))).summary.executed, 4);
});

Deno.test("item records without a result, or with another item's files, are refused", async () => {
  using lab = openLab();
  const { home } = await openRun(lab);
  const shared = join(lab.root, "shared");
  await push(folderRemote(shared), { store: home });
  const records = [...Deno.readDirSync(join(shared, "nodes"))].map(({ name }) => name);
  const name = records.find((name) => Deno.readTextFileSync(join(shared, "nodes", name)).includes('"item":"b"')) ?? "";
  const bytes = Deno.readFileSync(join(shared, "nodes", name));
  const key = name.replace(".json", "");
  const good = parseBundle(bytes, { key, from: "here" });
  const change = (item: string, change: Partial<ActionRecord>) =>
    new TextEncoder().encode(bundleText({
      ...good,
      actions: good.actions.map((action) => action.item === item ? { ...action, ...change } : action),
    }));
  const read = (bytes: Uint8Array) => parseBundle(bytes, { key, from: "here" });
  assert.throws(() => read(change("b", { files: [] })), /hold the item record \w+ without a result/);
  const [of = []] = good.actions.flatMap(({ item, files }) => item === "a" ? [files] : []);
  assert.throws(() => read(change("b", { files: of })), /give the item "b" the file "a\.up\.txt"/);
  assert.deepEqual(read(change("b", {})), good);
});

Deno.test("a folder as a remote store", async () => {
  const folder = Deno.makeTempDirSync();
  try {
    await checkRemote(folderRemote(folder));
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

/** The store's objects, by path. */
function objectsOf(store: string): readonly string[] {
  const folder = join(store, "store/sha256");
  const prefixes = [...Deno.readDirSync(folder)].map(({ name }) => join(folder, name));
  return prefixes.flatMap((prefix) => [...Deno.readDirSync(prefix)].map(({ name }) => join(prefix, name)));
}

Deno.test("pull restores objects that the store has lost", async () => {
  using lab = openLab();
  const { home, away, target, ran } = await openRun(lab);
  const remote = folderRemote(join(lab.root, "shared"));
  const options = lab.options({ store: away });
  await push(remote, { store: home });
  await pull(remote, target(), options);
  for (const path of objectsOf(away).slice(1)) Deno.removeSync(path);
  const { stages, blobs } = await pull(remote, target(), options);
  assert.deepEqual([stages, blobs], [0, 2]);
  await reproduce(target(), options);
  assert.deepEqual(ran, []);
  assert.ok((await fsck(away)).clean);
});

Deno.test("records and objects that are none are named, cost their stage, and are replaced", async () => {
  using lab = openLab();
  const { home, target, total } = await openRun(lab);
  const shared = join(lab.root, "shared");
  const remote = folderRemote(shared);
  await push(remote, { store: home });
  const [record = ""] = [...Deno.readDirSync(join(shared, "nodes"))].map(({ name }) => `nodes/${name}`).filter((name) =>
    Deno.readTextFileSync(join(shared, name)).includes('"stage":"total"')
  );
  const good = Deno.readTextFileSync(join(shared, record));
  const cases: [what: string, name: string, damage: (path: string) => void, reason: RegExp][] = [
    ["null", record, (path) => Deno.writeTextFileSync(path, "null"), /the records \w+ are damaged, or of an earlier/],
    ["{}", record, (path) => Deno.writeTextFileSync(path, "{}"), /lack their checksum/],
    ["cut", record, (path) => Deno.writeTextFileSync(path, good.slice(0, 300)), /lack their checksum/],
    ["flipped", record, (path) => Deno.writeTextFileSync(path, good.replace("items", "itemz")), /checksum is another/],
    ["no text", record, (path) => Deno.writeFileSync(path, new Uint8Array([255, 254])), /not UTF-8/],
    ["folder", total, (path) => Deno.mkdirSync(path), /is not a file/],
    [
      "pipe",
      total,
      (path) => assert.ok(new Deno.Command("mkfifo", { args: [path] }).outputSync().success),
      /not a file/,
    ],
    ["link to nowhere", total, (path) => Deno.symlinkSync("nowhere", path), /object \w+ is not there/],
    ["link to itself", total, (path) => Deno.symlinkSync(path, path), /cannot be read/],
  ];
  for (const [what, name, damage, reason] of cases) {
    const path = join(shared, name);
    Deno.removeSync(path);
    damage(path);
    const pulled = await pull(remote, target(), lab.options({ store: join(lab.root, `away ${what}`) }));
    assert.deepEqual([pulled.stages, pulled.incomplete.map(({ stage }) => stage)], [1, ["total"]], what);
    assert.match(pulled.incomplete[0]?.reason ?? "", reason, what);
    if (what === "folder") {
      await assert.rejects(push(remote, { store: home }), /is a folder, where an object belongs: remove it/);
      Deno.removeSync(path);
    }
    await push(remote, { store: home });
    const mended = await pull(remote, target(), lab.options({ store: join(lab.root, `away ${what}`) }));
    assert.deepEqual(mended.incomplete, [], what);
  }
});

Deno.test("what is no folder, or holds no store, is an error; what holds one without these stages is not", async () => {
  using lab = openLab();
  const { home, away, target } = await openRun(lab);
  const options = lab.options({ store: away });
  const none = /there is no store of ours in .*: nobody has pushed there. Is it mistyped\?/;
  await assert.rejects(pull(folderRemote(join(lab.root, "mistyped")), target(), options), none);
  await assert.rejects(pull(folderRemote(lab.source), target(), options), none);
  const shared = folderRemote(join(lab.root, "shared"));
  await push(shared, { store: home });
  lab.code = "other code";
  assert.deepEqual(await pull(shared, target(), options), { ...NOTHING, absent: 2, incomplete: [] });
});

/** Six items, of which the third stops the run; returns the items that were done. */
async function interrupt(lab: Lab) {
  lab.put(Object.fromEntries([..."abcdef"].map((name) => [`${name}.txt`, name])));
  const ran: string[] = [];
  let stop: AbortController | null = new AbortController();
  const slow = defineStage({
    name: "slow",
    module: import.meta.url,
    inputs: { texts: "folder" },
    output: "texts",
    each: ["texts"],
    determinism: "bitwise",
    run: ({ items }) => {
      for (const { key, out } of items) {
        if (ran.length === 3) stop?.abort();
        ran.push(key);
        out.write(`${key}.txt`, key);
      }
    },
  });
  const target = () => ({ slow: slow({ texts: sourceFolder(lab.source) }) });
  const options = (more: Options = {}) => lab.options({ jobs: 1, ...more });
  await assert.rejects(reproduce(target(), options({ signal: stop.signal })), AbortedError);
  const done = [...ran];
  stop = null;
  ran.length = 0;
  return { done, ran, target, options, home: join(lab.root, "store"), away: join(lab.root, "away") };
}

Deno.test("what an interrupted run has done travels by tar: elsewhere just the rest runs", async () => {
  using lab = openLab();
  const { done, ran, target, options, home, away } = await interrupt(lab);
  const tar = join(lab.root, "run.tar");
  const sent = { stages: 0, unfinished: 1, blobs: done.length, bytes: done.length };
  assert.ok(done.length >= 3 && done.length < 6);
  await gc({ store: home });
  assert.deepEqual(await exportRun(tar, { store: home }), sent);
  assert.deepEqual(await importRun(tar, { store: away }), sent);
  await reproduce(target(), options({ store: away }));
  assert.deepEqual([...done, ...ran].sort(), [..."abcdef"]);
  assert.ok((await fsck(away)).clean);
});

Deno.test("an interrupted run travels by a shared store, and is replaced by the finished stage", async () => {
  using lab = openLab();
  const { done, ran, target, options, home, away } = await interrupt(lab);
  const remote = folderRemote(join(lab.root, "shared"));
  const sent = { stages: 0, unfinished: 1, blobs: done.length, bytes: done.length };
  assert.deepEqual(await push(remote, { store: home }), { ...sent, replaced: 0 });
  assert.deepEqual(await pull(remote, target(), options({ store: away })), { ...sent, ...WELL });
  await reproduce(target(), options({ store: away }));
  assert.deepEqual([...done, ...ran].sort(), [..."abcdef"]);
  const { stages, unfinished, blobs } = await push(remote, { store: away });
  assert.deepEqual([stages, unfinished, blobs], [1, 0, 6 - done.length]);
  // whoever has less does not take it back
  assert.equal((await push(remote, { store: home })).unfinished, 0);
  assert.equal((await pull(remote, target(), options({ store: home }))).stages, 1);
});

Deno.test("a run that has finished nothing has nothing to send", async () => {
  using lab = openLab();
  lab.put({ "a.txt": "a" });
  const fail = defineStage({
    name: "fail",
    module: import.meta.url,
    inputs: { texts: "folder" },
    output: "texts",
    determinism: "bitwise",
    run: () => {
      throw new Error("no");
    },
  });
  await assert.rejects(reproduce({ fail: fail({ texts: sourceFolder(lab.source) }) }, lab.options()), /no/);
  const store = join(lab.root, "store");
  await assert.rejects(exportRun(join(lab.root, "run.tar"), { store }), /so there is nothing to send/);
  await assert.rejects(push(folderRemote(join(lab.root, "shared")), { store }), /so there is nothing to send/);
});

Deno.test("a result that is another each time is left as others have it, unless it is not whole there", async () => {
  using lab = openLab();
  lab.put({ "a.txt": "a" });
  let count = 0;
  const seed = defineStage({
    name: "seed",
    module: import.meta.url,
    inputs: { texts: "folder" },
    output: "texts",
    determinism: "seeded",
    run: ({ out }) => out.write("seed.txt", `result ${++count}`),
  });
  const target = { seed: seed({ texts: sourceFolder(lab.source) }) };
  const shared = join(lab.root, "shared");
  for (const store of ["one", "two"]) await reproduce(target, lab.options({ store: join(lab.root, store) }));
  await push(folderRemote(shared), { store: join(lab.root, "one") });
  assert.equal((await push(folderRemote(shared), { store: join(lab.root, "two") })).stages, 0);
  const options = (store: string) => lab.options({ store: join(lab.root, store) });
  const textOf = async (store: string) => await (await reproduce(target, options(store))).trees.seed.text("seed.txt");
  await pull(folderRemote(shared), target, options("three"));
  assert.equal(await textOf("three"), "result 1");
  const { sha256 } = (await reproduce(target, options("one"))).trees.seed.entry("seed.txt");
  Deno.truncateSync(join(shared, "sha256", sha256.slice(0, 2), sha256), 3);
  // who has the other result mends the stage with it
  assert.equal((await push(folderRemote(shared), { store: join(lab.root, "two") })).stages, 1);
  await pull(folderRemote(shared), target, options("four"));
  assert.equal(await textOf("four"), "result 2");
});

Deno.test("transfers say how far they are, and stop when they are told to", async () => {
  using lab = openLab();
  const { home, away, target } = await openRun(lab);
  const tar = join(lab.root, "run.tar");
  const remote = folderRemote(join(lab.root, "shared"));
  const options = lab.options({ store: away });
  const { signal } = (() => {
    const stop = new AbortController();
    stop.abort();
    return stop;
  })();
  await assert.rejects(exportRun(tar, { store: home, signal }), AbortedError);
  await assert.rejects(push(remote, { store: home, signal }), AbortedError);
  const told: string[] = [];
  const progress = ({ objects, bytes, total }: { objects: number; bytes: number; total: unknown }) =>
    told.push(`${objects} ${bytes} ${JSON.stringify(total)}`);
  const of = '{"objects":3,"bytes":45}';
  await exportRun(tar, { store: home, progress });
  assert.equal(told.at(-1), `3 45 ${of}`);
  await push(remote, { store: home, progress });
  assert.equal(told.at(-1), `3 45 ${of}`);
  await assert.rejects(importRun(tar, { store: away, signal }), AbortedError);
  await assert.rejects(pull(remote, target(), { ...options, signal }), AbortedError);
  await pull(remote, target(), { ...options, progress });
  assert.equal(told.at(-1), `3 45 ${of}`);
  await importRun(tar, { store: join(lab.root, "third"), progress });
  assert.equal(told.at(-1), "3 45 null");
});
