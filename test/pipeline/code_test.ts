import assert from "node:assert/strict";
import { fileURLToPath, pathToFileURL } from "node:url";
import { changedCode, closureOf, codeDigest, codeDigests } from "../../pipeline/code.ts";
import { openConfigs } from "../../pipeline/config.ts";
import type { Info } from "../../pipeline/deno_info.ts";
import { readGraph } from "../../pipeline/module_graph.ts";
import { sha256 } from "../../pipeline/mod.ts";
import { openState } from "../../pipeline/state.ts";
import { type Lab, openLab } from "./lab.ts";

const moduleUrl = (path: string) => pathToFileURL(path).href;
const ENGINE = fileURLToPath(new URL("../../pipeline/mod.ts", import.meta.url));

Deno.test("a stage's code is what it imports, dynamic imports included; not types, not the engine", async () => {
  using lab = openLab();
  lab.put({
    "deno.json": "{}",
    "stage.ts": `import { f } from "./lib/f.ts"; import type { T } from "./types.ts"; import "${ENGINE}";
      export async function run(): Promise<T> { f(); return (await import("./heavy.ts")).heavy; }`,
    "lib/f.ts": "export function f() {}",
    "types.ts": "export type T = number;",
    "heavy.ts": "export const heavy = 1;",
    "other.ts": "export const other = 1;",
  });
  using state = openState(lab.root, { warn: () => {} });
  const stage = moduleUrl(`${lab.source}/stage.ts`);
  const read = async () => (await codeDigests(state, { entry: stage })([stage])).get(stage);
  const first = await read();
  assert.deepEqual(Object.keys(first?.modules ?? {}).sort(), ["heavy.ts", "lib/f.ts", "stage.ts"]);
  assert.deepEqual(await read(), first);
  lab.put({ "other.ts": "export const other = 2;", "types.ts": "export type T = number | 1;" });
  assert.deepEqual(await read(), first);
  lab.put({ "heavy.ts": "export const heavy = 3;" });
  const second = await read();
  assert.notDeepEqual(second, first);
  lab.put({ "lib/f.ts": 'import "../other.ts"; export function f() {}' });
  assert.deepEqual(Object.keys((await read())?.modules ?? {}).sort(), ["heavy.ts", "lib/f.ts", "other.ts", "stage.ts"]);
});

Deno.test("packages count by the integrity in deno.lock, with what they depend on", async () => {
  using lab = openLab();
  // this module's own closure reaches the engine's packages
  using state = openState(lab.root, { warn: () => {} });
  const engine = moduleUrl(ENGINE);
  const code = (await codeDigests(state, { entry: engine })([engine])).get(engine);
  assert.ok(code !== undefined);
  const packages = Object.entries(code.packages);
  assert.ok(packages.some(([name]) => name.startsWith("zod@")));
  assert.ok(packages.every(([, integrity]) => integrity.startsWith("sha512-")));
  assert.ok(code.modules["pipeline/hash.ts"]);
});

Deno.test("modules from other hosts count by URL: the hash in deno.lock, else their bytes as downloaded", async () => {
  using lab = openLab();
  const [main, locked, loose] = [
    moduleUrl(`${lab.source}/stage.ts`),
    "https://host/locked.ts",
    "https://host/loose.ts",
  ] as const;
  const note = '\n// denoCacheMetadata={"headers":{"date":"today"}}';
  lab.put({
    "deno.lock": JSON.stringify({ remote: { "https://host/locked.ts": "f00d" } }),
    "stage.ts": "",
    "cache/1": `locked${note}`,
    "cache/2": `loose${note}`,
  });
  const imports = (...urls: string[]) => urls.map((url) => ({ specifier: "x", code: { specifier: url } }));
  const info: Info = {
    modules: [
      { specifier: main, local: `${lab.source}/stage.ts`, dependencies: imports(locked) },
      { specifier: locked, local: `${lab.source}/cache/1`, dependencies: imports(loose) },
      { specifier: loose, local: `${lab.source}/cache/2` },
    ],
    redirects: {},
  };
  const configs = openConfigs();
  const root = lab.source;
  async function read(info: Info) {
    const graph = await readGraph([main], { root, configs, ask: () => Promise.resolve(info) });
    return closureOf(main, { graph, root, configs, resolve: () => null, atStart: new Set(), importers: new Map() })
      .code;
  }
  assert.deepEqual((await read(info)).modules, {
    "stage.ts": sha256(""),
    "https://host/locked.ts": "f00d",
    "https://host/loose.ts": sha256("loose"),
  });
  const absent: Info = { ...info, modules: info.modules.with(2, { specifier: loose, error: "no network" }) };
  await assert.rejects(read(absent), /loose\.ts cannot be loaded: no network/);
});

