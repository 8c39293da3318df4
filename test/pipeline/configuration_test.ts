import assert from "node:assert/strict";
import { fileURLToPath, pathToFileURL } from "node:url";
import { changedCode, codeDigests, type CodeOptions } from "../../pipeline/code.ts";
import { openState } from "../../pipeline/state.ts";
import { type Lab, openLab } from "./lab.ts";

const PACKAGE = fileURLToPath(new URL("../../pipeline/", import.meta.url));
const json = (value: unknown) => JSON.stringify(value);

/** The code of a lab's stage module, asked by a program of the lab. */
async function codeOf(lab: Lab, { stage = "stage.ts", entry = stage, ...options }: CodeOptions & { stage?: string }) {
  using state = openState(lab.root, { warn: () => {} });
  const url = (name: string) => pathToFileURL(`${lab.source}/${name}`).href;
  const code = (await codeDigests(state, { entry: url(entry), ...options })([url(stage)])).get(url(stage));
  assert.ok(code !== undefined);
  return code;
}

Deno.test("an option that changes what TypeScript emits counts, also in tsconfig.json; others do not", async () => {
  using lab = openLab();
  lab.put({ "deno.json": "{}", "stage.ts": "export {};" });
  const first = await codeOf(lab, {});
  lab.put({ "deno.json": json({ compilerOptions: { verbatimModuleSyntax: true } }) });
  assert.deepEqual(changedCode(first, await codeOf(lab, {})), ["compilerOptions of deno.json"]);
  lab.put({ "deno.json": "{}", "tsconfig.json": json({ compilerOptions: { strict: false } }) });
  assert.deepEqual(await codeOf(lab, {}), first);
  lab.put({ "tsconfig.json": `{ "extends": "./base", "references": [{ "path": "./part" }] } // with a comment` });
  assert.deepEqual(await codeOf(lab, {}), first);
  lab.put({ "base.json": json({ compilerOptions: { experimentalDecorators: true } }) });
  lab.put({ "part/tsconfig.json": json({ compilerOptions: { jsx: "react" } }) });
  const named = ["compilerOptions of base.json", "compilerOptions of part/tsconfig.json"];
  assert.deepEqual(changedCode(first, await codeOf(lab, {})), named);
  lab.put({ "tsconfig.json": json({ extends: "@tsconfig/strictest" }) });
  await assert.rejects(codeOf(lab, {}), /tsconfig\.json extends "@tsconfig\/strictest", which is not followed: write/);
  lab.put({ "deno.json": json({ compilerOptions: {} }) });
  assert.deepEqual(await codeOf(lab, {}), first, "Deno looks for no tsconfig.json where deno.json has options");
});

Deno.test("an import by address is refused where the program's import map makes something else of it", async () => {
  using lab = openLab();
  const resolve = (from: string) => (specifier: string) => specifier.endsWith(from) ? "file:///else.ts" : specifier;
  lab.put({ "deno.json": "{}", "low.ts": "", "stage.ts": 'import "./low.ts"; import "node:fs";' });
  await codeOf(lab, { resolve: resolve("absent") });
  const text =
    /imports "file:.*low\.ts", which is file:.*low\.ts by the configuration of .*, but file:\/\/\/else\.ts in/;
  await assert.rejects(codeOf(lab, { resolve: resolve("/low.ts") }), text);
  await assert.rejects(
    codeOf(lab, { resolve: resolve("node:fs") }),
    /imports "node:fs", which is node:fs by .*else\.ts/,
  );
  // the project's own map of an address
  lab.put({ "deno.json": json({ imports: { "./low.ts": "./high.ts" } }), "high.ts": "" });
  const high = pathToFileURL(`${lab.source}/high.ts`).href;
  const code = await codeOf(lab, { resolve: (specifier) => specifier.endsWith("/low.ts") ? high : specifier });
  assert.deepEqual(code.aliases, { "./low.ts": "high.ts" });
});

