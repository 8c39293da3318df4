import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { editedSinceLoaded } from "../../../pipeline/code_watch.ts";
import { noteDefined } from "../../../pipeline/loaded.ts";
import { writtenAfter } from "../../../pipeline/stamp.ts";
import { type Lab, openLab } from "../lab.ts";

const PACKAGE = fileURLToPath(new URL("../../../pipeline/", import.meta.url));

/** A project of its own, whose program is started as a process. */
function putProgram(lab: Lab, files: Readonly<Record<string, string>>): void {
  const { imports } = JSON.parse(Deno.readTextFileSync(`${PACKAGE}deno.json`));
  lab.put({
    "deno.json": JSON.stringify({ imports: { ...imports, "@ftim/pipeline": `${PACKAGE}mod.ts` } }),
    "table.txt": "1",
    "low.ts": "export const low = 1;",
    "items/a": "",
    "items/b": "",
    "items/c": "",
    ...files,
  });
}

async function start(lab: Lab): Promise<string> {
  const args = ["run", "--no-check", "--quiet", "--allow-all", "main.ts"];
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), { args, cwd: lab.source }).output();
  return new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
}

const stage = (run: string) => `
  import { defineStage } from "@ftim/pipeline";
  import { low } from "./low.ts";
  export const s = defineStage({
    name: "s", module: import.meta.url, inputs: { items: "folder" }, each: ["items"], output: "o",
    determinism: "bitwise",
    run: async ({ items }) => { for (const { key, out } of items) { ${run} } },
  });
`;
const read = 'Deno.readTextFileSync(new URL("./table.txt", import.meta.url))';
const program = (before: string, after = "") => `
  import { reproduce, silentReporter, sourceFolder } from "@ftim/pipeline";
  import { s } from "./stage.ts";
  const run = async () => {
    const options = { store: "../store", reporter: silentReporter(), jobs: 1 };
    const { trees, summary } = await reproduce({ x: s({ items: sourceFolder("items") }) }, options);
    console.log("executed", summary.executed, await trees.x.text("a.o"));
  };
  ${before}
  await run();
  ${after}
`;

/** A time in whole seconds, as files have it, is of any moment of that second: what comes later is in the next one. */
const later = "await new Promise((resolve) => setTimeout(resolve, 1100));";
const early = /CodeChangedError: stage "s": (.*) was edited after this program had started/;

Deno.test("code edited between the program's start and the first look at it is refused by name", async () => {
  using lab = openLab();
  putProgram(lab, {
    "stage.ts": stage("out.write(`${key}.o`, `low ${low}`);"),
    "main.ts": program('if (Deno.args.length === 0) Deno.writeTextFileSync("low.ts", "export const low = 2;");'),
  });
  const text = await start(lab);
  assert.match(text, /CodeChangedError: stage "s": low\.ts was edited after this program had started/);
  lab.put({ "main.ts": program("") });
  assert.match(await start(lab), /executed 3 low 2/, "an edit just before the start is an ordinary one");
});

Deno.test("a module that a program writes and then imports is no edit; editing it later is", async () => {
  using lab = openLab();
  const main = program("").replace('import { s } from "./stage.ts";', "");
  putProgram(lab, {
    "later.ts": stage("out.write(`${key}.o`, `low ${low}`);"),
    "main.ts": `Deno.copyFileSync("later.ts", "stage.ts"); const { s } = await import("./stage.ts"); ${main}
      Deno.writeTextFileSync("stage.ts", "// edited\\n" + Deno.readTextFileSync("stage.ts"));
      await run();`,
  });
  const text = await start(lab);
  assert.match(text, /executed 3 low 1\n[^]*CodeChangedError: stage "s": stage\.ts was edited after this program had/);
});