Deno.test("a module that cannot be loaded is named", async () => {
  using lab = openLab();
  lab.put({ "deno.json": "{}", "stage.ts": 'import "./missing.ts";' });
  using state = openState(lab.root, { warn: () => {} });
  const stage = moduleUrl(`${lab.source}/stage.ts`);
  await assert.rejects(codeDigests(state, { entry: stage })([stage]), /missing\.ts/);
});

/** Asks for the code of a lab's `stage.ts`, by a program of the same folder. */
async function codeOfStage(lab: Lab, resolve?: (specifier: string) => string | null) {
  using state = openState(lab.root, { warn: () => {} });
  const stage = moduleUrl(`${lab.source}/stage.ts`);
  const options = { entry: stage, ...(resolve === undefined ? {} : { resolve }) };
  const code = (await codeDigests(state, options)([stage])).get(stage);
  assert.ok(code !== undefined);
  return code;
}

Deno.test("a thread's module and what it imports are code, and so is a file that is read by import.meta", async () => {
  using lab = openLab();
  lab.put({
    "deno.json": "{}",
    "stage.ts": `
      import { defineStage } from "${ENGINE}";
      export const start = () => new Worker(new URL("./thread.ts", import.meta.url), { type: "module" });
      export const other = import.meta.resolve(\`./other.js\`);
      const table: Uint8Array = Deno.readFileSync(new URL("data/table.bin", import.meta . /* here */ url));
      if (import.meta.main && import.meta.url !== "x") defineStage({ module: import.meta.url, table } as never);
    `,
    "thread.ts": 'import { deep } from "./deep.ts"; new Worker(new URL("thread2.ts", import.meta.url)); deep();',
    "deep.ts": "export const deep = () => {};",
    "thread2.ts": "export {}; new Worker(import.meta.url);",
    "other.js": "export const other = 1;",
    "data/table.bin": "1234",
  });
  const first = await codeOfStage(lab);
  const names = ["data/table.bin", "deep.ts", "other.js", "stage.ts", "thread.ts", "thread2.ts"];
  assert.deepEqual(Object.keys(first.modules).sort(), names);
  for (const name of names) {
    const text = Deno.readTextFileSync(`${lab.source}/${name}`);
    lab.put({ [name]: `${text}\n// edited` });
    assert.deepEqual(changedCode(first, await codeOfStage(lab)), [name]);
    lab.put({ [name]: text });
  }
  assert.deepEqual(await codeOfStage(lab), first);
});

Deno.test("a file that is read by import.meta and is made later changes the code when it is there", async () => {
  using lab = openLab();
  lab.put({ "deno.json": "{}", "stage.ts": 'export const url = new URL("./made.json", import.meta.url);' });
  const first = await codeOfStage(lab);
  assert.deepEqual(Object.keys(first.modules), ["stage.ts"]);
  lab.put({ "made.json": "{}" });
  assert.deepEqual(changedCode(first, await codeOfStage(lab)), ["made.json"]);
});

