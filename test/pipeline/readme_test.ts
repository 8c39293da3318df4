import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { openLab } from "./lab.ts";

const PACKAGE = fileURLToPath(new URL("../../pipeline", import.meta.url));

/** What the README tells a user: the program, the configuration and the command. */
function exampleOf(text: string): { program: string; config: string; args: string[] } {
  const program = /```ts\n([^]*?)```/.exec(text)?.[1];
  const config = /`({ "workspace"[^`]*)`/.exec(text)?.[1];
  const command = /`deno (run [^`]*count\.ts)`/.exec(text)?.[1];
  assert.ok(program !== undefined && config !== undefined && command !== undefined);
  return { program, config, args: command.split(" ") };
}

/** A project of a user's: the package in it, a configuration, a program, and `texts/`. */
interface Project {
  /** Runs the program, which must succeed, and gives what it says. */
  run(args: readonly string[]): Promise<string>;
  put(name: string, text: string): void;
  result(name: string): unknown;
}

function openProject(root: string, files: Readonly<Record<string, string>>): Project {
  Deno.mkdirSync(`${root}/texts`, { recursive: true });
  copyPackage(`${root}/pipeline`);
  for (const [name, text] of Object.entries(files)) Deno.writeTextFileSync(`${root}/${name}`, text);
  return {
    async run(args) {
      const { success, stderr } = await new Deno.Command("deno", { args: [...args], cwd: root }).output();
      const text = new TextDecoder().decode(stderr);
      assert.ok(success, text);
      return text;
    },
    put: (name, text) => Deno.writeTextFileSync(`${root}/texts/${name}.txt`, text),
    result: (name) => JSON.parse(Deno.readTextFileSync(`${root}/results/${name}.json`)),
  };
}

/** Copies the package, so that it is imported without the workspace that it is developed in. */
function copyPackage(to: string): void {
  Deno.mkdirSync(to);
  for (const { name, isFile } of Deno.readDirSync(PACKAGE)) {
    if (isFile) Deno.copyFileSync(`${PACKAGE}/${name}`, `${to}/${name}`);
  }
}

Deno.test("the README's example runs as a user would run it, and counts again just the file that changed", async () => {
  using lab = openLab();
  const { program, config, args } = exampleOf(Deno.readTextFileSync(`${PACKAGE}/README.md`));
  const project = `${lab.root}/project`;
  const { run: start, put, result } = openProject(project, { "deno.json": config, "count.ts": program });
  const run = () => start(args);
  put("a", "one two");
  put("b", "one two three");
  assert.match(await run(), /done: 2 executed, 0 cached/);
  assert.deepEqual([result("a"), result("b")], [{ words: 2 }, { words: 3 }]);
  assert.match(await run(), /done: 0 executed, 2 cached/);
  put("b", "one");
  assert.match(await run(), /done: 1 executed, 1 cached/);
  assert.deepEqual([result("a"), result("b")], [{ words: 2 }, { words: 1 }]);
  // the stage's own code counts, the engine's does not
  Deno.writeTextFileSync(`${project}/pipeline/gate.ts`, "\n// changed\n", { append: true });
  assert.match(await run(), /done: 0 executed, 2 cached/);
  Deno.writeTextFileSync(`${project}/count.ts`, "\n// changed\n", { append: true });
  assert.match(await run(), /done: 2 executed, 0 cached/);
});

Deno.test("the README's second example runs again only the stage whose parameter changed", async () => {
  using lab = openLab();
  const text = Deno.readTextFileSync(`${PACKAGE}/README.md`);
  const { config, args } = exampleOf(text);
  const program = [...text.matchAll(/```ts\n([^]*?)```/g)][1]?.[1];
  const imports = /`"imports": ({ "zod"[^`]*})`/.exec(text)?.[1];
  assert.ok(program !== undefined && imports !== undefined);
  const project = `${lab.root}/project`;
  const whole = JSON.stringify({ ...JSON.parse(config), imports: JSON.parse(imports) });
  const { run, put, result } = openProject(project, { "deno.json": whole, "long.ts": program });
  const options = args.slice(0, -1);
  put("a", "one two");
  put("b", "one");
  assert.match(await run([...options, "--check", "long.ts"]), /done: 3 executed, 0 cached/);
  assert.deepEqual(result("long"), { texts: 1 });
  assert.match(await run([...options, "long.ts", "1"]), /done: 1 executed, 2 cached/);
  assert.deepEqual(result("long"), { texts: 2 });
});

Deno.test("the package alone, copied out of its workspace, type-checks and runs a stage", async () => {
  using lab = openLab();
  copyPackage(`${lab.root}/pipeline`);
  const { program } = exampleOf(Deno.readTextFileSync(`${PACKAGE}/README.md`));
  const own = program.replace("@ftim/pipeline", "./mod.ts").replaceAll('"texts")', `"${lab.source}")`);
  Deno.writeTextFileSync(`${lab.root}/pipeline/count.ts`, own);
  lab.put({ "a.txt": "one two" });
  const permissions = ["--allow-read", "--allow-write", "--allow-env", "--allow-run=deno"];
  const options = { args: ["run", "--check", ...permissions, "count.ts"], cwd: `${lab.root}/pipeline` };
  const { success, stderr } = await new Deno.Command("deno", options).output();
  const text = new TextDecoder().decode(stderr);
  assert.ok(success, text);
  assert.match(text, /done: 1 executed, 0 cached/);
});
