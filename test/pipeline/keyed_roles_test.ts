import assert from "node:assert/strict";
import { z } from "zod";
import {
  type Artifact,
  crateOf,
  defineStage,
  explain,
  exportRun,
  graphMermaid,
  graphOf,
  graphText,
  importRun,
  map,
  pick,
  provenanceText,
  publish,
  reproduce,
  sourceFolder,
  statusOf,
  type Tree,
  verify,
} from "../../pipeline/mod.ts";
import { planOf } from "../../pipeline/plan.ts";
import { openLab, textStages } from "./lab.ts";

/** score: one number per parameter; table: whole, from any number of scores by name; both log what they ran. */
function tableStages() {
  const ran: string[] = [];
  const score = defineStage({
    name: "score",
    module: import.meta.url,
    inputs: {},
    output: "metrics",
    params: z.object({ value: z.number() }).strict(),
    determinism: "bitwise",
    run: ({ out, params }) => {
      ran.push(`score ${params.value}`);
      out.json("score.json", params.value);
    },
  });
  const table = defineStage({
    name: "table",
    module: import.meta.url,
    inputs: { real: map("metrics"), notes: "texts?" },
    output: "table",
    determinism: "bitwise",
    run: async ({ inputs, out }) => {
      ran.push("table");
      const rows = Object.entries(inputs.real).map(async ([name, tree]) => [name, await tree.json("score.json")]);
      out.json("table.json", await Promise.all(rows));
      out.json("names.json", { bare: inputs.real.constructor === undefined, notes: inputs.notes?.paths ?? null });
    },
  });
  return { ran, score, table };
}

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true : false;

Deno.test("a map role's types: artifacts by name go in, trees by name come out, and it is in no each", () => {
  const { score, table } = tableStages();
  const texts = sourceFolder("texts");
  // @ts-expect-error: an artifact of another kind
  assert.throws(() => table({ real: { a: texts } }), TypeError);
  // @ts-expect-error: two artifacts of different kinds
  assert.throws(() => table({ real: { a: score({}, { value: 1 }), b: texts } }), TypeError);
  // @ts-expect-error: an artifact without a name
  assert.throws(() => table({ real: score({}, { value: 1 }) }), TypeError);
  // @ts-expect-error: the role cannot be left out
  assert.throws(() => table({}), /input "real" is missing; give \{\} if there is no "metrics"/);
  // @ts-expect-error: names where one artifact is wanted
  assert.throws(() => table({ real: {}, notes: { a: texts } }), /input "notes" takes one artifact/);
  const optional: boolean = Math.random() < 2;
  table({ real: { a: optional ? score({}, { value: 1 }) : undefined } });
  const common = { module: import.meta.url, output: "x", determinism: "bitwise" } as const;
  defineStage({
    ...common,
    name: "typed",
    inputs: { real: map("metrics"), texts: "folder" },
    each: ["texts"],
    run: ({ inputs, items }) => {
      const shared: Same<typeof inputs.real, Readonly<Record<string, Tree>>> = true;
      const own: Same<keyof (typeof items)[number]["inputs"], "texts"> = true;
      assert.ok(shared && own);
    },
  });
  const keyed: Same<ReturnType<typeof map<"metrics">>, "metrics*"> = true;
  assert.ok(keyed);
  assert.throws(
    // @ts-expect-error: a map role cannot be in each
    () => defineStage({ ...common, name: "mapped", inputs: { real: map("m") }, each: ["real"], run: () => {} }),
    /stage "mapped": "real" takes artifacts by name and cannot be in "each"/,
  );
  assert.throws(() => map("metrics?"), /"metrics\?" cannot be the kind of a map/);
});