Deno.test("a program that was started under another configuration is refused by its flag", async () => {
  using lab = openLab();
  lab.put({ "deno.json": "{}", "other/deno.json": "{}", "alt.json": "{}", "deno.lock": json({ version: "5" }) });
  lab.put({ "stage.ts": "export {};" });
  const place = lab.source;
  for (
    const flags of [
      ["-A", "--config", `${place}/deno.json`],
      ["-Ac", `${place}/deno.json`, `--lock=${place}/deno.lock`],
      ["--allow-read", "--node-modules-dir"],
    ]
  ) {
    lab.put({ "deno.json": json({ nodeModulesDir: "auto" }) });
    await codeOf(lab, { words: ["run", ...flags, "main.ts"] });
  }
  lab.put({ "deno.json": "{}" });
  for (
    const flags of [
      ["--config", `${place}/alt.json`],
      ["-Ac", `${place}/alt.json`],
      ["--import-map=map.json"],
      ["--lock", "other.lock"],
      ["--no-lock"],
      ["--no-config"],
      ["--vendor"],
      ["--node-modules-dir=auto"],
    ]
  ) {
    const flag = flags[0]?.startsWith("-A") ? "--config" : flags[0]?.replace(/=map.*/, "");
    const text = new RegExp(`this program was started with ${flag}.* put the same into .*/deno\\.json, and start`);
    await assert.rejects(codeOf(lab, { words: ["run", ...flags, "main.ts"] }), text);
  }
});

Deno.test("a program with all permissions knows how it was started", async () => {
  using lab = openLab();
  const { imports } = JSON.parse(Deno.readTextFileSync(`${PACKAGE}deno.json`));
  const config = { imports: { ...imports, "@ftim/pipeline": `${PACKAGE}mod.ts` } };
  lab.put({
    "deno.json": json(config),
    "alt.json": json({ ...config, compilerOptions: { experimentalDecorators: true } }),
    "main.ts": `import { defineStage, reproduce, silentReporter } from "@ftim/pipeline";
      const s = defineStage({ name: "s", module: import.meta.url, inputs: {}, output: "o", determinism: "bitwise",
        run: ({ out }) => out.write("a", "1") });
      await reproduce({ x: s({}) }, { store: "../store", reporter: silentReporter() }); console.log("done");`,
  });
  const start = async (...flags: string[]) => {
    const args = ["run", "--no-check", "--quiet", "--allow-all", ...flags, "main.ts", "--config", "of-the-program"];
    const { stdout, stderr } = await new Deno.Command(Deno.execPath(), { args, cwd: lab.source }).output();
    return new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  };
  assert.match(await start(), /done/);
  const wanted = Deno.build.os === "linux" ? /this program was started with --config alt\.json, but a stage's/ : /done/;
  assert.match(await start("--config", "alt.json"), wanted);
});

