import assert from "node:assert/strict";
import { basename } from "node:path";
import { z } from "zod";
import {
  defineStage,
  exportRun,
  folderRemote,
  fsck,
  importRun,
  PipelineError,
  publish,
  reproduce,
  sha256,
  sourceFolder,
  type Tree,
} from "../../pipeline/mod.ts";
import { type Lab, openLab } from "./lab.ts";

const files = defineStage({
  name: "files",
  module: import.meta.url,
  inputs: { folder: "folder" },
  output: "files",
  params: z.strictObject({ files: z.record(z.string(), z.string()) }),
  determinism: "bitwise",
  run: ({ params, out }) => {
    for (const [path, text] of Object.entries(params.files)) out.write(path, text);
  },
});

async function treeOf(lab: Lab, made: Readonly<Record<string, string>>): Promise<Tree> {
  lab.put({ "a.txt": "a" });
  const target = files({ folder: sourceFolder(lab.source) }, { files: made });
  return (await reproduce({ target }, lab.options())).trees.target;
}

function namesIn(folder: string): string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
}

Deno.test("publish: a name as long as the file system allows", async () => {
  using lab = openLab();
  const out = `${lab.root}/out`;
  for (const name of ["x".repeat(243), "y".repeat(255), "é".repeat(127)]) {
    const tree = await treeOf(lab, { [name]: "text", "a.txt": "a" });
    assert.deepEqual((await publish(tree, out)).written.length > 0, true, name);
    assert.equal(Deno.readTextFileSync(`${out}/${name}`), "text");
  }
});

Deno.test("publish: what a killed publishing left is swept away, what another process is writing is not", async () => {
  using lab = openLab();
  const out = `${lab.root}/out`;
  const victim = new URL("publish_victim.ts", import.meta.url).pathname;
  Deno.mkdirSync(`${out}/sub`, { recursive: true });
  const start = async () => {
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-check", "-A", victim, `${out}/sub/b.txt`],
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    const reader = child.stdout.getReader();
    const name = basename(new TextDecoder().decode((await reader.read()).value).trim());
    return { child, reader, name };
  };
  const [killed, alive] = [await start(), await start()];
  killed.child.kill("SIGKILL");
  await killed.child.status;
  Deno.writeTextFileSync(`${out}/sub/mine.tmp`, "the user's");
  assert.deepEqual(namesIn(`${out}/sub`), [killed.name, alive.name, "mine.tmp"].sort());
  await publish(await treeOf(lab, { "sub/a.txt": "a" }), out);
  assert.deepEqual(namesIn(`${out}/sub`), [alive.name, "a.txt", "mine.tmp"].sort());
  alive.child.kill("SIGKILL");
  await alive.child.status;
  await Promise.all([killed, alive].map(({ reader }) => reader.cancel()));
});

Deno.test("publish: what the same target published here before, and makes no more, goes; nothing else", async () => {
  using lab = openLab();
  const [out, store] = [`${lab.root}/out`, `${lab.root}/store`];
  const as = (target: string) => ({ remember: { store, target } });
  const first = await treeOf(lab, { "a.txt": "a", "old/b.txt": "b", "edited.txt": "e", "both.txt": "x", "c.txt": "c" });
  await publish(first, out, as("one"));
  await publish(await treeOf(lab, { "both.txt": "x", "other.txt": "o" }), out, as("two"));
  await publish(first, `${lab.root}/elsewhere`, as("one"));
  Deno.writeTextFileSync(`${out}/mine.txt`, "the user's");
  Deno.writeTextFileSync(`${out}/edited.txt`, "E");
  Deno.removeSync(`${out}/c.txt`);
  const second = await treeOf(lab, { "a.txt": "a2" });
  assert.deepEqual(await publish(second, out, as("one")), {
    written: ["a.txt"],
    removed: ["old/b.txt"],
    edited: ["edited.txt"],
  });
  assert.deepEqual(namesIn(out), ["a.txt", "both.txt", "edited.txt", "mine.txt", "other.txt"]);
  assert.deepEqual(namesIn(`${lab.root}/elsewhere`), ["a.txt", "both.txt", "c.txt", "edited.txt", "old"]);
  assert.deepEqual(await publish(second, out, as("one")), { written: [], removed: [], edited: [] });
  // without a name of its own a publishing neither remembers nor removes
  await publish(await treeOf(lab, { "z.txt": "z" }), out);
  assert.deepEqual(namesIn(out), ["a.txt", "both.txt", "edited.txt", "mine.txt", "other.txt", "z.txt"]);
});

