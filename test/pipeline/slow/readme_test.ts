import assert from "node:assert/strict";
import { openLab } from "../lab.ts";
import { copyPackage, exampleOf, openProject, PACKAGE } from "../readme_project.ts";

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
