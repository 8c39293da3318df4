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
  Deno.mkdirSync(`${project}/texts`, { recursive: true });
  copyPackage(`${project}/pipeline`);
  Deno.writeTextFileSync(`${project}/deno.json`, config);
  Deno.writeTextFileSync(`${project}/count.ts`, program);
  const run = async () => {
    const { success, stderr } = await new Deno.Command("deno", { args, cwd: project }).output();
    const text = new TextDecoder().decode(stderr);
    assert.ok(success, text);
    return text;
  };
  const put = (name: string, text: string) => Deno.writeTextFileSync(`${project}/texts/${name}.txt`, text);
  const words = (name: string) => JSON.parse(Deno.readTextFileSync(`${project}/results/${name}.json`)).words;
  put("a", "one two");
  put("b", "one two three");
  assert.match(await run(), /done: 2 executed, 0 cached/);
  assert.deepEqual([words("a"), words("b")], [2, 3]);
  assert.match(await run(), /done: 0 executed, 2 cached/);
  put("b", "one");
  assert.match(await run(), /done: 1 executed, 1 cached/);
  assert.deepEqual([words("a"), words("b")], [2, 1]);
  // the stage's own code counts, the engine's does not
  Deno.writeTextFileSync(`${project}/pipeline/gate.ts`, "\n// changed\n", { append: true });
  assert.match(await run(), /done: 0 executed, 2 cached/);
  Deno.writeTextFileSync(`${project}/count.ts`, "\n// changed\n", { append: true });
  assert.match(await run(), /done: 2 executed, 0 cached/);
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