const unclear = {
  "import(name)": "import(name)",
  "import(`./${name}.ts`)": "import(`./${name}.ts`)",
  'import("./" + name)': 'import("./" + name)',
  "new URL(name, import.meta.url)": "new URL(name, import.meta.url)",
  'new URL(".", import.meta.url)': 'new URL(".", import.meta.url)',
  'new URL("./data", import.meta.url)': 'new URL("./data", import.meta.url)',
  "import.meta.resolve(name)": "import.meta.resolve(name)",
  'import.meta.resolve("npm:zod")': 'import.meta.resolve("npm:zod")',
  "import.meta.dirname": "import.meta.dirname",
  'import.meta["url"]': 'import.meta["url"]',
  "import.meta?.filename": "import.meta?.filename",
  "fetch(import.meta.url as string)": "import.meta.url",
  "({ module: import.meta.url })": "import.meta.url",
  "defineStage({ name, options: { module: import.meta.url } })": "import.meta.url",
  "defineStage({ name }, { module: import.meta.url })": "import.meta.url",
  "(({ url }: ImportMeta) => url)(import.meta)": "import.meta",
};

Deno.test("what cannot be followed is refused by file and line, unless it is said to be no code", async () => {
  using lab = openLab();
  for (const [expression, named] of Object.entries(unclear)) {
    const put = (expression: string) => {
      const lines = [
        `import { defineStage, notCode } from "${ENGINE}";`,
        "",
        `export const f = (name: string) => ${expression};`,
      ];
      lab.put({ "deno.json": "{}", "data/a.txt": "", "stage.ts": lines.join("\n") });
    };
    put(expression);
    await assert.rejects(codeOfStage(lab), (error: Error) => {
      assert.ok(error.message.startsWith(`${lab.source}/stage.ts:3: ${named} cannot be followed`), error.message);
      return true;
    });
    put(`notCode(${expression})`);
    assert.deepEqual(Object.keys((await codeOfStage(lab)).modules), ["stage.ts"], expression);
  }
  lab.put({ "stage.ts": `import { notCode } from "${ENGINE}"; export const f = (x: string) => import(notCode(x));` });
  await codeOfStage(lab);
});

Deno.test("what a stage does not reach, and what only looks like an import, is not refused", async () => {
  using lab = openLab();
  lab.put({
    "deno.json": "{}",
    "stage.tsx":
      'export const text = <p>import.meta.dirname, import(name)</p>; // import(name)\nexport enum E { A = "b" }',
    "stage.ts":
      "export type { T } from './types.ts'; const s = 'import(name)'; export const r = /import.meta/.test(s);",
    "types.ts": "export type T = string; import(T as unknown as string);",
    "main.ts": 'import "./stage.ts"; import "./stage.tsx"; console.log(import.meta.dirname);',
  });
  assert.deepEqual(Object.keys((await codeOf(lab, "stage.ts", "main.ts")).modules), ["stage.ts"]);
  assert.deepEqual(Object.keys((await codeOf(lab, "stage.tsx", "main.ts")).modules), ["stage.tsx"]);
});

Deno.test("another configuration than the folder's is refused where an import means something else", async () => {
  using lab = openLab();
  const put = (imports: Record<string, string>, more = {}) =>
    lab.put({ "deno.json": JSON.stringify({ imports, ...more }), "a.ts": "", "b.ts": "", "stage.ts": 'import "x";' });
  const here = (target: string) => (specifier: string) =>
    specifier === "x" ? moduleUrl(`${lab.source}/${target}`) : specifier;
  put({ x: "./a.ts" });
  assert.deepEqual(Object.keys((await codeOfStage(lab, here("a.ts"))).modules), ["stage.ts", "a.ts"]);
  await assert.rejects(
    codeOfStage(lab, here("b.ts")),
    /stage\.ts imports "x", which is file:.*a\.ts by the configuration of .*, but file:.*b\.ts in this program\./,
  );
  put({});
  await assert.rejects(
    codeOfStage(lab, here("b.ts")),
    /stage\.ts imports "x", which no configuration of .* maps, but this program takes it for file:.*b\.ts\. Was/,
  );
  // another folder's word for another thing is no contradiction, where that folder is the engine's, which asks
  put({ x: "./a.ts" }, { scopes: { [new URL(".", moduleUrl(ENGINE)).href]: { x: "./b.ts" } } });
  await codeOfStage(lab, here("b.ts"));
  put({ x: "./a.ts" }, { scopes: { "./deep/": { x: "./b.ts" } } });
  await assert.rejects(codeOfStage(lab, here("b.ts")), /stage\.ts imports "x", which is file:.*a\.ts by/);
});

