/** Stores of earlier versions of the engine: recomputed and said by name, or refused; never misread. */
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { explain, fsck, provenanceText, publish, reproduce, sourceFolder } from "../../pipeline/mod.ts";
import { nodeKey, type NodePreimage } from "../../pipeline/keys.ts";
import { finishedNodes, forget } from "../../pipeline/records.ts";
import { openState } from "../../pipeline/state.ts";
import { openLab, textStages } from "./lab.ts";

Deno.test("records under an earlier schema are history: explain names the schema, and none is used", async () => {
  using lab = openLab();
  lab.put({ "a.txt": "a" });
  const { ran, total } = textStages();
  const texts = { ...sourceFolder(lab.source), kind: "texts" } as const;
  const target = { total: total({ texts }) };
  const { trees } = await reproduce(target, lab.options());
  const store = `${lab.root}/store`;
  {
    using state = openState(store, { warn: () => {} });
    const [node] = finishedNodes(state);
    assert.ok(node !== undefined);
    // as it was before code was named from the workspace's folder: another schema, and a code document without aliases
    const code = state.putDocument(JSON.stringify({ modules: { "pipeline/old.ts": "0".repeat(64) }, packages: {} }));
    const preimage: NodePreimage = { ...JSON.parse(node.preimage), schema: 1, code };
    const record = state.node(node.key);
    assert.ok(record !== null);
    state.recordNode({ ...record, ...nodeKey(preimage) }, 1);
    forget(state, { nodes: [node.key], actions: [] });
    state.db.prepare("DELETE FROM actions").run();
  }
  ran.length = 0;
  const [row] = await explain(target, "total", lab.options());
  assert.deepEqual([row?.state, row?.reasons], ["stale", ["engine schema: 1 → 3"]]);
  await publish(trees.total, `${lab.root}/results`);
  assert.match(await provenanceText(`${lab.root}/results/total.json`, { store }), /is total\.json of stage "total"/);
  await reproduce(target, lab.options());
  assert.deepEqual(ran, ["total"]);
  assert.ok((await fsck(store)).clean);
});

Deno.test("a database of another form is refused by name, and left as it is", async () => {
  using lab = openLab();
  lab.put({ "a.txt": "a" });
  const { upper } = textStages();
  const target = { upper: upper({ texts: sourceFolder(lab.source) }) };
  Deno.mkdirSync(`${lab.root}/store`);
  const path = `${lab.root}/store/state.db`;
  {
    const db = new DatabaseSync(path);
    db.exec("CREATE TABLE nodes (key TEXT PRIMARY KEY, stage TEXT, tree TEXT) WITHOUT ROWID");
    db.exec("INSERT INTO nodes VALUES ('k', 's', 't')");
    db.close();
  }
  const refusal =
    /state\.db is of another version of the engine \(its table "nodes" has another form\); use another store/;
  await assert.rejects(reproduce(target, lab.options()), refusal);
  await assert.rejects(reproduce(target, lab.options()), { name: "StoreError" });
  const db = new DatabaseSync(path, { readOnly: true });
  assert.deepEqual({ ...db.prepare("SELECT * FROM nodes").get() }, { key: "k", stage: "s", tree: "t" });
  db.close();
  Deno.removeSync(path);
  await reproduce(target, lab.options());
});

Deno.test("a database of another program or number is refused by name; one flipped bit is mended", async () => {
  using lab = openLab();
  lab.put({ "a.txt": "a" });
  const { ran, upper } = textStages();
  const target = { upper: upper({ texts: sourceFolder(lab.source) }) };
  await reproduce(target, lab.options());
  const path = `${lab.root}/store/state.db`;
  const change = (sql: string) => {
    const db = new DatabaseSync(path);
    db.exec(sql);
    db.close();
  };
  const number = (pragma: string) => {
    const db = new DatabaseSync(path);
    const found = Number(db.prepare(`PRAGMA ${pragma}`).get()?.[pragma]);
    db.close();
    return found;
  };
  const mark = number("user_version");
  for (const pragma of ["application_id", "user_version"]) {
    for (const bit of [0, 9, 30]) {
      change(`PRAGMA ${pragma} = ${mark ^ (1 << bit)}`);
      ran.length = 0;
      await reproduce(target, lab.options());
      assert.deepEqual([ran, number(pragma)], [[], mark]);
    }
  }
  change(`PRAGMA application_id = ${mark + 8}; PRAGMA user_version = ${mark + 8}`);
  const other =
    /store\/state\.db is of another version of the engine \(its form is 9, and this version reads 1\); use an/;
  for (const work of [() => reproduce(target, lab.options()), () => fsck(`${lab.root}/store`)]) {
    await assert.rejects(work(), { name: "StoreError", message: other });
  }
  Deno.removeSync(path);
  change("CREATE TABLE customers (name TEXT); INSERT INTO customers VALUES ('Ada')");
  const foreign =
    /store\/state\.db is a database of another program \(it holds "customers"\); use another store, or move/;
  await assert.rejects(reproduce(target, lab.options()), { name: "StoreError", message: foreign });
  const db = new DatabaseSync(path, { readOnly: true });
  assert.deepEqual(db.prepare("SELECT * FROM customers").all().map((row) => ({ ...row })), [{ name: "Ada" }]);
  db.close();
});
