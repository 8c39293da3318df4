import assert from "node:assert/strict";
import { z } from "zod";
import { defineStage, explain, reproduce, silentReporter, sourceFolder } from "../../pipeline/mod.ts";
import { actionKey, nodeKey, type NodePreimage } from "../../pipeline/keys.ts";
import { openLab, textStages } from "./lab.ts";

const base: NodePreimage = {
  schema: 1,
  salt: "",
  stage: "fit",
  module: "fit.ts",
  code: "c0de",
  params: { rate: 1e-4, size: [1, 2], nested: { b: 1, a: "x" } },
  environment: { adapter: "llvmpipe" },
  each: [],
  inputs: { images: "aa", model: "bb" },
};

Deno.test("the order of object keys changes no key", () => {
  const flip = (value: unknown): unknown => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
    return Object.fromEntries(Object.entries(value).toReversed().map(([name, inner]) => [name, flip(inner)]));
  };
  assert.notDeepEqual(Object.keys(base), Object.keys(flip(base) as NodePreimage));
  assert.equal(nodeKey(base).key, nodeKey(flip(base) as NodePreimage).key);
});

/** Numbers from 0 to n − 1, the same in every run. */
function randomNumbers(seed: number): (n: number) => number {
  return (n) => (seed = (seed * 48271) % 2147483647) % n;
}

function randomValue(below: (n: number) => number, depth = 0): unknown {
  const kind = below(depth < 3 ? 7 : 5);
  if (kind === 0) return below(1000) / 7;
  if (kind === 1) return -below(1e9);
  if (kind === 2) return `${["", "ä", "\u{1f600}", '"', "z\n"][below(5)]}${below(50)}`;
  if (kind < 5) return [null, true, false][below(3)];
  const inner = Array.from({ length: 1 + below(4) }, () => randomValue(below, depth + 1));
  if (kind === 5) return inner;
  return Object.fromEntries(inner.map((value, index) => [`${["b", "é", "10", "9", "A"][below(5)]}${index}`, value]));
}

/** The same value, its keys put in another order at every level. */
function shuffle(value: unknown, below: (n: number) => number): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map((inner) => shuffle(inner, below));
  const entries = Object.entries(value).map(([name, inner]) => ({ name, inner, order: below(1e6) }));
  entries.sort((a, b) => a.order - b.order);
  return Object.fromEntries(entries.map(({ name, inner }) => [name, shuffle(inner, below)]));
}

/** The same value with one leaf replaced. */
function changeLeaf(value: unknown, below: (n: number) => number): unknown {
  if (typeof value !== "object" || value === null) return value === "changed" ? "changed again" : "changed";
  const names = Object.keys(value);
  if (names.length === 0) return "changed";
  const chosen = names[below(names.length)];
  const entries = Object.entries(value).map((
    [name, inner],
  ) => [name, name === chosen ? changeLeaf(inner, below) : inner]);
  return Array.isArray(value) ? entries.map(([, inner]) => inner) : Object.fromEntries(entries);
}

Deno.test("for any document: no order of its keys changes the key, every change of a leaf does", () => {
  const below = randomNumbers(7);
  const seen = new Map<string, string>();
  for (let round = 0; round < 500; round++) {
    const document: NodePreimage = { ...base, params: { a: randomValue(below), b: randomValue(below) } };
    const { key, preimage } = nodeKey(document);
    assert.equal(nodeKey(shuffle(document, below) as NodePreimage).key, key, preimage);
    assert.notEqual(nodeKey(changeLeaf(document, below) as NodePreimage).key, key, preimage);
    assert.equal(seen.get(key) ?? preimage, preimage);
    seen.set(key, preimage);
    assert.equal(nodeKey(JSON.parse(preimage)).key, key, "the stored document has the key that it explains");
  }
});

