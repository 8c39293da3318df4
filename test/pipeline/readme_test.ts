import assert from "node:assert/strict";
import { openLab } from "./lab.ts";
import { exampleOf, openProject, PACKAGE } from "./readme_project.ts";

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
