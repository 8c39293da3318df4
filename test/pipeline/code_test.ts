import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { closureOf, codeDigests, type Info, moduleUrl, readGraph } from "../../pipeline/code.ts";
import { sha256 } from "../../pipeline/mod.ts";
import { openState } from "../../pipeline/state.ts";
import { openLab } from "./lab.ts";

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
  const read = async () => (await codeDigests(state, stage)([stage])).get(stage);
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
  const code = (await codeDigests(state, engine)([engine])).get(engine);
  assert.ok(code !== undefined);
  const packages = Object.entries(code.packages);
  assert.ok(packages.some(([name]) => name.startsWith("zod@")));
  assert.ok(packages.every(([, integrity]) => integrity.startsWith("sha512-")));
  assert.ok(code.modules["pipeline/hash.ts"]);
});

Deno.test("modules from other hosts count by URL: the hash in deno.lock, else their bytes without the note of the download", () => {
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
  const configs = { files: [`${lab.source}/deno.lock`] };
  assert.deepEqual(closureOf(main, readGraph(info, configs)).modules, {
    "stage.ts": sha256(""),
    "https://host/locked.ts": "f00d",
    "https://host/loose.ts": sha256("loose"),
  });
  const absent: Info = { ...info, modules: info.modules.with(2, { specifier: loose, error: "no network" }) };
  assert.throws(() => closureOf(main, readGraph(absent, configs)), /loose\.ts cannot be loaded: no network/);
});

Deno.test("a module that cannot be loaded is named", async () => {
  using lab = openLab();
  lab.put({ "deno.json": "{}", "stage.ts": 'import "./missing.ts";' });
  using state = openState(lab.root, { warn: () => {} });
  const stage = moduleUrl(`${lab.source}/stage.ts`);
  await assert.rejects(codeDigests(state, stage)([stage]), /missing\.ts/);
});
