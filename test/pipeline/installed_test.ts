import assert from "node:assert/strict";
import { pathToFileURL } from "node:url";
import { changedCode, closureOf, type Code, codeDigests } from "../../pipeline/code.ts";
import { openConfigs } from "../../pipeline/config.ts";
import type { Info } from "../../pipeline/deno_info.ts";
import { readGraph } from "../../pipeline/module_graph.ts";
import { openState } from "../../pipeline/state.ts";
import { type Lab, openLab } from "./lab.ts";

/** The code of a lab's stage module, asked by a program beside it. */
async function codeOf(lab: Lab, name = "stage.ts") {
  using state = openState(lab.root, { warn: () => {} });
  const stage = pathToFileURL(`${lab.source}/${name}`).href;
  const code = (await codeDigests(state, { entry: stage })([stage])).get(stage);
  assert.ok(code !== undefined);
  return code;
}

const manifest = (more: object) => JSON.stringify({ version: "1.0.0", type: "module", main: "index.js", ...more });

Deno.test("a package in node_modules counts by its files, and so does all that it needs", async () => {
  using lab = openLab();
  lab.put({
    "deno.json": JSON.stringify({ nodeModulesDir: "manual" }),
    "package.json": JSON.stringify({ dependencies: { outer: "1.0.0" } }),
    "node_modules/outer/package.json": manifest({ name: "outer", dependencies: { "@low/inner": "1", absent: "1" } }),
    "node_modules/outer/index.js": 'export * from "./deep/part.js";',
    "node_modules/outer/deep/part.js": 'export { a } from "@low/inner";',
    "node_modules/@low/inner/package.json": manifest({ name: "@low/inner" }),
    "node_modules/@low/inner/index.js": 'export * from "./a.js";',
    "node_modules/@low/inner/a.js": "export const a = 1;",
    "node_modules/other/package.json": manifest({ name: "other" }),
    "stage.ts": 'import { a } from "outer"; export const b = a;',
  });
  const first = await codeOf(lab);
  assert.deepEqual(Object.keys(first.packages).sort(), ["@low/inner@1.0.0", "outer@1.0.0"]);
  assert.deepEqual(await codeOf(lab), first);
  lab.put({ "node_modules/outer/deep/part.js": 'export { a } from "@low/inner"; // edited' });
  const second = await codeOf(lab);
  assert.deepEqual(changedCode(first, second), ["outer@1.0.0"]);
  lab.put({ "node_modules/@low/inner/a.js": "export const a = 2;" });
  const third = await codeOf(lab);
  assert.deepEqual(changedCode(second, third), ["@low/inner@1.0.0"]);
  lab.put({ "node_modules/absent/package.json": manifest({ name: "absent" }) });
  assert.deepEqual(changedCode(third, await codeOf(lab)), ["absent@1.0.0"]);
  lab.put({ "node_modules/other/package.json": manifest({ name: "other", version: "2.0.0" }) });
  assert.deepEqual(Object.keys((await codeOf(lab)).packages).sort(), [
    "@low/inner@1.0.0",
    "absent@1.0.0",
    "outer@1.0.0",
  ]);
});

Deno.test("the copies of modules from other hosts count by their files where a project keeps them", async () => {
  using lab = openLab();
  const [stage, own, remote] = [`${lab.source}/stage.ts`, `${lab.source}/own.ts`, "https://host/x.ts"];
  const urls = [pathToFileURL(stage).href, pathToFileURL(own).href] as const;
  lab.put({
    "deno.json": JSON.stringify({ vendor: true }),
    "deno.lock": JSON.stringify({ remote: { [remote]: "f00d" } }),
    "own.ts": "",
    "stage.ts": "",
    "vendor/host/x.ts": "export const v = 1;",
  });
  const info: Info = {
    modules: [
      { specifier: urls[0], local: stage, dependencies: [{ specifier: remote, code: { specifier: remote } }] },
      { specifier: urls[1], local: own },
      { specifier: remote, local: `${lab.source}/vendor/host/x.ts` },
    ],
    redirects: {},
  };
  async function read(): Promise<Code[]> {
    const [configs, root] = [openConfigs(), lab.source];
    const graph = await readGraph(urls, { root, configs, ask: () => Promise.resolve(info) });
    return urls.map((url) =>
      closureOf(url, { graph, root, configs, resolve: () => null, atStart: new Set(), importers: new Map() }).code
    );
  }
  const before = await read();
  lab.put({ "vendor/host/x.ts": "export const v = 2;" });
  const after = await read();
  assert.deepEqual(changedCode(before[0]!, after[0]!), ["vendor"]);
  assert.deepEqual(after[1], before[1]);
});