Deno.test("every declared field changes the key", () => {
  const variants: NodePreimage[] = [
    base,
    { ...base, schema: 2 },
    { ...base, module: "other.ts" },
    { ...base, salt: "again" },
    { ...base, stage: "fit2" },
    { ...base, code: "c0df" },
    { ...base, params: { ...base.params as object, rate: 1e-5 } },
    { ...base, params: { ...base.params as object, size: [2, 1] } },
    { ...base, params: { ...base.params as object, nested: { b: "1", a: "x" } } },
    { ...base, environment: { adapter: "other" } },
    { ...base, environment: {} },
    { ...base, each: ["images"] },
    { ...base, inputs: { images: "aa", model: "bc" } },
    { ...base, inputs: { images: "bb", model: "aa" } },
    { ...base, inputs: { images: "aa" } },
  ];
  assert.equal(new Set(variants.map((variant) => nodeKey(variant).key)).size, variants.length);
  const files = { images: [["a.png", "11", 3]] as const };
  const actions = [
    actionKey({ recipe: "r", item: "a", files }),
    actionKey({ recipe: "s", item: "a", files }),
    actionKey({ recipe: "r", item: "b", files }),
    actionKey({ recipe: "r", item: null, files }),
    actionKey({ recipe: "r", item: "a", files: { images: [["a.jpg", "11", 3]] } }),
    actionKey({ recipe: "r", item: "a", files: { images: [["a.png", "12", 3]] } }),
    actionKey({ recipe: "r", item: "a", files: { images: [["a.png", "11", 4]] } }),
    actionKey({ recipe: "r", item: "a", files: { masks: [["a.png", "11", 3]] } }),
  ];
  assert.equal(new Set(actions.map(({ key }) => key)).size, actions.length);
});

Deno.test("the batch size changes no key and no result", async () => {
  using lab = openLab();
  lab.put(Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`${i}.txt`, `text ${i}`])));
  let calls = 0;
  const define = (batch: number) =>
    defineStage({
      name: "copy",
      module: import.meta.url,
      inputs: { texts: "folder" },
      output: "texts",
      each: ["texts"],
      batch,
      determinism: "bitwise",
      run: async ({ items }) => {
        calls++;
        for (const { key, inputs, out } of items) out.write(`${key}.txt`, await inputs.texts.bytes(`${key}.txt`));
      },
    });
  const run = async (batch: number, store: string) => {
    const target = { copies: define(batch)({ texts: sourceFolder(lab.source) }) };
    const { trees } = await reproduce(target, lab.options({ store: `${lab.root}/${store}` }));
    return trees.copies.paths.map((path) => trees.copies.entry(path));
  };
  const single = await run(1, "one");
  assert.equal(calls, 20);
  assert.deepEqual(await run(7, "two"), single);
  assert.equal(calls, 23);
  assert.deepEqual(await run(7, "one"), single);
  assert.equal(calls, 23);
});

Deno.test("jobs and the working directory change no key and no result", async () => {
  using lab = openLab();
  lab.put(Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`${i}.txt`, `text ${i}`])));
  const { ran, upper, total } = textStages();
  const target = () => ({ total: total({ texts: upper({ texts: sourceFolder(lab.source) }) }) });
  const first = await reproduce(target(), lab.options({ jobs: 1 }));
  ran.length = 0;
  const home = Deno.cwd();
  try {
    Deno.chdir(lab.root);
    const { trees } = await reproduce(target(), lab.options({ jobs: 7 }));
    assert.deepEqual(ran, []);
    const fresh = await reproduce(target(), lab.options({ jobs: 7, store: `${lab.root}/other` }));
    assert.equal(ran.length, 21);
    assert.deepEqual(fresh.trees.total.entry("total.json"), first.trees.total.entry("total.json"));
    assert.deepEqual(trees.total.entry("total.json"), first.trees.total.entry("total.json"));
  } finally {
    Deno.chdir(home);
  }
});

Deno.test("the environment enters the key only where a stage declares it; salt disowns everything", async () => {
  using lab = openLab();
  lab.put({ "a.txt": "a" });
  const ran: string[] = [];
  const define = (name: string, environment: string[]) =>
    defineStage({
      name,
      module: import.meta.url,
      inputs: { texts: "folder" },
      output: "out",
      environment,
      params: z.object({ size: z.number().default(1) }),
      determinism: "bitwise",
      run: ({ out }) => {
        ran.push(name);
        out.write("out", name);
      },
    });
  const [plain, bound] = [define("plain", []), define("bound", ["adapter"])];
  const target = () => ({
    a: plain({ texts: sourceFolder(lab.source) }),
    b: bound({ texts: sourceFolder(lab.source) }),
  });
  const run = async (adapter: string, salt = "") => {
    await reproduce(target(), lab.options({ facts: { adapter, other: Math.random() }, salt }));
    return ran.splice(0).sort();
  };
  assert.deepEqual(await run("one"), ["bound", "plain"]);
  assert.deepEqual(await run("one"), []);
  assert.deepEqual(await run("two"), ["bound"]);
  assert.deepEqual(await run("two", "salt"), ["bound", "plain"]);
  await assert.rejects(reproduce(target(), lab.options({ store: `${lab.root}/x` })), /needs the fact "adapter"/);
});

