import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { AbortedError, defineStage, fsck, gc, reproduce, sha256, sourceFolder } from "../../pipeline/mod.ts";
import { recordedActions } from "../../pipeline/records.ts";
import { openState } from "../../pipeline/state.ts";
import { type Lab, openLab } from "./lab.ts";

const VICTIM = fileURLToPath(new URL("kill_victim.ts", import.meta.url));

/** How often the victim is killed at random; `KILLS=100` for a thorough run. */
const KILLS = Number(Deno.env.get("KILLS") ?? 6);

/** Places in a run where the victim can kill itself. */
export type KillPoint = typeof POINTS[number];
const POINTS = [
  "half a write",
  "before a rename",
  "after a rename",
  "a lock made",
  "before a commit",
  "after a commit",
  "after a removal",
] as const;

function spawn(root: string, ...args: readonly string[]): Deno.ChildProcess {
  const permissions = ["--allow-read", "--allow-write", "--allow-env", ...(args.length > 0 ? ["--allow-run"] : [])];
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-check", ...permissions, VICTIM, root, ...args],
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

async function finish(root: string): Promise<{ sha256: string; executed: number; cached: number; seconds: number }> {
  const { success, stdout, stderr } = await spawn(root).output();
  assert.ok(success, new TextDecoder().decode(stderr));
  return JSON.parse(new TextDecoder().decode(stdout));
}

function files(folder: string): string[] {
  try {
    return [...Deno.readDirSync(folder)].flatMap(({ name, isDirectory }) =>
      isDirectory ? files(`${folder}/${name}`) : [`${folder}/${name}`]
    );
  } catch (error) {
    // killed before it was made
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

/** Sixty small inputs; another round has other texts. */
function openTask(lab: Lab) {
  const names = Array.from({ length: 60 }, (_, index) => String(index).padStart(2, "0"));
  const textOf = (name: string, round: number) => `text ${name} ${round}\n`;
  return {
    put: (round: number) => lab.put(Object.fromEntries(names.map((name) => [`${name}.txt`, textOf(name, round)]))),
    expected: (round: number) => sha256(names.map((name) => textOf(name, round).repeat(2000)).join("")),
  };
}

/** Visible blobs are whole and the records are right, as they are, before any run has repaired something. */
async function checkStore(root: string): Promise<void> {
  for (const path of files(`${root}/store/store`)) {
    assert.equal(sha256(Deno.readFileSync(path)), path.slice(-64), "a visible blob is whole");
  }
  if (files(`${root}/store`).some((path) => path.endsWith("state.db"))) {
    assert.ok((await fsck(`${root}/store`)).clean);
  }
}

/** The next run needs nothing but to be started, makes the right bytes and leaves nothing lying about. */
async function checkFinish(root: string, expected: string): Promise<void> {
  const { sha256: found, executed, cached } = await finish(root);
  assert.equal(found, expected);
  assert.equal(executed + cached, 61);
  const leftovers = ["tmp", "locks", "scratch", "quarantine"].flatMap((name) => files(`${root}/store/${name}`));
  assert.deepEqual(leftovers.filter((path) => !/\/locks\/[0-9a-f]{64}$/.test(path)), []);
  assert.equal((await finish(root)).executed, 0);
}

Deno.test("kill -9 in store writes and around database commits: a clean store, and the next run finishes", async () => {
  using lab = openLab();
  const { put, expected } = openTask(lab);
  let round = 0;
  for (const [index, point] of POINTS.entries()) {
    put(++round);
    const { signal } = await spawn(lab.root, point, `${1 + 4 * (index % 3)}`).output();
    assert.equal(signal, "SIGKILL", point);
    await checkStore(lab.root);
  }
  await checkFinish(lab.root, expected(round));
});

Deno.test("kill -9 at random instants: a clean store after each, and the next run finishes the work", async () => {
  using lab = openLab();
  const { put, expected } = openTask(lab);
  put(0);
  const start = performance.now();
  await finish(lab.root);
  const life = performance.now() - start;
  let round = 0;
  let random = 12345;
  for (let kill = 0; kill < KILLS; kill++) {
    // new inputs now and then, so that there is work to interrupt
    if (kill % 4 === 0) put(round = kill + 1);
    const child = spawn(lab.root);
    random = (random * 1103515245 + 12345) % 2 ** 31;
    // any instant of the run's life, start-up and end included
    await new Promise((resolve) => setTimeout(resolve, life * random / 2 ** 31));
    try {
      child.kill("SIGKILL");
    } catch {
      // it was faster
    }
    await child.output();
    await checkStore(lab.root);
  }
  await checkFinish(lab.root, expected(round));
});

Deno.test("a database log that ends anywhere, as when killed in a commit, loses its end and nothing else", async () => {
  using lab = openLab();
  const { put, expected } = openTask(lab);
  put(1);
  await spawn(lab.root, "after a commit", "12").output();
  const log = `${lab.root}/store/state.db-wal`;
  const whole = Deno.statSync(log).size;
  const copy = `${lab.root}/copy`;
  for (const share of [0.99, 0.7, 0.35, 0.01]) {
    await new Deno.Command("cp", { args: ["-r", `${lab.root}/store`, copy] }).output();
    Deno.truncateSync(`${copy}/state.db-wal`, Math.floor(whole * share));
    Deno.removeSync(`${copy}/state.db-shm`);
    assert.ok((await fsck(copy)).clean);
    Deno.removeSync(copy, { recursive: true });
  }
  Deno.truncateSync(log, Math.floor(whole / 2));
  Deno.removeSync(`${lab.root}/store/state.db-shm`);
  await checkFinish(lab.root, expected(1));
});

Deno.test("runs at once, on a store that none has made yet, share the work: each item is executed once", async () => {
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

Deno.test("collections that race with runs: each is refused or waits its turn, and no run fails", async () => {
  using lab = openLab();
  const { put, expected } = openTask(lab);
  put(1);
  let running = true;
  const runs = Promise.all(Array.from({ length: 3 }, async () => {
    for (let turn = 0; turn < 2; turn++) assert.equal((await finish(lab.root)).sha256, expected(1));
  })).finally(() => running = false);
  const outcomes = new Set<string>();
  while (running) {
    // everything is fair game: neither the last runs nor young work is spared
    const collected = gc({ store: `${lab.root}/store`, runs: 0, graceMs: 0 });
    outcomes.add(await collected.then(() => "collected", (error: Error) => error.message.replace(/ \/.*/, "")));
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await runs;
  for (const outcome of ["collected", "there is no store at", "a run is using"]) outcomes.delete(outcome);
  assert.deepEqual([...outcomes], []);
  await checkStore(lab.root);
  await checkFinish(lab.root, expected(1));
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

Deno.test("a stage that ignores the signal is abandoned and records nothing", async () => {
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
  const target = { x: stage({ texts: sourceFolder(lab.source) }) };
  await assert.rejects(reproduce(target, lab.options({ signal: controller.signal })), AbortedError);
  // it ended although the stage has not
  release();
  await ended.catch(() => null);
  await new Promise((resolve) => setTimeout(resolve, 50));
  using state = openState(`${lab.root}/store`, { warn: assert.fail });
  assert.deepEqual([...recordedActions(state)], []);
});
