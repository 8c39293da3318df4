import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { writtenAfter } from "../../pipeline/stamp.ts";
import { type Lab, openLab } from "./lab.ts";

const PACKAGE = fileURLToPath(new URL("../../pipeline/", import.meta.url));

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
    "main.ts": program(""),
  });
  assert.match(await start(lab), /executed 3 1/);
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