const nameless = new (class {
  static {
    Object.defineProperty(this, "name", { value: "" });
  }
})();
class Vector extends Array<number> {}
/** As many names as places, one of which is a gap. */
const gapAndName: unknown[] = Object.assign([1], { length: 2, name: 1 });
const deep = Array.from({ length: 2000 }).reduce<unknown>((inner) => ({ inner }), 1);
const circle: unknown[] = [];
circle.push({ again: circle });
const unsayable: readonly (readonly [path: string, value: unknown, what: RegExp])[] = [
  ["", new Map([[1, 2]]), /a Map/],
  ["", new Set(["a"]), /a Set/],
  ["", /x/, /a RegExp/],
  ["", new Date(0), /a Date/],
  ["", new Uint8Array(3), /a Uint8Array/],
  ["", new Number(1), /a Number/],
  ["", nameless, /a value of a class/],
  ["", () => 1, /a function/],
  ["", Symbol("s"), /a symbol/],
  ["", 1n, /a bigint/],
  ["", -0, /-0/],
  ["", NaN, /NaN/],
  ["", -Infinity, /-Infinity/],
  ["[1]", [1, undefined], /undefined/],
  ["", [1, , 2], /gaps/],
  ["", Object.assign([1], { name: 1 }), /names/],
  ["", gapAndName, /names/],
  ["", Vector.from([1]), /a Vector/],
  ["", { [Symbol("s")]: 1 }, /symbol as a key/],
  [".a[2].b", { a: [1, 2, { b: new Map() }] }, /a Map/],
  ["[0]", ["\ud800"], /half of a surrogate pair/],
  ["", { "\udbff": 1 }, /half of a surrogate pair in a key/],
  [".toJSON", { toJSON: () => 1 }, /a function/],
  ["[0].again", circle, /a part of itself/],
];

function anyStage(environment: readonly string[] = [], ...written: readonly unknown[]) {
  return defineStage({
    name: "any",
    module: import.meta.url,
    inputs: {},
    output: "out",
    environment,
    params: z.object({ any: z.any() }),
    determinism: "bitwise",
    run: ({ out, params }) => out.json("out.json", written.length > 0 ? written[0] : Object.keys(params)),
  });
}

Deno.test("parameters that JSON cannot say are refused by their stage and path", () => {
  for (const [path, value, what] of unsayable) {
    assert.throws(() => anyStage()({}, { any: value }), (error: Error) => {
      assert.ok(error instanceof TypeError && what.test(error.message), error.message);
      assert.ok(error.message.startsWith(`stage "any": params.any${path} is `), error.message);
      return true;
    });
  }
});

Deno.test("stages of one name in two modules that import each other have results of their own", async () => {
  using lab = openLab();
  const code = { modules: { "p/a.ts": "1", "p/b.ts": "2" }, packages: {} };
  const codeDigests = (modules: readonly string[]) => Promise.resolve(new Map(modules.map((url) => [url, code])));
  const fit = (letter: string) =>
    defineStage({
      name: "fit",
      module: `file:///home/p/${letter}.ts`,
      inputs: {},
      output: "out",
      determinism: "bitwise",
      run: ({ out }) => out.write("r.txt", letter),
    });
  for (const letter of ["a", "b", "a"]) {
    const { trees } = await reproduce({ out: fit(letter)({}) }, lab.options({ codeDigests }));
    assert.equal(await trees.out.text("r.txt"), letter);
  }
  const [row] = await explain({ out: fit("c")({}) }, "fit", lab.options({ codeDigests }));
  assert.match(row?.reasons.join() ?? "", /^module: p\/[ab]\.ts → $/);
});