Deno.test("publish: a file of a publishing that was killed half-way is known too", async () => {
  using lab = openLab();
  const [out, store] = [`${lab.root}/out`, `${lab.root}/store`];
  const options = { remember: { store, target: "one" } };
  await publish(await treeOf(lab, { "a.txt": "a" }), out, options);
  const tree = await treeOf(lab, { "b.txt": "b", "c.txt": "c" });
  const dying: Tree = {
    ...tree,
    bytes: (path) => path === "c.txt" ? Promise.reject(new Error("killed")) : tree.bytes(path),
  };
  await assert.rejects(publish(dying, out, options), /killed/);
  assert.deepEqual(namesIn(out), ["a.txt", "b.txt"]);
  const { removed } = await publish(await treeOf(lab, { "d.txt": "d" }), out, options);
  assert.deepEqual([removed.toSorted(), namesIn(out)], [["a.txt", "b.txt"], ["d.txt"]]);
});

Deno.test("publish: what is remembered and cannot be read, or leads out of the folder, removes nothing", async () => {
  using lab = openLab();
  const [out, store] = [`${lab.root}/out`, `${lab.root}/store`];
  const options = { remember: { store, target: "one" } };
  const first = await treeOf(lab, { "a.txt": "a", "b.txt": "b" });
  const second = await treeOf(lab, { "a.txt": "a" });
  await publish(first, out, options);
  const [name = ""] = namesIn(`${store}/published`).filter((name) => name.endsWith(".json"));
  const path = `${store}/published/${name}`;
  const text = Deno.readTextFileSync(path);
  Deno.writeTextFileSync(`${lab.root}/b.txt`, "b");
  for (
    const damaged of [
      text.slice(0, -20),
      "null",
      "[]",
      '{"folder":1}',
      text.replaceAll("b.txt", "../b.txt"),
      text.replaceAll("b.txt", `${lab.root}/b.txt`),
    ]
  ) {
    Deno.writeTextFileSync(path, damaged);
    const { removed, edited } = await publish(second, out, options);
    assert.deepEqual([removed, edited, namesIn(out), namesIn(lab.root).includes("b.txt")], [
      [],
      [],
      ["a.txt", "b.txt"],
      true,
    ], damaged);
  }
});

Deno.test("publish: targets that are published into one folder at once remember each their own files", async () => {
  using lab = openLab();
  const [out, store] = [`${lab.root}/out`, `${lab.root}/store`];
  const names = Array.from({ length: 8 }, (_, index) => `t${index}`);
  const trees = new Map<string, Tree>();
  for (const name of names) trees.set(name, await treeOf(lab, { [`${name}.txt`]: name }));
  const each = (name: string) => ({ remember: { store, target: name } });
  await Promise.all(names.map((name) => publish(trees.get(name)!, out, each(name))));
  const next = await treeOf(lab, { "next.txt": "n" });
  await Promise.all(names.map((name) => publish(next, out, each(name))));
  assert.deepEqual(namesIn(out), ["next.txt"]);
});

/** All that lies below a folder, with what the files hold. */
function contentsOf(folder: string): Record<string, string> {
  const entries = [...Deno.readDirSync(folder)].map(({ name, isDirectory }) => {
    const path = `${folder}/${name}`;
    return isDirectory ? contentsOf(path) : { [path]: sha256(Deno.readFileSync(path)) };
  });
  return Object.assign({}, ...entries);
}

