/** Whatever takes the place of one of a store's own files or folders is named at a run, and fsck moves it away. */
import assert from "node:assert/strict";
import { dirname } from "node:path";
import { fsck, gc, publish, reproduce, sha256, sourceFolder, StoreError } from "../../pipeline/mod.ts";
import { openLab, textStages } from "./lab.ts";

const BLOB = sha256(new TextEncoder().encode("TEXT"));
const BLOB_PATH = `store/sha256/${BLOB.slice(0, 2)}/${BLOB}`;

const put = {
  file: (path: string) => Deno.writeTextFileSync(path, "x"),
  folder: (path: string) => Deno.mkdirSync(`${path}/in`, { recursive: true }),
  "dangling link": (path: string) => Deno.symlinkSync("nowhere", path),
  "looping link": (path: string) => Deno.symlinkSync(path, path),
};

/** By path below the store: what is put there instead. */
const DAMAGE: readonly (readonly [path: string, ...kinds: (keyof typeof put)[]])[] = [
  ...["tmp", "locks", "quarantine", "scratch", "hints", "runs", "published", "store", "store/sha256"].map((path) =>
    [path, "file", "dangling link", "looping link"] as const
  ),
  ...["use.lock", "state.lock", "state.use.lock", "runs.lock", "gpu.lock", "reserve"].map((path) =>
    [path, "folder", "looping link"] as const
  ),
  ...["state.db", "state.db-wal", "state.db-shm"].map((path) =>
    [path, "folder", "dangling link", "looping link"] as const
  ),
  [`tmp/${crypto.randomUUID()}.lock`, "folder", "looping link"],
  ["tmp/stray", "dangling link"],
  ["scratch/stray", "dangling link", "looping link"],
  ["runs/000005.open", "folder", "dangling link"],
  ["runs/000006-2026-00000000.json", "folder"],
  ["hints/kernel.json", "folder"],
  ["published/lock", "folder"],
  [dirname(BLOB_PATH), "file", "dangling link", "looping link"],
];

/** What a run mends by itself. */
const BLOB_DAMAGE = ["folder", "dangling link", "looping link"] as const;

function labOf() {
  const lab = openLab();
  lab.put({ "a.txt": "text" });
  const store = `${lab.root}/store`;
  const out = `${lab.root}/out`;
  const run = async () => {
    const { upper } = textStages();
    const { trees } = await reproduce({ up: upper({ texts: sourceFolder(lab.source) }) }, lab.options());
    await publish(trees.up, out, { remember: { store, target: "up" } });
    assert.equal(Deno.readTextFileSync(`${out}/a.up.txt`), "TEXT");
  };
  const damage = async (path: string, kind: keyof typeof put) => {
    await Deno.remove(`${store}/${path}`, { recursive: true }).catch(() => null);
    await Deno.remove(out, { recursive: true }).catch(() => null);
    put[kind](`${store}/${path}`);
  };
  return { lab, store, run, damage, [Symbol.dispose]: () => lab[Symbol.dispose]() };
}

Deno.test("what has the place of a store's own file or folder is named at a run, and fsck moves it away", async () => {
  using it = labOf();
  await it.run();
  for (const [path, ...kinds] of DAMAGE) {
    for (const kind of kinds) {
      await it.damage(path, kind);
      const what = `${kind} for ${path}`;
      const named = (error: unknown) =>
        error instanceof StoreError && error.message.includes(path) && /run fsck/.test(error.message);
      await assert.rejects(it.run(), named, what);
      await assert.rejects(gc({ store: it.store }), named, what);
      const { clean, strays } = await fsck(it.store, { warn: () => {}, jobs: 1 });
      assert.deepEqual([clean, strays.map((stray) => stray.endsWith(path))], [false, [true]], what);
      await it.run();
      assert.equal((await fsck(it.store, { warn: () => {}, jobs: 1 })).clean, true, what);
      await gc({ store: it.store });
    }
  }
});

Deno.test("what has a stored object's place is moved away by a run, or by fsck", async () => {
  for (const kind of BLOB_DAMAGE) {
    using it = labOf();
    await it.run();
    await it.damage(BLOB_PATH, kind);
    // the first finds out, the second computes it again
    await it.run().catch((error) => assert.match(String(error), /Run again/));
    await it.run();
    assert.equal((await fsck(it.store, { warn: () => {}, jobs: 1 })).corrupt.length, 0, kind);
    await it.damage(BLOB_PATH, kind);
    assert.equal((await fsck(it.store, { warn: () => {}, jobs: 1 })).clean, false, kind);
    await it.run();
    assert.equal((await fsck(it.store, { warn: () => {}, jobs: 1 })).clean, true, kind);
  }
});

Deno.test("a store that is a file, or may not be looked into, is named with what to do", async () => {
  using lab = openLab();
  const path = `${lab.root}/store`;
  Deno.writeTextFileSync(path, "");
  await assert.rejects(reproduce({}, lab.options()), /the store .*store cannot be opened: .*choose another/);
  await assert.rejects(fsck(path), /there is no store at/);
  Deno.removeSync(path);
  Deno.symlinkSync("nowhere", path);
  await assert.rejects(reproduce({}, lab.options()), /the store .*store cannot be opened: .*choose another/);
});
