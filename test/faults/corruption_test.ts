/**
 * Damages a finished store in one place at a time, by seed, then runs again: the published result must be the one that
 * a fresh store gives; an error must say what is wrong and what to do; another run, or fsck and another run, must end
 * it. `FTIM_FAULTS` says what share of the 2,000 cases is tried; 0.1 if it is not set, all in `deno task test:faults`.
 */
import assert from "node:assert/strict";
import { dirname } from "node:path";
import { codeDigests } from "../../pipeline/code.ts";
import {
  type CodeDigests,
  crateOf,
  fsck,
  PipelineError,
  publish,
  reproduce,
  silentReporter,
} from "../../pipeline/mod.ts";
import { openState } from "../../pipeline/state.ts";
import { casesOf } from "./cases.ts";
import { corrupt } from "./corrupt.ts";
import { targetsOf } from "./graph.ts";
import { copyFolder, filesBelow } from "./random.ts";

const CASES = casesOf(2000);

/** Texts, and the same with one changed: what is not, is taken from the records item by item. */
const TEXTS = { "a.txt": "alpha", "b.txt": "beta", "c.txt": "", "d/e.txt": "delta", "f.txt": "phi" };
const FOLDERS = { same: TEXTS, edited: { ...TEXTS, "b.txt": "BETA and more" } };

type Files = ReadonlyMap<string, string>;

interface Case {
  readonly source: string;
  readonly truth: Files;
  /** What a fresh store says of where they come from. */
  readonly origin: string;
  /** Null: asks Deno where the store has lost the module graph, which takes longer than all the rest. */
  readonly code: CodeDigests | null;
}

/** The digests as they would be, found out once. */
async function knownCode(store: string): Promise<CodeDigests> {
  using state = openState(store, { warn: assert.fail });
  const module = new URL("graph.ts", import.meta.url).href;
  const found = await codeDigests(state)([module]);
  return () => Promise.resolve(found);
}

/** Runs, publishes into an empty folder, and returns what is there. */
async function publishedBy(store: string, { source, code }: Pick<Case, "source" | "code">): Promise<Files> {
  const options = { store, jobs: 2, reporter: silentReporter(), ...(code === null ? {} : { codeDigests: code }) };
  const { trees } = await reproduce(targetsOf(source), options);
  const folder = `${store}-results`;
  try {
    for (const [name, tree] of Object.entries(trees)) await publish(tree, `${folder}/${name}`);
    return new Map(filesBelow(folder).map((path) => [path.slice(folder.length), Deno.readTextFileSync(path)]));
  } finally {
    await Deno.remove(folder, { recursive: true }).catch(() => null);
  }
}

/** Whether an error's message names what is wrong and says what to do, in words that are ours. */
function isClear(error: unknown): boolean {
  return error instanceof PipelineError && !/SyntaxError|TypeError|undefined|\bJSON\b|SQL/.test(error.message) &&
    /state\.db|stage "|stored object|\/runs\/|store/.test(error.message) &&
    /\b(run|choose|use|move|wait|free|remove)\b/i.test(error.message);
}

/** The run's crate, without what differs from run to run. */
async function describedBy(store: string): Promise<string> {
  const crate = await crateOf({ store, name: "n", description: "d", license: "MIT", workflow: "main.ts" });
  const rows = crate["@graph"].filter((entity) => /File|Dataset/.test(String(entity["@type"])));
  return JSON.stringify(rows.map(({ datePublished: _date, mentions: _mentions, ...rest }) => rest));
}

/** What became of one case: null where all was well. */
async function judge(store: string, { source, truth, origin, code }: Case): Promise<string | null> {
  const unclear: unknown[] = [];
  async function attempt<T>(work: () => Promise<T>): Promise<T | null> {
    try {
      return await work();
    } catch (error) {
      if (!isClear(error)) unclear.push(error);
      return null;
    }
  }
  const complaint = () => unclear.length === 0 ? null : `unclear: ${String(unclear[0])}`;
  const same = (found: Files) => JSON.stringify([...found].sort()) === JSON.stringify([...truth].sort());
  for (const repair of ["a rerun", "fsck", "nothing"]) {
    const found = await attempt(() => publishedBy(store, { source, code }));
    if (found !== null && !same(found)) return "wrong";
    if (found === null && repair === "nothing") return complaint() ?? "not healed";
    if (found === null && repair === "fsck") await attempt(() => fsck(store, { warn: () => {} }));
    if (found !== null) break;
  }
  // what the run did not read must not make fsck stumble, nor be left behind by it
  const check = () => attempt(() => fsck(store, { warn: () => {}, jobs: 1 }));
  const clean = (await check())?.clean === true || (await check())?.clean === true;
  if (!clean) return complaint() ?? "not clean after fsck";
  // and where the results come from must be told as before
  const described = await attempt(async () => {
    await publishedBy(store, { source, code });
    return await describedBy(store);
  });
  return complaint() ?? (described === origin ? null : "wrong origin");
}

Deno.test(`${CASES} damaged stores: none gives a wrong result, an unclear error, or damage that stays`, async () => {
  const root = Deno.makeTempDirSync({ prefix: "faults-" });
  try {
    const whole = `${root}/whole`;
    const cases: Omit<Case, "code">[] = [];
    for (const [name, texts] of Object.entries(FOLDERS)) {
      const source = `${root}/${name}`;
      for (const [path, text] of Object.entries(texts)) {
        Deno.mkdirSync(dirname(`${source}/${path}`), { recursive: true });
        Deno.writeTextFileSync(`${source}/${path}`, text);
      }
      const store = `${root}/fresh-${name}`;
      const truth = await publishedBy(store, { source, code: null });
      cases.push({ source, truth, origin: await describedBy(store) });
    }
    // old enough for the files to be known by their stamps; two runs, so that there are two records
    await new Promise((resolve) => setTimeout(resolve, 100));
    for (let run = 0; run < 2; run++) await publishedBy(whole, { source: `${root}/same`, code: null });
    const code = await knownCode(whole);
    const outcomes: string[] = [];
    for (let seed = 0; seed < CASES; seed++) {
      const store = `${root}/store-${seed}`;
      copyFolder(whole, store);
      const what = corrupt(store, seed);
      const chosen = cases[seed % 3 === 0 ? 1 : 0] ?? assert.fail();
      const outcome = await judge(store, { ...chosen, code: what.includes("closures") ? null : code });
      if (outcome !== null) outcomes.push(`seed ${seed}, ${what}: ${outcome}`);
      Deno.removeSync(store, { recursive: true });
    }
    const number = (word: string) => outcomes.filter((line) => line.includes(`: ${word}`)).length;
    const sum = `${number("wrong")} wrong, ${number("unclear")} unclear, ${number("not ")} not healed of ${CASES}`;
    assert.deepEqual(outcomes, [], `${sum}\n${outcomes.join("\n")}`);
  } finally {
    Deno.removeSync(root, { recursive: true });
  }
});
