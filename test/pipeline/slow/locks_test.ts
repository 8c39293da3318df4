/** A lock that is given up is free at once, also while the process starts others. */
import assert from "node:assert/strict";
import { tryPermanentLock, waitLockSync } from "../../../pipeline/locks.ts";

const SPAWN = `
  self.onmessage = () => {
    for (let i = 0; i < 2000; i++) new Deno.Command("true").outputSync();
    self.postMessage("done");
  };
`;

Deno.test("a lock is free as soon as it is given up, though processes that start hold a copy of its file", async () => {
  const path = await Deno.makeTempFile();
  const address = URL.createObjectURL(new Blob([SPAWN], { type: "text/javascript" }));
  const worker = new Worker(address, { type: "module" });
  let spawning = true;
  const ended = new Promise<void>((resolve) => {
    worker.onmessage = () => {
      spawning = false;
      resolve();
    };
  });
  worker.postMessage("start");
  let [tries, refused] = [0, 0];
  while (spawning) {
    for (let i = 0; i < 500; i++) {
      waitLockSync(path, { exclusive: true })[Symbol.dispose]();
      const lock = tryPermanentLock(path, { exclusive: true });
      tries++;
      if (lock === null) refused++;
      else lock[Symbol.dispose]();
    }
    // the worker's message comes between
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  await ended;
  worker.terminate();
  URL.revokeObjectURL(address);
  await Deno.remove(path);
  assert.equal(refused, 0, `${refused} of ${tries} tries found the lock held`);
});