Deno.test("publish, push, export and the store: an empty name is refused, not taken for the root", async () => {
  using lab = openLab();
  const tree = await treeOf(lab, { "a.txt": "a" });
  const store = `${lab.root}/store`;
  await assert.rejects(publish(tree, ""), /publish: the name of the results folder is empty: name a folder/);
  assert.throws(() => folderRemote(""), /the shared folder's name is empty/);
  await assert.rejects(exportRun("", { store }), /the name of the export's file is empty/);
  await assert.rejects(importRun("", { store }), /the name of the import's file is empty/);
  await assert.rejects(reproduce({}, lab.options({ store: "" })), /the store's name is empty/);
  await assert.rejects(fsck(""), /the store's name is empty/);
});

Deno.test("publish, push and export: nothing goes into a store, whatever it is called", async () => {
  using lab = openLab();
  const store = `${lab.root}/store`;
  const tree = await treeOf(lab, { "state.db": "1", "sub/use.lock": "u" });
  const nested = await treeOf(lab, { "a.txt": "a", "store/state.db": "1" });
  Deno.symlinkSync(store, `${lab.root}/linked`);
  const before = contentsOf(store);
  for (const folder of [store, `${store}/store`, `${store}/new/er`, `${lab.root}/linked`, `${lab.root}/linked/new`]) {
    await assert.rejects(publish(tree, folder), /publish: the folder .* lies in the store .*choose another/, folder);
    assert.throws(() => folderRemote(folder), /the shared folder .* lies in the store/, folder);
    await assert.rejects(
      exportRun(`${folder}/state.db`, { store }),
      /the export's folder .* lies in the store/,
      folder,
    );
  }
  await assert.rejects(publish(nested, lab.root), /lies in the store/);
  assert.deepEqual(contentsOf(store), before);
  assert.deepEqual(namesIn(lab.root), ["in", "linked", "store"]);
  assert.deepEqual((await publish(tree, `${lab.root}/out`)).written, ["state.db", "sub/use.lock"]);
});

Deno.test("publish: two targets do not replace each other's files", async () => {
  using lab = openLab();
  const [out, store] = [`${lab.root}/out`, `${lab.root}/store`];
  const as = (target: string) => ({ remember: { store, target } });
  const [first, second] = [await treeOf(lab, { "x.txt": "1" }), await treeOf(lab, { "x.txt": "2", "y.txt": "y" })];
  await publish(first, out, as("one"));
  await publish(first, out, as("same"));
  await assert.rejects(
    publish(second, out, as("two")),
    /both "one" and "two" make .*x\.txt, with other bytes: publish/,
  );
  assert.deepEqual([namesIn(out), Deno.readTextFileSync(`${out}/x.txt`)], [["x.txt"], "1"]);
  // what agreed may change together, and only together
  await publish(second, out, as("one"));
  await assert.rejects(publish(first, out, as("same")), /both "one" and "same" make/);
  await publish(second, out, as("same"));
  // where the other's is no more, it is in nobody's way
  Deno.removeSync(`${out}/x.txt`);
  await publish(first, out, as("two"));
  await publish(await treeOf(lab, { "x.txt": "3" }), out, as("two"));
  assert.equal(Deno.readTextFileSync(`${out}/x.txt`), "3");
});

Deno.test("publish: two targets do not replace each other's files through nested folders", async () => {
  using lab = openLab();
  const [out, store] = [`${lab.root}/out`, `${lab.root}/store`];
  const as = (target: string) => ({ remember: { store, target } });
  await publish(await treeOf(lab, { "sub/x.txt": "outer", "y.txt": "y" }), out, as("outer"));
  const inner = await treeOf(lab, { "x.txt": "inner" });
  await assert.rejects(publish(inner, `${out}/sub`, as("inner")), /both "outer \(into .*out\)" and "inner" make/);
  assert.equal(Deno.readTextFileSync(`${out}/sub/x.txt`), "outer");
  // the same file of both stays when one makes it no more
  await publish(await treeOf(lab, { "x.txt": "outer" }), `${out}/sub`, as("inner"));
  await publish(await treeOf(lab, { "z.txt": "z" }), `${out}/sub`, as("inner"));
  assert.equal(Deno.readTextFileSync(`${out}/sub/x.txt`), "outer");
  await publish(await treeOf(lab, { "deep/z.txt": "z" }), `${out}/sub`, as("third"));
  await assert.rejects(
    publish(await treeOf(lab, { "sub/deep/z.txt": "other" }), out, as("outer")),
    /both "third \(into .*sub\)" and "outer" make/,
  );
});

Deno.test("publish: a file of the target's gives way to a folder of that name, and the other way round", async () => {
  using lab = openLab();
  const [out, store] = [`${lab.root}/out`, `${lab.root}/store`];
  const remember = { store, target: "one" };
  await publish(await treeOf(lab, { "model": "1", "a.txt": "a" }), out, { remember });
  const { removed } = await publish(await treeOf(lab, { "model/b/weights": "2", "a.txt": "a" }), out, { remember });
  assert.deepEqual(removed, ["model"]);
  assert.equal(Deno.readTextFileSync(`${out}/model/b/weights`), "2");
  await publish(await treeOf(lab, { "model": "3" }), out, { remember });
  assert.deepEqual([namesIn(out), Deno.readTextFileSync(`${out}/model`)], [["model"], "3"]);
  // what somebody edited stays, and is named
  Deno.writeTextFileSync(`${out}/model`, "mine");
  await assert.rejects(publish(await treeOf(lab, { "model/x": "4" }), out, { remember }), /out\/model/);
  assert.equal(Deno.readTextFileSync(`${out}/model`), "mine");
});

Deno.test("publish: a link inside the results folder is not followed; the folder itself may be one", async () => {
  using lab = openLab();
  const [out, store, mine] = [`${lab.root}/out`, `${lab.root}/store`, `${lab.root}/mine`];
  const options = { remember: { store, target: "one" } };
  Deno.mkdirSync(`${lab.root}/real`);
  Deno.symlinkSync("real", out);
  const tree = await treeOf(lab, { "a.txt": "a", "sub/b.txt": "b" });
  await publish(tree, out, options);
  Deno.renameSync(`${out}/sub`, mine);
  Deno.symlinkSync(mine, `${out}/sub`);
  const next = await treeOf(lab, { "a.txt": "a2", "sub/b.txt": "b2" });
  await assert.rejects(publish(next, out, options), /out\/sub is a link, .*: remove the link/);
  assert.deepEqual([Deno.readTextFileSync(`${out}/a.txt`), Deno.readTextFileSync(`${mine}/b.txt`)], ["a", "b"]);
  const { removed, edited } = await publish(await treeOf(lab, { "a.txt": "a3" }), out, options);
  assert.deepEqual([removed, edited, Deno.readTextFileSync(`${mine}/b.txt`)], [[], ["sub/b.txt"], "b"]);
});

Deno.test("publish and export: what is in the way is named, with what to do", async () => {
  using lab = openLab();
  const [out, store] = [`${lab.root}/out`, `${lab.root}/store`];
  const tree = await treeOf(lab, { "sub/a.txt": "a" });
  const ways: readonly (readonly [string, RegExp, () => void])[] = [
    ["a folder for the file", /out\/sub\/a\.txt cannot be written: a folder is in its place: move/, () => {
      Deno.mkdirSync(`${out}/sub/a.txt`, { recursive: true });
    }],
    ["a file for a parent", /out\/sub cannot be written: .*move that away/, () => {
      Deno.mkdirSync(out);
      Deno.writeTextFileSync(`${out}/sub`, "");
    }],
    ["a file for the folder", /out cannot be written: .*move that away/, () => Deno.writeTextFileSync(out, "")],
    ["a dangling link", /out cannot be written: .*(link|move)/, () => Deno.symlinkSync("nowhere", out)],
  ];
  for (const [name, message, lay] of ways) {
    lay();
    await assert.rejects(publish(tree, out), (error) => error instanceof PipelineError && message.test(error.message));
    Deno.removeSync(out, { recursive: true });
    assert.ok(name);
  }
  await assert.rejects(publish(tree, `${lab.root}/${"x".repeat(300)}`), /cannot be written: the path is longer/);
  await assert.rejects(
    exportRun(`${lab.root}/none/a.tar`, { store }),
    /none\/a\.tar cannot be written: .*does not exist/,
  );
  await assert.rejects(exportRun(lab.root, { store }), /is a folder: name a file in it, such as .*run\.tar/);
  Deno.writeTextFileSync(`${lab.root}/file`, "");
  await assert.rejects(exportRun(`${lab.root}/file/a.tar`, { store }), /cannot be written: a file is where a folder/);
});