Deno.test("a name that cannot be one, another kind, a record that is none: each is refused by name", () => {
  const { score, table } = tableStages();
  const one = score({}, { value: 1 });
  const call = (real: object) => () => table({ real: real as Record<string, Artifact<"metrics">> });
  const names = /stage "table": input "real": "(a\/b|)" cannot name an entry: use letters, digits, "_", "\." and "-"/;
  assert.throws(call({ "a/b": one }), names);
  assert.throws(call({ "": one }), names);
  assert.throws(call({ "é": one }), /"é" cannot name an entry/);
  assert.throws(
    call({ full: one, copy: sourceFolder("x") }),
    new TypeError('stage "table": input "real/copy" is of kind "folder", not "metrics"'),
  );
  const literal = { __proto__: one };
  for (const real of [literal, [one], one, new Map([["a", one]])]) {
    assert.throws(call(real), /stage "table": input "real" takes artifacts by name: \{ name: artifact \}/);
  }
  assert.throws(call({ a: 3 }), /input "real": its entry "a" is not an artifact/);
  assert.doesNotThrow(call({ "v1.2-b_c": one }));
});

Deno.test("any order of the entries gives one key and one result, in order of names; __proto__ is a name", async () => {
  using lab = openLab();
  const { ran, score, table } = tableStages();
  const names = ["full", "copy", "without.light", "__proto__", "constructor", "toString"];
  const make = (order: readonly string[]) => {
    const entries = order.map((name) => [name, score({}, { value: names.indexOf(name) })]);
    return { table: table({ real: Object.fromEntries([...entries, ["absent", undefined]]) }) };
  };
  const [there, back] = [planOf(make(names)), planOf(make(names.toReversed()))];
  const ids = ({ vertices }: ReturnType<typeof planOf>) => vertices.map(({ id }) => id);
  assert.equal(ids(there).at(-1), ids(back).at(-1));
  const { trees } = await reproduce(make(names), lab.options());
  const sorted = names.toSorted().map((name) => [name, names.indexOf(name)]);
  assert.deepEqual(await trees.table.json("table.json"), sorted);
  assert.deepEqual(await trees.table.json("names.json"), { bare: false, notes: null });
  ran.length = 0;
  await reproduce(make(names.toReversed()), lab.options());
  assert.deepEqual(ran, []);
  const other = await reproduce(make(names.toReversed()), lab.options({ store: `${lab.root}/other` }));
  assert.deepEqual(other.trees.table.entry("table.json"), trees.table.entry("table.json"));
});

Deno.test("a role without entries is an empty record, and what is not in it is not there", async () => {
  using lab = openLab();
  const { table } = tableStages();
  const { trees } = await reproduce({ table: table({ real: {} }) }, lab.options());
  assert.deepEqual(await trees.table.json("table.json"), []);
  assert.deepEqual(await trees.table.json("names.json"), { bare: true, notes: null });
  const [row] = await statusOf({ table: table({ real: { a: undefined } }) }, lab.options());
  assert.equal(row?.state, "fresh");
});

Deno.test("thirty entries are one role; one more recomputes the table alone, and explain names it", async () => {
  using lab = openLab();
  const { ran, score, table } = tableStages();
  const graph = (count: number, values: Record<string, number> = {}) => {
    const names = Array.from({ length: count }, (_, index) => `row${String(index).padStart(2, "0")}`);
    const entries = names.map((name, index) => [name, score({}, { value: values[name] ?? index })]);
    return { table: table({ real: Object.fromEntries(entries) }) };
  };
  assert.deepEqual(Object.keys(table.stage.roles), ["real", "notes"]);
  await reproduce(graph(30), lab.options());
  assert.equal(ran.length, 31);
  ran.length = 0;
  const reasons = async (target: ReturnType<typeof graph>) =>
    (await explain(target, "table", lab.options()))[0]?.reasons;
  assert.deepEqual(await reasons(graph(31)), ["input real/row30: new", "input real/row30: waits for score-31"]);
  const { trees } = await reproduce(graph(31), lab.options());
  assert.deepEqual(ran, ["score 30", "table"]);
  assert.equal((await trees.table.json<unknown[]>("table.json")).length, 31);
  ran.length = 0;
  // what another run has computed already is only gathered
  await reproduce({ more: score({}, { value: 77 }) }, lab.options());
  ran.length = 0;
  assert.deepEqual(await reasons(graph(31, { row03: 77 })), ["input real/row03: 1 of 1 files changed (score.json)"]);
  assert.deepEqual(await reasons(graph(29)), ["input real/row29: gone"]);
  await reproduce(graph(31, { row03: 77 }), lab.options());
  assert.deepEqual(ran, ["table"]);
});

