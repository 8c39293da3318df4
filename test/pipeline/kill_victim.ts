/**
 * A run in a process of its own, for tests that kill it: `kill_victim.ts ROOT [POINT NUMBER]`. Appends what it
 * executes to ROOT/log. Given a point, it kills itself there, the so-manieth time that it comes by.
 */
import { DatabaseSync } from "node:sqlite";
import { defineStage, reproduce, silentReporter, sourceFolder } from "../../pipeline/mod.ts";
import type { KillPoint } from "./crash_test.ts";

const [root = "", point, number = "1"] = Deno.args;
let passes = 0;

/** The end of this process, where this is the place and time for it; `last` is done before. */
function pass(here: KillPoint, last = () => {}): void {
  if (here !== point || ++passes < Number(number)) return;
  last();
  Deno.kill(Deno.pid, "SIGKILL");
  // the signal may arrive a moment later
  for (;;);
}

const { writeFileSync, renameSync, openSync, removeSync } = Deno;
Deno.writeFileSync = (path, bytes, options) => {
  pass("half a write", () => writeFileSync(path, (bytes as Uint8Array).subarray(0, bytes.length >> 1), options));
  writeFileSync(path, bytes, options);
};
Deno.renameSync = (from, to) => {
  pass("before a rename");
  renameSync(from, to);
  pass("after a rename");
};
Deno.openSync = (path, options) => {
  const file = openSync(path, options);
  if (String(path).includes("/locks/")) pass("a lock made");
  return file;
};
Deno.removeSync = (path, options) => {
  removeSync(path, options);
  pass("after a removal");
};
const { exec } = DatabaseSync.prototype;
DatabaseSync.prototype.exec = function (sql) {
  if (sql === "COMMIT") pass("before a commit");
  exec.call(this, sql);
  if (sql === "COMMIT") pass("after a commit");
};

function log(line: string): void {
  Deno.writeTextFileSync(`${root}/log`, `${line}\n`, { append: true });
}

const repeat = defineStage({
  name: "repeat",
  module: import.meta.url,
  inputs: { texts: "folder" },
  output: "texts",
  each: ["texts"],
  batch: 3,
  determinism: "bitwise",
  run: async ({ items }) => {
    for (const { key, inputs, out } of items) {
      log(`repeat ${key}`);
      await new Promise((resolve) => setTimeout(resolve, 2));
      out.write(`${key}.txt`, (await inputs.texts.text(`${key}.txt`)).repeat(2000));
    }
  },
});
const join = defineStage({
  name: "join",
  module: import.meta.url,
  inputs: { texts: "texts" },
  output: "text",
  determinism: "bitwise",
  run: async ({ inputs, out, scratch }) => {
    log("join");
    Deno.writeTextFileSync(`${scratch}/state`, "half");
    out.write("all.txt", (await Promise.all(inputs.texts.paths.map((path) => inputs.texts.text(path)))).join(""));
  },
});

const { trees, summary } = await reproduce(
  { all: join({ texts: repeat({ texts: sourceFolder(`${root}/in`) }) }) },
  {
    store: `${root}/store`,
    jobs: 2,
    reporter: silentReporter(),
    codeDigests: (modules) => Promise.resolve(new Map(modules.map((url) => [url, { modules: {}, packages: {} }]))),
  },
);
console.log(JSON.stringify({ sha256: trees.all.entry("all.txt").sha256, ...summary }));
