/**
 * A full and a read-only disk, for real: a small tmpfs, which needs root and the permission to run mount
 * (`--allow-run=mount,umount`); elsewhere these are skipped with a line that says why. Failed writes are also
 * injected, which works everywhere.
 */
import assert from "node:assert/strict";
import { z } from "zod";
import {
  crateOf,
  defineStage,
  exportRun,
  folderRemote,
  fsck,
  gc,
  provenanceText,
  publish,
  push,
  reproduce,
  sha256,
  statusOf,
} from "../../pipeline/mod.ts";
import { type Lab, openLab } from "./lab.ts";

const write = defineStage({
  name: "write",
  module: import.meta.url,
  inputs: {},
  output: "bytes",
  params: z.object({ kiB: z.number(), fill: z.number() }).strict(),
  determinism: "bitwise",
  run: ({ out, params }) => out.write("bytes.bin", new Uint8Array(params.kiB << 10).fill(params.fill)),
});

/** Why no disk can be mounted here; null: it can. */
function obstacle(): string | null {
  if (Deno.build.os !== "linux") return "only Linux has tmpfs";
  if (Deno.uid() !== 0) return "mounting needs root";
  const granted = ["mount", "umount"].every((command) =>
    Deno.permissions.querySync({ name: "run", command }).state === "granted"
  );
  return granted ? null : "mounting needs --allow-run=mount,umount";
}

async function command(name: string, args: readonly string[]): Promise<boolean> {
  return (await new Deno.Command(name, { args: [...args], stderr: "null" }).output()).success;
}

/** Runs a test on a disk of 2 MiB; the store is on it. */
async function onSmallDisk(work: (lab: Lab, store: string) => Promise<void>): Promise<void> {
  const reason = obstacle();
  if (reason !== null) return console.log(`skipped: ${reason}`);
  using lab = openLab();
  const disk = `${lab.root}/disk`;
  Deno.mkdirSync(disk);
  if (!await command("mount", ["-t", "tmpfs", "-o", "size=2m", "tmpfs", disk])) {
    return console.log("skipped: mount refused, as it does in containers");
  }
  try {
    await work(lab, `${disk}/store`);
  } finally {
    await command("umount", ["-l", disk]);
  }
}

Deno.test("a full disk ends in a clear error; what was done is kept, and with room again the run goes on", async () => {
  await onSmallDisk(async (lab, store) => {
    const small = write({}, { kiB: 100, fill: 1 });
    await reproduce({ small }, lab.options({ store }));
    const both = { small, large: write({}, { kiB: 4000, fill: 2 }) };
    await assert.rejects(reproduce(both, lab.options({ store })), {
      name: "StoreError",
      message: /no space left on the disk of .*store; free some \(or run gc\), then run again/,
    });
    assert.ok((await fsck(store)).clean);
    assert.deepEqual(
      [...Deno.readDirSync(`${store}/tmp`)].flatMap(({ name }) => [...Deno.readDirSync(`${store}/tmp/${name}`)]),
      [],
    );
    assert.ok(await command("mount", ["-o", "remount,size=16m", `${lab.root}/disk`]));
    const { summary } = await reproduce(both, lab.options({ store }));
    assert.deepEqual([summary.executed, summary.cached], [1, 1]);
  });
});

Deno.test("on a disk without a byte left, a run and gc end well or in a clear error, and gc makes room", async () => {
  await onSmallDisk(async (lab, store) => {
    await reproduce({ old: write({}, { kiB: 200, fill: 1 }) }, lab.options({ store }));
    const ballast = `${lab.root}/disk/ballast`;
    fill(ballast);
    const target = { next: write({}, { kiB: 100, fill: 2 }) };
    await assert.rejects(reproduce(target, lab.options({ store })), {
      name: "StoreError",
      message: /no space left|is the disk full/,
    });
    assert.equal((await gc({ store, runs: 0, graceMs: 0 })).removed.blobs, 1);
    assert.equal((await reproduce(target, lab.options({ store }))).summary.executed, 1);
    assert.ok((await fsck(store)).clean);
  });
});

/** Writes a file until the disk is full. */
function fill(path: string): void {
  using file = Deno.openSync(path, { create: true, write: true });
  const block = new Uint8Array(4096);
  try {
    for (;;) file.writeSync(block);
  } catch (error) {
    assert.match(String(error), /No space left/);
  }
}

Deno.test("a read-only disk ends in a clear error, and loses nothing", async () => {
  await onSmallDisk(async (lab, store) => {
    const target = { small: write({}, { kiB: 100, fill: 1 }) };
    await reproduce(target, lab.options({ store }));
    const disk = `${lab.root}/disk`;
    assert.ok(await command("mount", ["-o", "remount,ro", disk]));
    await assert.rejects(reproduce({ other: write({}, { kiB: 1, fill: 3 }) }, lab.options({ store })), {
      name: "StoreError",
      message: /store cannot be written .*choose another store/,
    });
    assert.ok(await command("mount", ["-o", "remount,rw", disk]));
    assert.equal((await reproduce(target, lab.options({ store }))).summary.executed, 0);
  });
});

