import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { AbortedError, defineStage, reproduce, sha256, sourceFolder } from "../../pipeline/mod.ts";
import { openLab } from "./lab.ts";

const VICTIM = fileURLToPath(new URL("kill_victim.ts", import.meta.url));

/** How often the victim is killed; `KILLS=100` for a thorough run. */
const KILLS = Number(Deno.env.get("KILLS") ?? 15);

function spawn(root: string): Deno.ChildProcess {
  const args = ["run", "--no-check", "--allow-read", "--allow-write", "--allow-env", VICTIM, root];
  return new Deno.Command(Deno.execPath(), { args, stdout: "piped", stderr: "piped" }).spawn();
}

async function finish(root: string): Promise<{ sha256: string; executed: number; cached: number }> {
  const { success, stdout, stderr } = await spawn(root).output();
  assert.ok(success, new TextDecoder().decode(stderr));
  return JSON.parse(new TextDecoder().decode(stdout));
}

function files(folder: string): string[] {
  return [...Deno.readDirSync(folder)].flatMap(({ name, isDirectory }) =>
    isDirectory ? files(`${folder}/${name}`) : [`${folder}/${name}`]
  );
}

Deno.test("kill -9 at any moment: the next run finishes the work, with the same bytes and a clean store", async () => {
  using lab = openLab();
  const names = Array.from({ length: 60 }, (_, index) => String(index).padStart(2, "0"));
  const textOf = (name: string, round: number) => `text ${name} ${round}\n`;
  const put = (round: number) => lab.put(Object.fromEntries(names.map((name) => [`${name}.txt`, textOf(name, round)])));
  let round = 0;
  let random = 12345;
  for (let kill = 0; kill < KILLS; kill++) {
    // new inputs now and then, so that there is work to interrupt
    if (kill % 5 === 0) put(round = kill);
    const child = spawn(lab.root);
    random = (random * 1103515245 + 12345) % 2 ** 31;
    // most of the run's life, start-up and end included
    await new Promise((resolve) => setTimeout(resolve, 60 + (random / 2 ** 31) * 200));
    try {
      child.kill("SIGKILL");
    } catch {
      // it was faster
    }
    await child.output();
    for (const path of files(`${lab.root}/store/store`)) {
      assert.equal(sha256(Deno.readFileSync(path)), path.slice(-64), "a visible blob is whole");
    }
  }
  const { sha256: found, executed, cached } = await finish(lab.root);
  assert.equal(found, sha256(names.map((name) => textOf(name, round).repeat(2000)).join("")));
  assert.equal(executed + cached, 61);
  const leftovers = ["tmp", "locks", "scratch", "quarantine"].flatMap((name) => files(`${lab.root}/store/${name}`));
  assert.deepEqual(leftovers.filter((path) => !/\/locks\/[0-9a-f]{64}$/.test(path)), []);
  assert.equal((await finish(lab.root)).executed, 0);
});

Deno.test("runs at once, on a store that none has made yet, share the work: every item is executed once and none fails", async () => {
  using lab = openLab();
  lab.put(Object.fromEntries(Array.from({ length: 60 }, (_, index) => [`${index}.txt`, `text ${index}`])));
  const ended = await Promise.allSettled(Array.from({ length: 4 }, () => finish(lab.root)));
  const runs = ended.map((end) => {
    if (end.status === "rejected") throw end.reason;
    return end.value;
  });
  assert.equal(new Set(runs.map(({ sha256 }) => sha256)).size, 1);
  const lines = Deno.readTextFileSync(`${lab.root}/log`).trim().split("\n");
  assert.equal(lines.length, 61);
  assert.equal(new Set(lines).size, 61);
  assert.equal(runs.reduce((sum, { executed }) => sum + executed, 0), 61);
});

Deno.test("an aborted run ends at once, keeps what was done, keeps its scratch, and goes on later", async () => {
  using lab = openLab();
  lab.put({ "a.txt": "a", "b.txt": "b", "c.txt": "c" });
  const ran: string[] = [];
  const stage = defineStage({
    name: "slow",
    module: import.meta.url,
    inputs: { texts: "folder" },
    output: "out",
    each: ["texts"],
    determinism: "bitwise",
    run: ({ items: [item], scratch, signal }) => {
      if (item === undefined) return;
      ran.push(item.key);
      if (item.key === "b" && !Array.from(Deno.readDirSync(scratch)).some(({ name }) => name === "checkpoint")) {
        Deno.writeTextFileSync(`${scratch}/checkpoint`, "half way");
        controller.abort();
        // returns early with a partial result, which must not be recorded
        if (signal.aborted) return item.out.write("b.out", "partial");
      }
      item.out.write(`${item.key}.out`, "whole");
    },
  });
  let controller = new AbortController();
  const target = { x: stage({ texts: sourceFolder(lab.source) }) };
  const options = () => lab.options({ jobs: 1, signal: controller.signal });
  const error = await reproduce(target, options()).then(() => null, (reason) => reason);
  assert.ok(error instanceof AbortedError);
  assert.match(error.message, /interrupted: 1 results of this run are kept/);
  assert.deepEqual(ran.splice(0), ["a", "b"]);
  controller = new AbortController();
  const { trees, summary } = await reproduce(target, options());
  assert.deepEqual([ran, summary.executed, summary.cached], [["b", "c"], 2, 1]);
  assert.equal(await trees.x.text("b.out"), "whole");
  assert.deepEqual([...Deno.readDirSync(`${lab.root}/store/scratch`)], []);
});

Deno.test("a stage that ignores the signal is abandoned within two seconds and records nothing", async () => {
  using lab = openLab();
  lab.put({ "a.txt": "a" });
  const controller = new AbortController();
  let release = () => {};
  let ended: Promise<unknown> = Promise.resolve();
  const stage = defineStage({
    name: "deaf",
    module: import.meta.url,
    inputs: { texts: "folder" },
    output: "out",
    determinism: "bitwise",
    run: ({ out }) => {
      controller.abort();
      const work = new Promise<void>((resolve) => release = resolve).then(() => out.write("x", "late"));
      ended = work;
      return work;
    },
  });
  const before = performance.now();
  const target = { x: stage({ texts: sourceFolder(lab.source) }) };
  await assert.rejects(reproduce(target, lab.options({ signal: controller.signal })), AbortedError);
  assert.ok(performance.now() - before < 2000);
  release();
  await ended.catch(() => null);
  await new Promise((resolve) => setTimeout(resolve, 50));
});