Deno.test("stages outside of the program's folder are read under their own configuration, all at once", async () => {
  using lab = openLab();
  const [root, program] = [`${lab.source}/library`, `${lab.source}/program`];
  lab.put({
    "library/deno.json": JSON.stringify({ imports: { x: "./x.ts" } }),
    "library/one.ts": 'import "x";',
    "library/two.ts": 'import "x";',
    "library/x.ts": "",
    "program/main.ts": `import "${root}/one.ts"; import "${root}/two.ts";`,
  });
  using state = openState(lab.root, { warn: () => {} });
  const modules = ["one.ts", "two.ts"].map((name) => moduleUrl(`${root}/${name}`));
  const digests = codeDigests(state, { entry: moduleUrl(`${program}/main.ts`) });
  const codes = await digests(modules);
  assert.deepEqual(modules.map((url) => Object.keys(codes.get(url)?.modules ?? {})), [["one.ts", "x.ts"], [
    "two.ts",
    "x.ts",
  ]]);
  const count = () => Number(state.db.prepare("SELECT count(*) AS n FROM closures").get()?.n);
  assert.equal(count(), 1);
  assert.deepEqual((await digests(modules.slice(1))).get(modules[1] ?? ""), codes.get(modules[1] ?? ""));
  assert.equal(count(), 1);
});

/** The code of a stage module below a lab's sources, asked from another module of the same project. */
async function codeOf(lab: Lab, module: string, entry = module) {
  using state = openState(lab.root, { warn: () => {} });
  const stage = moduleUrl(`${lab.source}/${module}`);
  const code = (await codeDigests(state, { entry: moduleUrl(`${lab.source}/${entry}`) })([stage])).get(stage);
  assert.ok(code !== undefined);
  return code;
}

Deno.test("a workspace's member: named from its folder, read again when a configuration changes", async () => {
  using lab = openLab();
  const root = { workspace: ["./tools", "./parts/*"], imports: { shared: "./shared.ts" } };
  const member = { name: "@lab/tools", exports: "./stage.ts", imports: { low: "./low.ts", high: "./high.ts" } };
  const json = (value: unknown) => JSON.stringify(value);
  lab.put({
    "deno.json": json(root),
    "main.ts": 'import "@lab/tools";',
    "shared.ts": "export const shared = 1;",
    "shared2.ts": "export const shared = 2;",
    "tools/deno.jsonc": `// of the member, with a comment and "//" in a string, and a last comma\n${
      json({ ...member, description: 'https://host, "}' }).slice(0, -1)
    },}`,
    "tools/stage.ts": 'import { a } from "low"; import { b } from "high"; import "shared"; export const f = a - b;',
    "tools/low.ts": "export const a = 1, b = 1;",
    "tools/high.ts": "export const a = 2, b = 2;",
    "parts/one/deno.json": "{}",
    "parts/one/stage.ts": "export {};",
  });
  const read = async () => {
    // old enough for a stamp to stand for a file: from here on the graph is remembered
    await new Promise((resolve) => setTimeout(resolve, 80));
    return await codeOf(lab, "tools/stage.ts", "main.ts");
  };
  const first = await read();
  assert.deepEqual(Object.keys(first.modules).sort(), ["shared.ts", "tools/high.ts", "tools/low.ts", "tools/stage.ts"]);
  assert.deepEqual(first.aliases, { low: "tools/low.ts", high: "tools/high.ts", shared: "shared.ts" });
  assert.deepEqual(await codeOf(lab, "tools/stage.ts"), first, "the same, whoever asks");
  assert.deepEqual(Object.keys((await codeOf(lab, "parts/one/stage.ts")).modules), ["parts/one/stage.ts"]);
  // what no import is made of changes nothing
  lab.put({ "deno.json": json({ ...root, tasks: { ok: "echo" }, fmt: { lineWidth: 9 } }) });
  lab.put({ "tools/deno.jsonc": json({ ...member, tasks: { ok: "echo" } }) });
  assert.equal(codeDigest(await read()), codeDigest(first));
  // the same modules, each in the other's place
  lab.put({ "tools/deno.jsonc": json({ ...member, imports: { low: "./high.ts", high: "./low.ts" } }) });
  const swapped = await read();
  assert.deepEqual(swapped.modules, first.modules);
  assert.deepEqual(changedCode(first, swapped), ["high", "low"]);
  lab.put({ "deno.json": json({ ...root, imports: { shared: "./shared2.ts" } }) });
  assert.deepEqual(changedCode(swapped, await read()), ["shared", "shared.ts", "shared2.ts"]);
});

