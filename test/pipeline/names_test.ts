import assert from "node:assert/strict";
import { defineStage, diffRuns, findRun, reproduce, sourceFolder, StageError } from "../../pipeline/mod.ts";
import { openLab } from "./lab.ts";

type Definition = Parameters<typeof defineStage<Record<never, never>, "out">>[0];

function stage(name: string, run: Definition["run"]) {
  return defineStage({ name, module: import.meta.url, inputs: {}, output: "out", determinism: "bitwise", run });
}

const INHERITED = ["constructor", "toString", "hasOwnProperty", "valueOf"];

Deno.test("what no folder can hold is refused by the stage's name and the path", async () => {
  const cases: readonly (readonly [paths: readonly string[], message: RegExp])[] = [
    [["a\ud800"], /stage "write": the path "a\\ud800" holds half of a surrogate pair/],
    [["a", "a.b", "a/b"], /stage "write": wrote "a" as a file and files into it as a folder/],
    [["a/b/c/d", "a/b"], /stage "write": wrote "a\/b" as a file/],
  ];
  for (const [paths, message] of cases) {
    using lab = openLab();
    const write = stage("write", ({ out }) => paths.forEach((path) => out.write(path, "text")));
    await assert.rejects(reproduce({ out: write({}) }, lab.options()), message);
  }
  using lab = openLab();
  lab.put({ "a.txt": "1", "a/b.txt": "2" });
  const items = defineStage({
    name: "items",
    module: import.meta.url,
    inputs: { texts: "folder" },
    output: "out",
    each: ["texts"],
    determinism: "bitwise",
    run: ({ items }) => items.forEach(({ key, out }) => out.write(key === "a" ? "a/b" : "a/b/c", key)),
  });
  await assert.rejects(
    reproduce({ out: items({ texts: sourceFolder(lab.source) }) }, lab.options()),
    /stage "items": one item wrote the file "a\/b", another has it as a folder/,
  );
});

Deno.test("a skip without a key or a reason is refused", async () => {
  for (const row of [["k"], ["k", ""], ["k", 7], ["", "why"], ["k", "\ud800"]]) {
    using lab = openLab();
    const skipping = stage("skipping", ({ out, skip }) => {
      out.write("a.txt", "a");
      Reflect.apply(skip, null, row);
    });
    await assert.rejects(reproduce({ out: skipping({}) }, lab.options()), (error: Error) => {
      assert.ok(error instanceof StageError);
      assert.match(error.message, /stage "skipping": skip: /);
      return true;
    }, String(row));
  }
});

Deno.test("a role, a stage, a target and a fact may have the name of what objects inherit", async () => {
  for (const name of INHERITED) {
    using lab = openLab();
    lab.put({ "a.txt": "1" });
    const inputs: { readonly texts: "folder"; readonly [role: string]: string } = {
      texts: "folder",
      [name]: "folder?",
    };
    const common = { module: import.meta.url, output: "out", inputs, determinism: "bitwise" } as const;
    const texts = sourceFolder(lab.source);
    const whole = defineStage({
      ...common,
      name: `whole-${name}`,
      run: ({ inputs, out }) => out.write("a.txt", String(inputs[name])),
    });
    const each = defineStage({
      ...common,
      name: `each-${name}`,
      each: ["texts", name],
      run: ({ items }) => items.forEach(({ key, inputs, out }) => out.write(`${key}.txt`, String(inputs[name]))),
    });
    const { trees } = await reproduce({ whole: whole({ texts }), each: each({ texts }) }, lab.options());
    assert.equal(await trees.whole.text("a.txt"), "undefined", name);
    assert.equal(await trees.each.text("a.txt"), "undefined", name);
    const bound = defineStage({ ...common, name: "bound", environment: [name], run: ({ out }) => out.write("a", "") });
    await assert.rejects(
      reproduce({ bound: bound({ texts }) }, lab.options({ facts: {} })),
      /which is not given/,
      name,
    );
  }
});

Deno.test("runs differ by a stage and a target that have such a name", async () => {
  for (const name of [...INHERITED, "__proto__"]) {
    using lab = openLab();
    const base = stage("base", ({ out }) => out.write("o", "1"));
    const named = stage(name, ({ out }) => out.write("o", "2"));
    await reproduce({ base: base({}) }, lab.options());
    await reproduce({ base: base({}), [name]: named({}) }, lab.options());
    const store = `${lab.root}/store`;
    const [before, after] = [findRun("1", { store }), findRun("2", { store })];
    const there = await diffRuns({ before, after }, { store, files: ["o"] });
    assert.deepEqual(there.stages.map(({ label, change }) => [label, change]), [[name, "new"]]);
    assert.deepEqual(there.files.map(({ target, path }) => [target, path]), [[name, "o"]]);
    const back = await diffRuns({ before: after, after: before }, { store, files: ["o"] });
    assert.deepEqual(back.stages.map(({ label, change }) => [label, change]), [[name, "gone"]]);
  }
});
