/**
 * Archives and shared folders with one fault each, by seed: what comes of one is a clear error or the true result, and
 * nothing is written beside the store and the folder that is published into. `FTIM_FAULTS` says what share of the 1,000
 * cases is tried; 0.1 if it is not set, all in `deno task test:faults`.
 */
import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import {
  AbortedError,
  type CodeDigests,
  exportRun,
  folderRemote,
  fsck,
  importRun,
  type Options,
  PipelineError,
  publish,
  pull,
  push,
  reproduce,
  sha256,
  silentReporter,
} from "../../pipeline/mod.ts";
import { casesOf } from "./cases.ts";
import { forgeFolder, forgeTar } from "./forge.ts";
import { targetsOf } from "./graph.ts";
import { copyFolder, filesBelow } from "./random.ts";

const CASES = casesOf(1000);

/** What a process may grow by while it takes things in, in bytes. */
const MEMORY = 400 << 20;

const TEXTS = { "a.txt": "alpha", "b.txt": "beta", "c.txt": "", "d/e.txt": "delta" };

const codeDigests: CodeDigests = (modules) =>
  Promise.resolve(new Map(modules.map((url) => [url, { modules: { "graph.ts": sha256("code") }, packages: {} }])));

function optionsOf(store: string): Options {
  return { store, jobs: 2, reporter: silentReporter(), codeDigests };
}

/** Computes what is not there, publishes, and returns what is in the folder then. */
async function publishedBy(store: string, { source, folder }: { readonly source: string; readonly folder: string }) {
  const { trees, summary } = await reproduce(targetsOf(source), optionsOf(store));
  for (const [name, tree] of Object.entries(trees)) await publish(tree, join(folder, name));
  const files = filesBelow(folder).map((path) => [path.slice(folder.length), Deno.readTextFileSync(path)]);
  return { files: JSON.stringify(files), executed: summary.executed };
}

/** An error that says which thing is wrong, in words that are ours. */
function isClear(error: unknown): boolean {
  return error instanceof PipelineError && !(error instanceof AbortedError) &&
    /\/(run\.tar|shared)\b/.test(error.message) &&
    !/TypeError|SyntaxError|RangeError|undefined|\[object/.test(error.message);
}

interface Case {
  /** The folder of this case, in which it may write `store`, `out`, `run.tar` and `shared`. */
  readonly root: string;
  readonly source: string;
  readonly home: string;
  readonly truth: string;
}

/** What went wrong in one case, or null. */
type Judge = (seed: number, one: Case) => Promise<string | null>;

async function attempt(work: () => Promise<unknown>): Promise<string | null> {
  try {
    await work();
    return null;
  } catch (error) {
    return isClear(error) ? null : `unclear: ${error instanceof Error ? `${error.name} ${error.message}` : error}`;
  }
}

/** Whether the true result comes out of the store, and nothing lies about. */
async function judgeStore({ root, source, truth }: Case): Promise<string | null> {
  const store = join(root, "store");
  const { files } = await publishedBy(store, { source, folder: join(root, "out") });
  if (files !== truth) return "wrong: another result";
  const strangers = [...Deno.readDirSync(root), ...Deno.readDirSync(dirname(root))].map(({ name }) => name)
    .filter((name) => !/^(store|out|run\.tar|shared|source|home|whole|\d+)$/.test(name));
  if (strangers.length > 0) return `escaped: ${strangers.join(", ")}`;
  return (await fsck(store, { warn: () => {}, jobs: 1 })).clean ? null : "wrong: fsck is not clean";
}

function judgeTar(tar: Uint8Array): Judge {
  return async (seed, one) => {
    const path = join(one.root, "run.tar");
    const { what, bytes } = forgeTar(tar, seed);
    Deno.writeFileSync(path, bytes);
    const store = join(one.root, "store");
    const fault = await attempt(() => importRun(path, { store })) ?? await judgeStore(one);
    return fault === null ? null : `archive, ${what}: ${fault}`;
  };
}

function judgeFolder(whole: string): Judge {
  return async (seed, one) => {
    const shared = join(one.root, "shared");
    copyFolder(whole, shared);
    const what = forgeFolder(shared, seed);
    const remote = folderRemote(shared);
    const targets = targetsOf(one.source);
    const fault = await attempt(() => pull(remote, targets, optionsOf(join(one.root, "store")))) ??
      await judgeStore(one) ?? await attempt(() => mend(one, what));
    return fault === null ? null : `folder, ${what}: ${fault}`;
  };
}

/** Whoever has it all pushes again: then the shared folder is whole, but for what only its owner can remove. */
async function mend({ root, home, source }: Case, what: string): Promise<void> {
  const remote = folderRemote(join(root, "shared"));
  await push(remote, { store: home, verify: true });
  const fresh = optionsOf(join(root, "store"));
  Deno.removeSync(join(root, "store"), { recursive: true });
  const { incomplete, absent } = await pull(remote, targetsOf(source), fresh);
  assert.deepEqual({ incomplete, absent }, { incomplete: [], absent: 0 }, what);
  assert.equal((await reproduce(targetsOf(source), fresh)).summary.executed, 0, what);
}

Deno.test(`${CASES} faulty archives and shared folders: a clear error or the truth, and nothing escapes`, async () => {
  const base = Deno.makeTempDirSync({ prefix: "travel-" });
  try {
    const [source, home, whole] = ["source", "home", "whole"].map((name) => join(base, name)) as [
      string,
      string,
      string,
    ];
    for (const [path, text] of Object.entries(TEXTS)) {
      Deno.mkdirSync(dirname(join(source, path)), { recursive: true });
      Deno.writeTextFileSync(join(source, path), text);
    }
    const { files: truth } = await publishedBy(home, { source, folder: join(base, "0") });
    await exportRun(join(base, "1"), { store: home });
    await push(folderRemote(whole), { store: home });
    const judges = [judgeTar(Deno.readFileSync(join(base, "1"))), judgeFolder(whole)];
    const before = Deno.memoryUsage().rss;
    const outcomes: string[] = [];
    for (let seed = 0; seed < CASES; seed++) {
      const root = join(base, String(seed + 2));
      Deno.mkdirSync(root);
      const judge = judges[seed % 5 < 3 ? 0 : 1] ?? assert.fail();
      const outcome = await judge(seed, { root, source, home, truth }).catch((error) => `crashed: ${error}`);
      if (outcome !== null) outcomes.push(`seed ${seed}, ${outcome}`);
      Deno.removeSync(root, { recursive: true });
    }
    assert.deepEqual(outcomes, [], `${outcomes.length} of ${CASES}\n${outcomes.join("\n")}`);
    const grown = Deno.memoryUsage().rss - before;
    assert.ok(grown < MEMORY, `the process grew by ${Math.round(grown / 2 ** 20)} MiB`);
  } finally {
    Deno.removeSync(base, { recursive: true });
  }
});