Deno.test("an import map's own file, a lock by another name and options of what is emitted count", async () => {
  using lab = openLab();
  const put = (config: object, target: string) =>
    lab.put({ "deno.json": JSON.stringify(config), "map.json": JSON.stringify({ imports: { x: target } }) });
  lab.put({ "stage.ts": 'import "x"; import "https://host/x.ts";', "a.ts": "", "b.ts": "" });
  const config = { importMap: "./map.json", lock: { path: "locks/own.lock" } };
  put(config, "./a.ts");
  const root = lab.source;
  const paths = openConfigs().files(root, [root]);
  assert.ok(paths.includes(`${root}/map.json`) && paths.includes(`${root}/locks/own.lock`), paths.join());
  lab.put({ "stage.ts": 'import "x";' });
  const first = await codeOf(lab, "stage.ts");
  put(config, "./b.ts");
  const second = await codeOf(lab, "stage.ts");
  assert.deepEqual(changedCode(first, second), ["a.ts", "b.ts", "x"]);
  put({ ...config, compilerOptions: { strict: false } }, "./b.ts");
  assert.deepEqual(await codeOf(lab, "stage.ts"), second);
  put({ ...config, compilerOptions: { experimentalDecorators: true } }, "./b.ts");
  assert.deepEqual(changedCode(second, await codeOf(lab, "stage.ts")), ["compilerOptions of deno.json"]);
});

Deno.test("a folder that is no member of the workspace around it, and one without a configuration", () => {
  using lab = openLab();
  lab.put({
    "deno.json": JSON.stringify({ workspace: { members: ["tools/"] } }),
    "tools/deno.json": "{}",
    "stranger/deno.json": "{}",
    "bare/x.ts": "",
  });
  const { root } = openConfigs();
  assert.equal(root(`${lab.source}/tools/deep/er`), lab.source);
  assert.equal(root(`${lab.source}/stranger/deep`), `${lab.source}/stranger`);
  assert.equal(root(`${lab.source}/bare`), lab.source);
  assert.equal(root(lab.root), lab.root);
});

Deno.test("a project's path may hold what has a meaning in addresses", async () => {
  using lab = openLab();
  for (const folder of ["a#b", "a?b", "a%20b", "a%b", "50% é"]) {
    lab.put({
      [`${folder}/deno.json`]: "{}",
      [`${folder}/stage.ts`]: 'import "./low.ts"; export const u = new URL("./5%.txt", import.meta.url);',
      [`${folder}/low.ts`]: "export {};",
      [`${folder}/5%.txt`]: "",
    });
    const code = await codeOf(lab, `${folder}/stage.ts`);
    assert.deepEqual(Object.keys(code.modules).sort(), ["5%.txt", "low.ts", "stage.ts"], folder);
  }
});

Deno.test("decorators are syntax, those of the standard and the older ones", async () => {
  using lab = openLab();
  const standard = "@d export class A { @d accessor x = 1; @d m() {} } export @d class B {}";
  const older = "export class A { constructor(@d x: number) {} @d m() {} }";
  for (const classes of [standard, older]) {
    const read = 'new URL("./a.txt", import.meta.url);';
    lab.put({ "deno.json": "{}", "a.txt": "", "stage.ts": `const d = (x: any): any => x; ${classes} ${read}` });
    assert.deepEqual(Object.keys((await codeOfStage(lab)).modules).sort(), ["a.txt", "stage.ts"], classes);
  }
});

