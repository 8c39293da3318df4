/** A finished run to send, and what any shared store must do with it. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { type Artifact, pull, push, type Remote, reproduce, sourceFolder } from "../../pipeline/mod.ts";
import { type Lab, openLab, textStages } from "./lab.ts";

/** A run of two stages over three texts, one of which is skipped: three blobs, 45 bytes. */
export async function openRun(lab: Lab) {
  lab.put({ "a.txt": "a", "b.txt": "b", "c.txt": "" });
  const { ran, upper, total } = textStages();
  const target = (): { total: Artifact } => ({ total: total({ texts: upper({ texts: sourceFolder(lab.source) }) }) });
  const { trees } = await reproduce(target(), lab.options());
  ran.length = 0;
  const { sha256 } = trees.total.entry("total.json");
  return {
    ran,
    target,
    home: join(lab.root, "store"),
    away: join(lab.root, "away"),
    /** The name in a shared store of what `total` made. */
    total: `sha256/${sha256.slice(0, 2)}/${sha256}`,
  };
}

/** What {@link openRun}'s results come to. */
export const ALL = { stages: 2, unfinished: 0, blobs: 3, bytes: 45 };
/** Nothing. */
export const NOTHING = { stages: 0, unfinished: 0, blobs: 0, bytes: 0 };
/** What `pull` says beside, if all is well. */
export const WELL = { absent: 0, incomplete: [] };

/** Pushes from one store, pulls into another, damages an object there, and has it mended. */
export async function checkRemote(remote: Remote): Promise<void> {
  using lab = openLab();
  const { ran, target, home, away, total } = await openRun(lab);
  const signal = new AbortController().signal;
  const replace = async (text: string) => {
    const bytes = new TextEncoder().encode(text);
    async function* read() {
      yield bytes;
    }
    await remote.put(total, { size: bytes.length, read, signal });
  };
  const options = lab.options({ store: away });
  await assert.rejects(pull(remote, target(), options), /there is no store of ours in .*: nobody has pushed there/);
  assert.deepEqual(await push(remote, { store: home }), { ...ALL, replaced: 0 });
  assert.deepEqual(await push(remote, { store: home }), { ...NOTHING, replaced: 0 });
  assert.deepEqual(await pull(remote, target(), options), { ...ALL, ...WELL });
  assert.deepEqual(await pull(remote, target(), options), { ...NOTHING, ...WELL });
  const { summary } = await reproduce(target(), options);
  assert.deepEqual([ran, summary.executed], [[], 0]);
  const other = lab.options({ store: join(lab.root, "other") });
  lab.code = "other code";
  assert.deepEqual(await pull(remote, target(), other), { ...NOTHING, absent: 2, incomplete: [] });
  lab.code = "code 1";
  // one stage's object is cut short there: the other stage is whole
  await replace("cut");
  const pulled = await pull(remote, target(), other);
  assert.deepEqual([pulled.stages, pulled.incomplete.map(({ stage }) => stage)], [1, ["total"]]);
  assert.match(pulled.incomplete[0]?.reason ?? "", /object [0-9a-f]{64} is damaged/);
  const mended = await push(remote, { store: home });
  assert.deepEqual([mended.stages, mended.blobs, mended.replaced], [0, 1, 1]);
  // of the same length, it is found when it is read
  await replace("x".repeat(43));
  assert.equal((await push(remote, { store: home })).blobs, 0);
  assert.equal((await push(remote, { store: home, verify: true })).replaced, 1);
  assert.equal((await pull(remote, target(), other)).stages, 1);
  await reproduce(target(), other);
  assert.deepEqual(ran, []);
}
