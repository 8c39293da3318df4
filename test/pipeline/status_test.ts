import assert from "node:assert/strict";
import { crc32 } from "node:zlib";
import { z } from "zod";
import { defineStage, explain, reproduce, sourceFolder, statusOf, statusText, verify } from "../../pipeline/mod.ts";
import { openLab, textStages } from "./lab.ts";

Deno.test("status and explain name what changed, field by field, and run nothing", async () => {
  using lab = openLab();
  lab.put({ "a.txt": "a", "b.txt": "b", "c.txt": "c" });
  const { ran, upper, total } = textStages();
  const graph = (suffix = "") => ({ total: total({ texts: upper({ texts: sourceFolder(lab.source) }, { suffix }) }) });
  const status = async (suffix = "") => {
    const rows = await statusOf(graph(suffix), lab.options());
    return Object.fromEntries(rows.map(({ label, state, todo, reasons }) => [label, { state, todo, reasons }]));
  };
  const waits = ["input texts: waits for upper"];
  await reproduce({}, lab.options());
  assert.deepEqual(await status(), {
    upper: { state: "stale", todo: 3, reasons: ["never run with this store"] },
    total: { state: "stale", todo: null, reasons: ["never run with this store", ...waits] },
  });
  await reproduce(graph(), lab.options());
  ran.length = 0;
  const fresh = { state: "fresh", todo: 0, reasons: [] };
  assert.deepEqual(await status(), { upper: fresh, total: fresh });
  assert.deepEqual(await status("!"), {
    upper: { state: "stale", todo: 3, reasons: ['param suffix: "" → "!"'] },
    total: { state: "waiting", todo: null, reasons: waits },
  });
  lab.put({ "b.txt": "other", "d.txt": "d" });
  const edited = await status();
  assert.deepEqual(edited.upper, {
    state: "stale",
    todo: 2,
    reasons: ["input texts: 1 of 4 files changed (b.txt); 1 of 4 files new (d.txt)"],
  });
  lab.code = "code 2";
  const [row] = await explain(graph(), "upper", lab.options());
  assert.deepEqual(row?.reasons, [
    "code: stage.ts changed",
    "input texts: 1 of 4 files changed (b.txt); 1 of 4 files new (d.txt)",
  ]);
  await assert.rejects(
    explain(graph(), "missing", lab.options()),
    /there is no stage "missing" here; there are upper, total/,
  );
  await assert.rejects(explain(graph(), "uper", lab.options()), /no stage "uper" here; did you mean "upper"\?/);
  assert.match(
    statusText(await statusOf(graph(), lab.options())),
    /^upper +stale 4 of 4 items\n +└ code: stage\.ts changed/,
  );
  assert.deepEqual(ran, []);
});

Deno.test("explain names the Deno that computed a stage, and the one that runs now", async () => {
  using lab = openLab();
  lab.put({ "a.txt": "a" });
  const { upper } = textStages();
  const graph = { upper: upper({ texts: sourceFolder(lab.source) }) };
  const notes = async () => statusText(await explain(graph, "upper", lab.options())).split("\n").at(-2)?.trim();
  const now = Deno.version.deno;
  await reproduce({}, lab.options());
  assert.equal(await notes(), `└ Deno ${now}`);
  await reproduce(graph, lab.options());
  await reproduce(graph, lab.options());
  assert.equal(await notes(), `└ Deno ${now}, as when it was last computed`);
  for (const { name } of [...Deno.readDirSync(`${lab.root}/store/runs`)]) {
    const path = `${lab.root}/store/runs/${name}`;
    const record = JSON.parse(Deno.readTextFileSync(path));
    record.versions.deno = record.summary.executed > 0 ? "2.9.0" : "2.9.1";
    const text = JSON.stringify(record);
    Deno.removeSync(path);
    // a record's name ends with the checksum of its text
    Deno.writeTextFileSync(
      path.replace(/[0-9a-f]{8}\.json$/, `${crc32(text).toString(16).padStart(8, "0")}.json`),
      text,
    );
  }
  assert.equal(await notes(), `└ Deno 2.9.0 → ${now}, in no key`);
});

Deno.test("status counts the differences of a long list of parameters, explain names more of them", async () => {
  using lab = openLab();
  const listed = defineStage({
    name: "listed",
    module: import.meta.url,
    inputs: {},
    output: "text",
    params: z.strictObject({ words: z.array(z.string()) }),
    determinism: "bitwise",
    run: ({ params, out }) => out.write("words.txt", params.words.join("\n")),
  });
  const graph = (letter: string) => ({ list: listed({}, { words: Array.from({ length: 50 }, (_, i) => letter + i) }) });
  await reproduce(graph("a"), lab.options());
  const reasons = async (names: number) => (await statusOf(graph("b"), { ...lab.options(), names }))[0]!.reasons;
  assert.deepEqual(await reasons(2), [
    'param words.0: "a0" → "b0"',
    'param words.1: "a1" → "b1"',
    "param: 48 more changes",
  ]);
  assert.equal((await reasons(49)).length, 50);
});

Deno.test("status, explain and verify: a store that is not there is named, and not made", async () => {
  using lab = openLab();
  lab.put({ "a.txt": "a" });
  const { upper } = textStages();
  const target = { up: upper({ texts: sourceFolder(lab.source) }) };
  const options = lab.options({ store: `${lab.root}/typo` });
  const looks = [statusOf, verify, () => explain(target, "upper", options)];
  for (const look of looks) {
    await assert.rejects(look(target, options), /there is no store at .*typo: run reproduce first/);
  }
  assert.deepEqual([...Deno.readDirSync(lab.root)].map(({ name }) => name), ["in"]);
});
