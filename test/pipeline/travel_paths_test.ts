/** A path that leads out of its folder gets neither into a result, nor in from elsewhere, nor out when published. */
import assert from "node:assert/strict";
import { join } from "node:path";
import {
  type Artifact,
  defineStage,
  exportRun,
  folderRemote,
  importRun,
  pick,
  publish,
  pull,
  push,
  reproduce,
  sha256,
  sourceFolder,
  type Tree,
} from "../../pipeline/mod.ts";
import { type AnyBundle, bundleText, isFinished, parseBundle } from "../../pipeline/bundle.ts";
import { collect } from "../../pipeline/chunks.ts";
import { readTar, writeTar } from "../../pipeline/tar.ts";
import { openLab } from "./lab.ts";
import { openRun } from "./travel_lab.ts";

/** What is no path, and why. */
const BAD: Readonly<Record<string, RegExp>> = {
  "../../evil.txt": /has ".." among its names/,
  "a/../../evil.txt": /has ".." among its names/,
  "/tmp/evil.txt": /is absolute/,
  "..\\evil.txt": /holds a "\\"/,
  "C:/evil.txt": /begins with a drive/,
  "c:evil.txt": /begins with a drive/,
  "a\0.txt": /holds a NUL/,
  "a//b.txt": /has an empty name/,
  "a/": /has an empty name/,
  "./a.txt": /has "." among its names/,
  "": /is empty/,
};

Deno.test("a stage cannot write a path that leads out of its result", async () => {
  using lab = openLab();
  lab.put({ "a.txt": "a" });
  for (const [path, why] of Object.entries(BAD)) {
    const evil = defineStage({
      name: "evil",
      module: import.meta.url,
      inputs: { texts: "folder" },
      output: "texts",
      determinism: "bitwise",
      run: ({ out }) => out.write(path, "x"),
    });
    await assert.rejects(reproduce({ evil: evil({ texts: sourceFolder(lab.source) }) }, lab.options()), why, path);
  }
});

Deno.test("a pattern that no path can match is refused when it is written", () => {
  const texts = sourceFolder("texts");
  for (const [path, why] of Object.entries(BAD)) {
    // a slash at the end makes a prefix of it
    if (path !== "a/") assert.throws(() => pick(texts, [path]), why, path);
  }
  assert.ok(pick(texts, ["a/", "b/c.txt", "..b"]));
});

Deno.test("publish refuses a tree with such a path before it writes anything", async () => {
  using lab = openLab();
  for (const [path, why] of Object.entries(BAD)) {
    const tree: Tree = { ...treeOf(["a.txt", path]) };
    await assert.rejects(publish(tree, join(lab.root, "out/in")), why, path);
    assert.deepEqual([...Deno.readDirSync(lab.root)].map(({ name }) => name), ["in"], path);
  }
});

function treeOf(paths: readonly string[]): Tree {
  const bytes = new TextEncoder().encode("x");
  return {
    paths,
    skipped: new Map(),
    has: (path) => paths.includes(path),
    entry: () => ({ sha256: sha256(bytes), size: bytes.length }),
    bytes: () => Promise.resolve(bytes),
    text: () => Promise.resolve("x"),
    json: () => Promise.reject(new Error("no JSON")),
    file: (path) => path,
  };
}

/** Sound records of `total`, but for the path of its one file. */
function forged(bundle: AnyBundle, path: string): AnyBundle {
  assert.ok(isFinished(bundle));
  const rename = (text: string) => text.replaceAll(JSON.stringify("total.json"), () => JSON.stringify(path));
  const listing = bundle.documents.find((document) => sha256(document) === bundle.node.tree) ?? "";
  const documents = [...bundle.documents.filter((document) => document !== listing), rename(listing)];
  const actions = bundle.actions.map((action) => ({
    ...action,
    files: JSON.parse(rename(JSON.stringify(action.files))),
  }));
  return { node: { ...bundle.node, tree: sha256(rename(listing)) }, actions, documents };
}

interface File {
  readonly name: string;
  readonly bytes: Uint8Array;
}

async function filesOf(tar: string): Promise<readonly File[]> {
  const files: File[] = [];
  for await (const { name, size, chunks } of readTar(tar)) {
    files.push({ name, bytes: await collect(chunks, { limit: size, what: name }) });
  }
  return files;
}

/** The same files, with `total`'s records forged. */
function forge(files: readonly File[], path: string): readonly File[] {
  return files.map((file) => {
    const [, key] = /^nodes\/(\w+)\.json$/.exec(file.name) ?? [];
    if (key === undefined) return file;
    const bundle = parseBundle(file.bytes, { key, from: "the export" });
    if (bundle.node.stage !== "total") return file;
    return { ...file, bytes: new TextEncoder().encode(bundleText(forged(bundle, path))) };
  });
}

async function put(tar: string, files: readonly File[]): Promise<void> {
  const entries = files.map(({ name, bytes }) => ({
    name,
    size: bytes.length,
    read: async function* () {
      yield bytes;
    },
  }));
  await writeTar(tar, entries);
}

Deno.test("an archive whose listing names such a path is refused, and records nothing", async () => {
  using lab = openLab();
  const { home, away, ran, target } = await openRun(lab);
  const tar = join(lab.root, "run.tar");
  await exportRun(tar, { store: home });
  const good = await filesOf(tar);
  for (const [path, why] of Object.entries(BAD)) {
    await put(tar, forge(good, path));
    await assert.rejects(importRun(tar, { store: away }), why, path);
  }
  await reproduce(target(), lab.options({ store: away }));
  assert.equal(ran.length, 4);
  // the same forgery is taken where the path is a path: it was the path that was refused
  await put(tar, forge(good, "other.json"));
  assert.equal((await importRun(tar, { store: join(lab.root, "third") })).stages, 2);
});

Deno.test("a shared store whose listing names such a path loses just that stage", async () => {
  using lab = openLab();
  const { home, target } = await openRun(lab);
  const tar = join(lab.root, "run.tar");
  const shared = join(lab.root, "shared");
  await exportRun(tar, { store: home });
  await push(folderRemote(shared), { store: home });
  const good = await filesOf(tar);
  for (const [index, [path, why]] of Object.entries(BAD).entries()) {
    for (const { name, bytes } of forge(good, path)) {
      if (name.startsWith("nodes/")) Deno.writeFileSync(join(shared, name), bytes);
    }
    const wanted: Record<string, Artifact> = target();
    const pulled = await pull(folderRemote(shared), wanted, lab.options({ store: join(lab.root, `away${index}`) }));
    assert.deepEqual([pulled.stages, pulled.incomplete.length], [1, 1], path);
    assert.match(pulled.incomplete[0]?.reason ?? "", why);
  }
  // whoever has the stage whole mends it
  assert.equal((await push(folderRemote(shared), { store: home })).replaced, 1);
});
