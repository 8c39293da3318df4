/** What several threads and several processes share: hashing, and the one GPU. */
import assert from "node:assert/strict";
import { defineStage, reproduce, sha256, sourceFolder } from "../../pipeline/mod.ts";
import { hashMany } from "../../pipeline/hash_many.ts";
import { tryPermanentLock } from "../../pipeline/locks.ts";
import { openLab } from "./lab.ts";

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

Deno.test("hashes do not depend on the number of threads, and a file that is gone is named", async () => {
  using lab = openLab();
  const texts = Array.from({ length: 300 }, (_, index) => `text ${index}`.repeat(index % 7));
  // files that are said to be large are worth several threads
  const files = texts.map((_, index) => ({ path: `${lab.source}/${index}`, size: 1 << 20 }));
  files.forEach(({ path }, index) => Deno.writeTextFileSync(path, texts[index] ?? ""));
  const expected = texts.map((text) => ({ sha256: sha256(text), size: text.length }));
  for (const jobs of [1, 2, 3]) assert.deepEqual(await hashMany(files, { jobs }), expected);
  Deno.removeSync(files[234]?.path ?? "");
  for (const jobs of [1, 2]) await assert.rejects(hashMany(files, { jobs }), { name: "NotFound", message: /234/ });
});

Deno.test("a file larger than a read is hashed whole by a thread", async () => {
  using lab = openLab();
  const bytes = new Uint8Array(9 << 20).map((_, index) => index * 7);
  const files = ["a", "b"].map((name) => ({ path: `${lab.source}/${name}`, size: 1 << 30 }));
  for (const { path } of files) Deno.writeFileSync(path, bytes);
  const expected = { sha256: sha256(bytes), size: bytes.length };
  assert.deepEqual(await hashMany(files, { jobs: 2 }), [expected, expected]);
});

Deno.test("one process has the GPU at a time; a wait for it can be interrupted", async () => {
  using lab = openLab();
  lab.put({ "a.txt": "a" });
  let ran = 0;
  const stage = defineStage({
    name: "draw",
    module: import.meta.url,
    inputs: { texts: "folder" },
    output: "out",
    determinism: "bitwise",
    resources: { gpu: true },
    run: ({ out }) => {
      ran++;
      out.write("out.txt", "");
    },
  });
  const target = { out: stage({ texts: sourceFolder(lab.source) }) };
  Deno.mkdirSync(`${lab.root}/store`);
  // another open file counts as another process
  const lock = tryPermanentLock(`${lab.root}/store/gpu.lock`, { exclusive: true });
  assert.ok(lock !== null);
  const stop = new AbortController();
  const stopped = reproduce(target, lab.options({ signal: stop.signal }));
  await pause(100);
  stop.abort();
  await assert.rejects(stopped, { name: "AbortError" });
  const waiting = reproduce(target, lab.options());
  await pause(150);
  assert.equal(ran, 0);
  lock[Symbol.dispose]();
  await waiting;
  assert.equal(ran, 1);
});