Deno.test("a file that is read for each item is looked at after each of them", async () => {
  using lab = openLab();
  const wait = "await new Promise((resolve) => setTimeout(resolve, 100));";
  const edit = 'if (key === "c") Deno.writeTextFileSync("table.txt", "2");';
  putProgram(lab, {
    "stage.ts": stage(`${wait} ${edit} out.write(\`\${key}.o\`, ${read});`),
    "main.ts": program("", ""),
  });
  assert.match(await start(lab), /CodeChangedError: stage "s": table\.txt changed while the run was on/);
  assert.match(await start(lab), /executed 3 2/, "nothing was kept under the key of another table");
});

Deno.test("a file that is only touched, or written as it was, stops no run", async () => {
  using lab = openLab();
  const wait = "await new Promise((resolve) => setTimeout(resolve, 100));";
  const edit = 'Deno.writeTextFileSync("table.txt", "1"); Deno.utimeSync("low.ts", 1, 1);';
  putProgram(lab, {
    "stage.ts": stage(`${wait} ${edit} out.write(\`\${key}.o\`, ${read});`),
    "main.ts": program(later, 'Deno.removeSync("../store", { recursive: true }); await run();'),
  });
  assert.match(await start(lab), /executed 3 1\nexecuted 3 1/);
});

Deno.test("a table that is read as a module is loaded must not be edited before the first look", async () => {
  using lab = openLab();
  const text = stage("out.write(`${key}.o`, table);").replace("export const", `const table = ${read}; export const`);
  const edit = 'if (Deno.args.length === 0) Deno.writeTextFileSync("table.txt", "2");';
  putProgram(lab, { "stage.ts": text, "main.ts": program(`${later} ${edit}`) });
  assert.equal(early.exec(await start(lab))?.[1], "table.txt");
  lab.put({ "main.ts": program("") });
  assert.match(await start(lab), /executed 3 2/);
});

Deno.test("a module that is loaded at any time is refused where an earlier one may be in memory", async () => {
  using lab = openLab();
  const text = stage('const { low: now } = await import("./deep.ts"); out.write(`${key}.o`, `deep ${now}`);');
  const edit = 'Deno.writeTextFileSync("deep.ts", "export const low = 2;");';
  putProgram(lab, {
    "deep.ts": "export const low = 1;",
    "stage.ts": text,
    "main.ts": program(`await import("./deep.ts"); ${later} ${edit}`),
  });
  assert.equal(early.exec(await start(lab))?.[1], "deep.ts");
  lab.put({ "main.ts": program("") });
  assert.match(await start(lab), /executed 3 deep 2/);
});

Deno.test("a file that one stage has loaded is not another one's after an edit, in the same process", async () => {
  using lab = openLab();
  const text = stage('const { low: now } = await import("./deep.ts"); out.write(`${key}.o`, `deep ${now}`);');
  const write = (path: string, text: string) => `Deno.writeTextFileSync("${path}", ${JSON.stringify(text)});`;
  putProgram(lab, {
    "deep.ts": "export const low = 1;",
    "stage.ts": text,
    "main.ts": `${program("")} ${later} ${write("deep.ts", "export const low = 2;")}
      ${write("other.ts", text.replace('"s"', '"t"'))} ${later}
      const { s: t } = await import("./other.ts"); const options = { store: "../store", reporter: silentReporter() };
      await reproduce({ x: t({ items: sourceFolder("items") }) }, options);`,
  });
  assert.match(await start(lab), /executed 3 deep 1\n[^]*CodeChangedError: stage "t": deep\.ts was edited after this/);
});

Deno.test("what a late stage imports is of the start where the program may have loaded it then", async () => {
  using lab = openLab();
  putProgram(lab, {
    "stage.ts": stage("out.write(`${key}.o`, `low ${low}`);"),
    "main.ts": program(`await import("./low.ts"); ${later} Deno.writeTextFileSync("low.ts", "export const low = 2;");
      ${later} const { s } = await import("./stage.ts");`).replace('import { s } from "./stage.ts";', ""),
  });
  assert.equal(early.exec(await start(lab))?.[1], "low.ts");
});