Deno.test("a module of a project inside another is refused where the two make other code of it", async () => {
  using lab = openLab();
  const lock = (version: string) =>
    json({
      version: "5",
      specifiers: { "npm:zod@^4.0.0": version },
      npm: { [`zod@${version}`]: { integrity: "sha512-x" } },
    });
  lab.put({ "deno.json": "{}", "sub/deno.json": "{}", "main.ts": 'import "./sub/stage.ts";', "sub/stage.ts": "" });
  const read = () => codeOf(lab, { stage: "sub/stage.ts", entry: "main.ts" });
  await read();
  lab.put({ "deno.json": json({ compilerOptions: { experimentalDecorators: true, strict: false } }) });
  await assert.rejects(read(), /modules of .*sub have the compilerOptions \{\}, but .*experimentalDecorators":true/);
  lab.put({ "deno.json": "{}", "sub/stage.ts": 'import "npm:zod@^4.0.0";' });
  const { npm } = JSON.parse(Deno.readTextFileSync(new URL("../../deno.lock", import.meta.url)));
  const own = { version: "5", specifiers: { "npm:zod@^4.0.0": "4.6.7" }, npm: { "zod@4.6.7": npm["zod@4.6.7"] } };
  lab.put({ "sub/deno.lock": json(own), "deno.lock": json(own) });
  await read();
  lab.put({ "deno.lock": lock("4.0.0") });
  await assert.rejects(
    read(),
    /import npm:zod@\^4\.0\.0, which is zod@4\.6\.7 there, but by the deno\.lock of .* 4\.0\.0/,
  );
});

Deno.test("a package.json above a module without a deno.json says what its imports mean", async () => {
  using lab = openLab();
  lab.put({ "package.json": json({ imports: { "#lib": "./src/a.ts" } }), "src/stage.ts": 'import "#lib";' });
  lab.put({ "src/a.ts": "", "src/b.ts": "" });
  const first = await codeOf(lab, { stage: "src/stage.ts" });
  await new Promise((resolve) => setTimeout(resolve, 80));
  assert.deepEqual(await codeOf(lab, { stage: "src/stage.ts" }), first);
  lab.put({ "package.json": json({ imports: { "#lib": "./src/b.ts" } }) });
  assert.deepEqual(changedCode(first, await codeOf(lab, { stage: "src/stage.ts" })), ["#lib", "src/a.ts", "src/b.ts"]);
});

Deno.test("flags that say what holds anyway, a member's configuration and a link are no other", async () => {
  using lab = openLab();
  lab.put({
    "deno.json": json({ workspace: ["./app"], importMap: "map.json" }),
    "app/deno.json": "{}",
    "app/stage.ts": 'import "../low.ts";',
    "map.json": json({ imports: {} }),
    "low.ts": "",
  });
  const [stage, entry] = ["app/stage.ts", "app/stage.ts"];
  const plain = await codeOf(lab, { stage, entry, words: ["run"] });
  for (
    const flag of [
      `--config=${lab.source}/app/deno.json`,
      `--import-map=${lab.source}/map.json`,
      "--node-modules-dir=none",
    ]
  ) {
    assert.deepEqual(await codeOf(lab, { stage, entry, words: ["run", flag] }), plain, flag);
  }
  await Deno.symlink(lab.source, `${lab.root}/link`);
  const [folder, link] = [lab.source, `${lab.root}/link`].map((path) => pathToFileURL(path).href);
  const linked = (specifier: string) => specifier.replace(folder!, link!);
  assert.deepEqual(await codeOf(lab, { stage, entry, words: ["run"], resolve: linked }), plain);
});

Deno.test("a program that runs in a worker is told no main module, and computes all the same", async () => {
  using lab = openLab();
  const { imports } = JSON.parse(Deno.readTextFileSync(`${PACKAGE}deno.json`));
  lab.put({
    "deno.json": json({ imports: { ...imports, "@ftim/pipeline": `${PACKAGE}mod.ts` } }),
    "stage.ts": `
      import { defineStage } from "@ftim/pipeline";
      export const s = defineStage({
        name: "s", module: import.meta.url, inputs: {}, output: "o", determinism: "bitwise",
        run: ({ out }) => out.write("a.txt", "a"),
      });`,
    "work.ts": `
      import { reproduce, silentReporter } from "@ftim/pipeline";
      import { s } from "./stage.ts";
      const { summary } = await reproduce({ x: s({}) }, { store: "../store", reporter: silentReporter() });
      console.log("executed", summary.executed);
      self.postMessage("done");`,
    "main.ts": `
      const worker = new Worker(new URL("./work.ts", import.meta.url), { type: "module" });
      worker.onmessage = () => worker.terminate();`,
  });
  const args = ["run", "--no-check", "--quiet", "--allow-all", "main.ts"];
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), { args, cwd: lab.source }).output();
  assert.match(new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr), /executed 1/);
});