Deno.test("a second definition of a stage in its module is refused: the two would share results", async () => {
  using lab = openLab();
  const scale = (factor: number) =>
    defineStage({
      name: "scale",
      module: import.meta.url,
      inputs: {},
      output: "out",
      determinism: "bitwise",
      run: ({ out }) => out.write("r.txt", String(10 * factor)),
    });
  const options = { store: `${lab.root}/store`, reporter: silentReporter() };
  const once = scale(1);
  for (let run = 0; run < 2; run++) {
    const { trees } = await reproduce({ out: once({}) }, options);
    assert.equal(await trees.out.text("r.txt"), "10");
  }
  await assert.rejects(
    reproduce({ out: scale(2)({}) }, options),
    /stage "scale" is defined twice in file:.*keys_test\.ts/,
  );
  const elsewhere = { ...options, store: `${lab.root}/other` };
  const { trees } = await reproduce({ out: scale(2)({}) }, elsewhere);
  assert.equal(await trees.out.text("r.txt"), "20");
});

Deno.test("parameters that are nested too deep are refused by their stage", () => {
  assert.throws(
    () => anyStage()({}, { any: deep }),
    /^TypeError: stage "any": params\.any\.inner.*… is deeper than 500/,
  );
});

Deno.test("what a stage writes as JSON and JSON would lose is refused by its file and place", async () => {
  const lossy: readonly (readonly [value: unknown, message: RegExp])[] = [
    [{ a: new Map([["x", 1]]) }, /"out\.json"\.a is a Map/],
    [[new Set()], /"out\.json"\[0\] is a Set/],
    [/x/, /is a RegExp/],
    [new Error("x"), /is a Error/],
    [{ values: Float32Array.of(1.5) }, /"out\.json"\.values is a Float32Array/],
    [[1, undefined], /"out\.json"\[1\] is undefined/],
    [gapAndName, /gaps or with names/],
    [{ f: () => 1 }, /is a function/],
    [undefined, /is undefined/],
  ];
  for (const [value, message] of lossy) {
    using lab = openLab();
    const writes = anyStage([], value);
    await assert.rejects(reproduce({ out: writes({}, { any: 1 }) }, lab.options()), message);
  }
  using lab = openLab();
  const whole = { date: new Date(0), absent: undefined, list: [1, null], zero: -0, nested: { a: "b" } };
  const { trees } = await reproduce({ out: anyStage([], whole)({}, { any: 1 }) }, lab.options());
  assert.equal(
    await trees.out.text("out.json"),
    '{"date":"1970-01-01T00:00:00.000Z","list":[1,null],"nested":{"a":"b"},"zero":0}',
  );
});

Deno.test("a fact that JSON cannot say is refused where a stage names it", async () => {
  using lab = openLab();
  const targets = { out: anyStage(["adapter"])({}, { any: 1 }) };
  const facts = { adapter: { limits: new Map([["a", 1]]) } };
  await assert.rejects(
    reproduce(targets, lab.options({ facts })),
    /stage "any": the fact "adapter"\.limits is a Map/,
  );
});

Deno.test("what JSON can say reaches the stage as the key has it; different parameters have different keys", () => {
  const shared = { x: 1 };
  const values: readonly unknown[] = [
    0,
    "0",
    null,
    [],
    {},
    [null],
    [[]],
    { a: [] },
    JSON.parse('{"__proto__":1}'),
    JSON.parse('{"__proto__":{"a":1}}'),
    { constructor: 1 },
    { a: { b: 1 } },
    { "a.b": 1 },
    [shared, shared],
    "\ufffd",
    5e-324,
    2 ** 53,
  ];
  const nodes = values.map((value) => {
    const { node } = anyStage()({}, { any: value });
    assert.ok(node.type === "stage");
    assert.deepEqual(node.params, { any: value });
    const { key, preimage } = nodeKey({ ...base, params: node.params });
    assert.deepEqual(JSON.parse(preimage).params, node.params);
    return key;
  });
  assert.equal(new Set(nodes).size, values.length);
  const { node } = anyStage()({}, { any: { a: undefined, b: Object.create(null) } });
  assert.ok(node.type === "stage");
  assert.deepEqual(node.params, { any: { b: {} } });
});