Deno.test("a module that is imported as text is data, unless it is imported as code too", async () => {
  using lab = openLab();
  const text = "const a = ((( import.meta.dirname";
  lab.put({
    "deno.json": "{}",
    "stage.ts": 'import t from "./a.ts" with { type: "text" }; export const u = t;',
    "a.ts": text,
  });
  assert.deepEqual((await codeOfStage(lab)).modules["a.ts"], sha256(text));
  lab.put({
    "stage.ts": 'import t from "./a.ts" with { type: "text" }; new Worker(new URL("./a.ts", import.meta.url));',
    "a.ts": "export const a = import.meta.dirname;",
  });
  await assert.rejects(codeOfStage(lab), /a\.ts:1: import\.meta\.dirname cannot be followed/);
});

Deno.test("a package that is linked from a folder counts by its files", async () => {
  using lab = openLab();
  const config = { nodeModulesDir: "auto", links: ["../package"], imports: { linked: "npm:linked@1.0.0" } };
  lab.put({
    "package/package.json": JSON.stringify({ name: "linked", version: "1.0.0", type: "module", main: "index.js" }),
    "package/index.js": 'export * from "./deep/a.js";',
    "package/deep/a.js": "export const a = 1;",
    "program/deno.json": JSON.stringify(config),
    "program/stage.ts": 'import { a } from "linked"; export const b = a;',
  });
  const first = await codeOf(lab, "program/stage.ts");
  assert.deepEqual(Object.keys(first.packages), ["linked@1.0.0"]);
  assert.deepEqual(await codeOf(lab, "program/stage.ts"), first);
  lab.put({ "package/deep/a.js": "export const a = 2;" });
  const second = await codeOf(lab, "program/stage.ts");
  assert.deepEqual(changedCode(first, second), ["linked@1.0.0"]);
  lab.put({ "package/deep/b.js": "" });
  assert.deepEqual(changedCode(second, await codeOf(lab, "program/stage.ts")), ["linked@1.0.0"]);
});

Deno.test("only the engine's own notCode exempts, by whatever name it is imported", async () => {
  using lab = openLab();
  const put = (head: string, name: string) =>
    lab.put({
      "deno.json": "{}",
      "own.ts": "export const notCode = <T>(x: T) => x;",
      "stage.ts": `${head} export const f = (x: string) => import(${name}(x));`,
    });
  put(`import { notCode as free } from "${ENGINE}";`, "free");
  await codeOfStage(lab);
  put("const notCode = <T>(x: T) => x;", "notCode");
  await assert.rejects(codeOfStage(lab), /stage\.ts:1: import\(notCode\(x\)\) cannot be followed/);
  put('import { notCode } from "./own.ts";', "notCode");
  await assert.rejects(codeOfStage(lab), /stage\.ts:1: import \{ notCode \} from "\.\/own\.ts"; cannot be followed/);
});

Deno.test("a stage's definition may name its module, also to a helper and under a type", async () => {
  using lab = openLab();
  for (const call of ["defineStage({ module: import.meta.url } as any)", "defineNet({ module: import.meta.url }, 1)"]) {
    lab.put({ "deno.json": "{}", "stage.ts": `declare const defineStage: any, defineNet: any; ${call};` });
    await codeOfStage(lab);
  }
  lab.put({ "stage.ts": `import * as engine from "${ENGINE}"; engine.defineStage({ module: import.meta.url });` });
  await codeOfStage(lab);
  lab.put({ "stage.ts": `import { defineStage as d } from "${ENGINE}"; d({ module: import.meta.url });` });
  await codeOfStage(lab);
});