/** What only looks at a store works, and says what it says of one that can be written. */
async function checkLooks(lab: Lab, store: string, whileReadOnly: (work: () => Promise<void>) => Promise<void>) {
  const target = { small: write({}, { kiB: 100, fill: 1 }) };
  const { trees } = await reproduce(target, lab.options({ store }));
  await publish(trees.small, `${lab.root}/results`);
  const looks = async () => {
    const tar = `${lab.root}/run.tar`;
    const crate = { name: "n", description: "d", license: "MIT", workflow: "main.ts" };
    return {
      status: await statusOf(target, lab.options({ store })),
      provenance: await provenanceText(`${lab.root}/results/bytes.bin`, { store }),
      exported: await exportRun(tar, { store }).then((transfer) => [transfer, sha256(Deno.readFileSync(tar))]),
      crate: await crateOf({ store, ...crate }),
      pushed: await push(folderRemote(Deno.makeTempDirSync({ dir: lab.root })), { store }),
    };
  };
  const before = await looks();
  // the records are looked at through a copy in a temporary folder, of which nothing may be left
  const { makeTempDirSync } = Deno;
  const made: string[] = [];
  Deno.makeTempDirSync = (options) => {
    const folder = makeTempDirSync(options);
    if (options?.dir === undefined) made.push(folder);
    return folder;
  };
  try {
    await whileReadOnly(async () => {
      assert.deepEqual(await looks(), before);
      const [row] = await statusOf({ other: write({}, { kiB: 1, fill: 2 }) }, lab.options({ store }));
      assert.equal(row?.state, "stale");
      const message = /cannot be written/;
      await assert.rejects(reproduce(target, lab.options({ store })), { name: "StoreError", message });
      await assert.rejects(gc({ store }), { name: "StoreError", message });
    });
  } finally {
    Object.assign(Deno, { makeTempDirSync });
  }
  assert.ok(made.length > 0);
  for (const folder of made) assert.throws(() => Deno.statSync(folder), Deno.errors.NotFound);
  assert.equal((await reproduce(target, lab.options({ store }))).summary.executed, 0);
}

Deno.test("status, export, provenance, the crate and push work on a read-only disk", async () => {
  await onSmallDisk(async (lab, store) => {
    const disk = `${lab.root}/disk`;
    await checkLooks(lab, store, async (work) => {
      assert.ok(await command("mount", ["-o", "remount,ro", disk]));
      try {
        await work();
      } finally {
        await command("mount", ["-o", "remount,rw", disk]);
      }
    });
  });
});

Deno.test("status, export, provenance, the crate and push work where every write to the store is refused", async () => {
  using lab = openLab();
  const store = `${lab.root}/store`;
  const refuse = (path: string | URL) => {
    if (!String(path).startsWith(`${store}/`)) return;
    throw Object.assign(new Deno.errors.PermissionDenied("Permission denied (os error 13)"), { code: "EACCES" });
  };
  await checkLooks(lab, store, async (work) => {
    const { mkdirSync, openSync, open, writeFileSync, writeTextFileSync, renameSync, removeSync } = Deno;
    Deno.mkdirSync = (path, options) => (refuse(path), mkdirSync(path, options));
    Deno.openSync = (path, options = { read: true }) => {
      if (options.write === true) refuse(path);
      return openSync(path, options);
    };
    Deno.open = (path, options = { read: true }) => {
      if (options.write === true) refuse(path);
      return open(path, options);
    };
    Deno.writeFileSync = (path, bytes, options) => (refuse(path), writeFileSync(path, bytes, options));
    Deno.writeTextFileSync = (path, text, options) => (refuse(path), writeTextFileSync(path, text, options));
    Deno.renameSync = (from, to) => (refuse(to), renameSync(from, to));
    Deno.removeSync = (path, options) => (refuse(path), removeSync(path, options));
    try {
      await work();
    } finally {
      Object.assign(Deno, { mkdirSync, openSync, open, writeFileSync, writeTextFileSync, renameSync, removeSync });
    }
  });
});

for (const [code, message] of [["ENOSPC", /no space left/], ["EROFS", /cannot be written/]] as const) {
  Deno.test(`${code} at any write or rename: a clear error, a clean store, and the next run completes`, async () => {
    using lab = openLab();
    const targets = Object.fromEntries([1, 2, 3].map((fill) => [`t${fill}`, write({}, { kiB: 1, fill })]));
    const { renameSync, writeFileSync } = Deno;
    for (const operation of ["rename", "write"] as const) {
      for (let failing = 0; failing < 3; failing++) {
        let calls = 0;
        const store = `${lab.root}/store-${operation}-${failing}`;
        const failIn = (folder: string, path: string | URL) => {
          if (!String(path).startsWith(`${store}/${folder}/`) || calls++ !== failing) return;
          throw Object.assign(new Error(code), { code });
        };
        Deno.renameSync = (from, to) => {
          if (operation === "rename") failIn("store", to);
          renameSync(from, to);
        };
        Deno.writeFileSync = (path, bytes, options) => {
          writeFileSync(path, bytes, options);
          if (operation === "write") failIn("tmp", path);
        };
        try {
          await assert.rejects(reproduce(targets, lab.options({ store, jobs: 1 })), { name: "StoreError", message });
        } finally {
          Object.assign(Deno, { renameSync, writeFileSync });
        }
        assert.ok((await fsck(store)).clean);
        assert.deepEqual([...Deno.readDirSync(`${store}/tmp`)], []);
        const { summary } = await reproduce(targets, lab.options({ store }));
        assert.equal(summary.executed + summary.cached, 3);
        assert.ok(summary.executed >= 1);
      }
    }
  });
}

Deno.test("lock files edited by hand, or left by a killed run, hold nothing up", async () => {
  using lab = openLab();
  const target = { bytes: write({}, { kiB: 1, fill: 4 }) };
  await reproduce(target, lab.options());
  for (const name of ["use.lock", "gpu.lock"]) {
    Deno.writeTextFileSync(`${lab.root}/store/${name}`, "pid 1, do not remove");
  }
  Deno.writeTextFileSync(`${lab.root}/store/locks/${"0".repeat(64)}`, "left over");
  const other = { bytes: write({}, { kiB: 1, fill: 5 }) };
  assert.equal((await reproduce(other, lab.options())).summary.executed, 1);
  assert.ok((await fsck(`${lab.root}/store`)).clean);
});
