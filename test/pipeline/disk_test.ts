/**
 * A full and a read-only disk, for real: a small tmpfs, which needs root and the permission to run mount
 * (`--allow-run=mount,umount`); elsewhere these are skipped with a line that says why. Failed writes are also injected, which
 * works everywhere.
 */
import assert from "node:assert/strict";
import { z } from "zod";
import { defineStage, fsck, reproduce } from "../../pipeline/mod.ts";
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

for (const [code, message] of [["ENOSPC", /no space left/], ["EROFS", /cannot be written/]] as const) {
  Deno.test(`${code} at any rename into the store: a clear error, a clean store, and the next run completes`, async () => {
    using lab = openLab();
    const targets = Object.fromEntries([1, 2, 3].map((fill) => [`t${fill}`, write({}, { kiB: 1, fill })]));
    const rename = Deno.renameSync;
    for (let failing = 0; failing < 3; failing++) {
      let calls = 0;
      Deno.renameSync = (from, to) => {
        if (String(to).includes("/sha256/") && calls++ === failing) throw Object.assign(new Error(code), { code });
        rename(from, to);
      };
      try {
        await assert.rejects(reproduce(targets, lab.options({ store: `${lab.root}/store-${failing}`, jobs: 1 })), {
          name: "StoreError",
          message,
        });
      } finally {
        Deno.renameSync = rename;
      }
      const store = `${lab.root}/store-${failing}`;
      assert.ok((await fsck(store)).clean);
      const { summary } = await reproduce(targets, lab.options({ store }));
      assert.equal(summary.executed + summary.cached, 3);
      assert.ok(summary.executed >= 1);
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