Deno.test("a table that a module which another one loads too has read is of the start", async () => {
  using lab = openLab();
  putProgram(lab, {
    "helper.ts": `export const table = ${read};`,
    "stage.ts": `import { table } from "./helper.ts"; ${stage("out.write(`${key}.o`, table);")}`,
    "main.ts": program(`await import("./helper.ts"); ${later} Deno.writeTextFileSync("table.txt", "2"); ${later}
      const { s } = await import("./stage.ts");`).replace('import { s } from "./stage.ts";', ""),
  });
  assert.equal(early.exec(await start(lab))?.[1], "table.txt");
});

Deno.test("a package in node_modules that is edited before the first look is refused", async () => {
  using lab = openLab();
  const manifest = (name: string) => JSON.stringify({ name, version: "1.0.0", type: "module", main: "index.js" });
  const { imports } = JSON.parse(Deno.readTextFileSync(`${PACKAGE}deno.json`));
  // "none" is for the engine's own packages: the program's is found by its address
  putProgram(lab, {
    "deno.json": JSON.stringify({
      nodeModulesDir: "none",
      imports: { ...imports, "@ftim/pipeline": `${PACKAGE}mod.ts`, near: "./node_modules/near/index.js" },
    }),
    "node_modules/near/package.json": manifest("near"),
    "node_modules/near/index.js": "export const near = 1;",
    "stage.ts": `import { near } from "near"; ${stage("out.write(`${key}.o`, `near ${near}`);")}`,
    "main.ts": program(`${later} Deno.writeTextFileSync("node_modules/near/index.js", "export const near = 2;");`),
  });
  assert.equal(early.exec(await start(lab))?.[1], "node_modules/near/index.js");
  lab.put({ "main.ts": program("") });
  assert.match(await start(lab), /executed 3 near 2/);
});

Deno.test("a stage that is defined in a function is of its module as it was at the start", async () => {
  using lab = openLab();
  const text = stage("out.write(`${key}.o`, `low ${low}`);").replace("export const s =", "export const make = () =>");
  putProgram(lab, {
    "stage.ts": text,
    "main.ts": program(`const { make } = await import("./stage.ts"); ${later}
      if (Deno.args.length === 0) Deno.writeTextFileSync("low.ts", "export const low = 2;"); ${later}
      const s = make();`).replace('import { s } from "./stage.ts";', ""),
  });
  assert.equal(early.exec(await start(lab))?.[1], "low.ts");
});

Deno.test("a file whose time is ahead of the clock is refused until a program has seen it before its start", () => {
  const now = Date.now();
  const stamp = { dev: 1, ino: 1, size: 1, mtime: now + 3.6e6, ctime: now + 3.6e6, racy: true };
  const file = { name: "a.ts", sha256: "a", stamp, since: "the definition", isReadAgain: false } as const;
  noteDefined("file:///a.ts");
  const look = (readAt: number) => editedSinceLoaded("file:///a.ts", new Map([["/a.ts", { ...file, readAt }]]));
  const { names, ahead } = look(now);
  assert.deepEqual(names, ["a.ts"]);
  assert.ok(Math.abs(ahead - 3.6e6) < 10_000, String(ahead));
  assert.deepEqual(look(performance.timeOrigin - 1), { names: [], ahead: 0 });
});

Deno.test("a file's times say whether it was written after a moment, as far as they can", () => {
  const moment = 5500;
  for (
    const [ctime, mtime, after] of [
      [6000, 1, true], // in a later second, whatever the mtime
      [5000, 5499, false], // in the same second, before
      [5000, 5501, true],
      [5000, 1, false], // moved there with an mtime of its own: nobody knows
      [5000, 9000, false],
      [4000, 4999, false],
      [5499.5, 5499.5, false], // exact times
      [5500.5, 5500.5, true],
      [4000, 5501, false], // an mtime that was set ahead
    ] as const
  ) {
    assert.equal(writtenAfter({ ctime, mtime }, moment), after, `${ctime} ${mtime}`);
  }
});