Deno.test("the graph shows an edge for each entry, and folds a long row of one stage into a range of text", () => {
  const { score, table } = tableStages();
  const scores = Array.from({ length: 30 }, (_, index) => score({}, { value: index }));
  const nodes = graphOf({ table: table({ real: Object.fromEntries(scores.map((it, i) => [`r${i + 10}`, it])) }) });
  assert.equal(nodes.at(-1)?.inputs.length, 30);
  assert.match(graphText(nodes), /\ntable +← score … score-30\n$/);
  assert.equal(graphMermaid(nodes).match(/ --> n30/g)?.length, 30);
  const [a, b, , d] = scores;
  assert.ok(a !== undefined && b !== undefined && d !== undefined);
  assert.match(
    graphText(graphOf({ a, b, gap: score({}, { value: 50 }), d, table: table({ real: { a, b, d } }) })),
    /\ntable +← score, score-2, score-4\n/,
  );
  // one artifact under two names is one edge
  assert.equal(graphOf({ table: table({ real: { a, again: a } }) }).at(-1)?.inputs.length, 1);
});

Deno.test("provenance, crate, export and verify know each entry by role and name", async () => {
  using lab = openLab();
  lab.put({ "a.txt": "a", "b.txt": "b" });
  const { upper } = textStages();
  const ran: string[] = [];
  const join = defineStage({
    name: "join",
    module: import.meta.url,
    inputs: { words: "folder", texts: map("texts") },
    output: "texts",
    each: ["words"],
    determinism: "bitwise",
    run: async ({ items, inputs }) => {
      for (const { key, out } of items) {
        ran.push(key);
        const parts = Object.entries(inputs.texts).map(async ([name, tree]) =>
          `${name} ${await tree.text("a.up.txt")}`
        );
        out.write(`${key}.txt`, (await Promise.all(parts)).join("; "));
      }
    },
  });
  const words = sourceFolder(lab.source);
  const target = () => {
    const [plain, loud] = [upper({ texts: words }), upper({ texts: words }, { suffix: "!" })];
    return { join: join({ words, texts: { plain: pick(plain, ["a.up.txt"]), loud } }) };
  };
  const { trees } = await reproduce(target(), lab.options());
  assert.equal(await trees.join.text("a.txt"), "loud A!; plain A");
  await publish(trees.join, `${lab.root}/results`);
  const store = `${lab.root}/store`;
  const text = await provenanceText(`${lab.root}/results/a.txt`, { store });
  assert.match(text, /\n {2}input {2}texts\/loud: 2 files from upper, /);
  assert.match(text, /\n {2}input {2}texts\/plain: a\.up\.txt from upper, /);
  const crate = await crateOf({ store, name: "T", description: "T", license: "MIT", workflow: "main.ts" });
  const names = crate["@graph"].map(({ name }) => name);
  assert.ok(names.includes("texts/plain"));
  assert.equal(crate["@graph"].filter(({ "@type": type }) => type === "HowToStep").length, 3);
  await exportRun(`${lab.root}/run.tar`, { store });
  await importRun(`${lab.root}/run.tar`, { store: `${lab.root}/away` });
  ran.length = 0;
  const away = lab.options({ store: `${lab.root}/away` });
  await reproduce(target(), away);
  assert.deepEqual(ran, []);
  const rows = await verify(target(), { ...away, stages: ["join"] });
  assert.deepEqual(rows.map(({ verdict, items }) => [verdict, items]), [["same", 2]]);
  // a lost blob of an entry is made again by the entry's stage
  lab.put({ "c.txt": "c" });
  Deno.removeSync(`${lab.root}/away/store`, { recursive: true });
  Deno.mkdirSync(`${lab.root}/away/store/sha256`, { recursive: true });
  ran.length = 0;
  assert.equal(await (await reproduce(target(), away)).trees.join.text("c.txt"), "loud A!; plain A");
});