Deno.test("a helper that is told a stage's module may only hand it on", async () => {
  using lab = openLab();
  const put = (helper: string, call = 'defineTable({ module: import.meta.url, table: "./t.txt" })') =>
    lab.put({
      "deno.json": "{}",
      "helper.ts": `import { defineStage } from "${ENGINE}"; declare const rest: any, load: any; ${helper}`,
      "stage.ts": `import * as all from "./helper.ts"; import { defineTable } from "./helper.ts"; all; ${call};`,
    });
  const sound = [
    "export const defineTable = ({ module, table }: any) => defineStage({ ...rest, module, run: () => table });",
    "export function defineTable({ module: here, table }: any) { return defineStage({ module: here, table } as any); }",
    "export const defineTable = (o: any, x = o.name) => { load(o.table, x); return defineStage({ ...o, x }); };",
    "export function defineTable(o: any) { return defineStage({ module: o.module, run: () => o.table } as any); }",
    "export const defineTable = (o: any) => defineStage(o as any);",
  ];
  for (const helper of sound) {
    put(helper);
    assert.deepEqual(Object.keys((await codeOfStage(lab)).modules).sort(), ["helper.ts", "stage.ts"], helper);
    put(helper, "all.defineTable({ module: import.meta.url })");
    await codeOfStage(lab);
  }
  const leaking = {
    "export const defineTable = ({ module, table }: any) => load(new URL(table, module));": "new URL(table, module)",
    "export const defineTable = ({ module: here }: any) => { load(here); };": "load(here)",
    "export const defineTable = ({ ...all }: any) => defineStage({ ...all, run: () => load(all) });": "load(all)",
    "export function defineTable(o: any) { const { module } = o; return module; }": "o",
    "export function defineTable(o: any) { return load(o.module); }": "load(o.module)",
    "export function defineTable(o: any) { return `${o.module}/..`; }": "o.module",
    "const make = (o: any) => load(o); export { make as defineTable };": "make as defineTable",
    "const make = (o: any) => load(o); export const defineTable = make;": "defineTable = make",
  };
  for (const [helper, named] of Object.entries(leaking)) {
    put(helper);
    await assert.rejects(codeOfStage(lab), (error: Error) => {
      assert.ok(error.message.startsWith(`${lab.source}/helper.ts:1: ${named} cannot be followed`), error.message);
      return true;
    });
  }
  lab.put({ "stage.ts": 'import { defineTable } from "npm:zod"; defineTable({ module: import.meta.url });' });
  await assert.rejects(
    codeOfStage(lab),
    /stage\.ts:1: defineTable\(\{ module: import\.meta\.url \}\) cannot be followed/,
  );
});

Deno.test("what a CommonJS module reads is refused where require or __dirname cannot be followed", async () => {
  using lab = openLab();
  const put = (text: string) =>
    lab.put({ "deno.json": "{}", "stage.ts": 'import x from "./x.cjs"; x;', "x.cjs": text, "y.cjs": "", "t.txt": "" });
  put(
    'const y = () => require("./y.cjs"); if (typeof require !== "string" && require.main) y({ require: 1 }.require);',
  );
  assert.deepEqual(Object.keys((await codeOfStage(lab)).modules).sort(), ["stage.ts", "x.cjs", "y.cjs"]);
  for (const expression of ["require(name)", "require", "module.require", "__dirname", "__filename"]) {
    put(`\nexports.f = (name) => [${expression}];`);
    await assert.rejects(codeOfStage(lab), (error: Error) => {
      assert.ok(error.message.startsWith(`${lab.source}/x.cjs:2: ${expression} cannot be followed`), error.message);
      return error.message.includes("Make it an ES module");
    });
  }
  lab.put({ "stage.ts": 'import "./esm.js"; import "./old/x.js";', "old/package.json": '{"type":"commonjs"}' });
  lab.put({ "esm.js": "const require = (x) => x; export const a = require(1);", "old/x.js": "exports.a = 1;" });
  assert.deepEqual(Object.keys((await codeOfStage(lab)).modules).sort(), ["esm.js", "old/x.js", "stage.ts"]);
  lab.put({ "old/x.js": "exports.a = __dirname;" });
  await assert.rejects(codeOfStage(lab), /old\/x\.js:1: __dirname cannot be followed/);
});
