import assert from "node:assert/strict";
import {
  type Artifact,
  defineStage,
  fsck,
  PipelineError,
  type PipelineEvent,
  reproduce,
  sourceFolder,
  statusOf,
} from "../../pipeline/mod.ts";
import { waitLockSync } from "../../pipeline/locks.ts";
import { openLab, textStages } from "./lab.ts";

/** Paths of all blobs whose text passes a test. */
function blobs(store: string, accept: (text: string) => boolean): string[] {
  const folder = `${store}/store/sha256`;
  const paths = [...Deno.readDirSync(folder)].flatMap(({ name }) =>
    [...Deno.readDirSync(`${folder}/${name}`)].map((file) => `${folder}/${name}/${file.name}`)
  );
  return paths.filter((path) => accept(Deno.readTextFileSync(path)));
}

function flipBit(path: string): void {
  const bytes = Deno.readFileSync(path);
  bytes[0] = (bytes[0] ?? 0) ^ 1;
  Deno.chmodSync(path, 0o644);
  Deno.writeFileSync(path, bytes);
  Deno.chmodSync(path, 0o444);
}

for (const fault of ["a flipped bit", "a truncated blob", "a missing blob"] as const) {
  Deno.test(`${fault} in an intermediate result is found before use and recomputed`, async () => {
    using lab = openLab();
    lab.put({ "a.txt": "a", "b.txt": "b" });
    const { ran, upper, total } = textStages();
    const texts = upper({ texts: sourceFolder(lab.source) });
    const { trees } = await reproduce({ total: total({ texts }) }, lab.options());
    const [path = ""] = blobs(`${lab.root}/store`, (text) => text === "A");
    Deno.chmodSync(path, 0o644);
    if (fault === "a flipped bit") flipBit(path);
    else if (fault === "a truncated blob") Deno.truncateSync(path, 0);
    else Deno.removeSync(path);
    ran.length = 0;
    await reproduce({ total: total({ texts }) }, lab.options());
    assert.deepEqual(ran, [], "what is not used is not needed");
    lab.put({ "b.txt": "B!" });
    const again = await reproduce({ total: total({ texts }) }, lab.options());
    assert.deepEqual(ran.toSorted(), ["total", "upper a", "upper b"]);
    assert.deepEqual(await again.trees.total.json("total.json"), { texts: ["A", "B!"], skipped: {} });
    assert.notDeepEqual(again.trees.total.entry("total.json"), trees.total.entry("total.json"));
    const kept = [...Deno.readDirSync(`${lab.root}/store/quarantine`)].length;
    assert.equal(kept, fault === "a flipped bit" ? 1 : 0);
  });
}

Deno.test("a damaged target is refused when read, and recomputed by the next run", async () => {
  using lab = openLab();
  lab.put({ "a.txt": "a" });
  const { ran, upper } = textStages();
  const target = { texts: upper({ texts: sourceFolder(lab.source) }) };
  await reproduce(target, lab.options());
  flipBit(blobs(`${lab.root}/store`, (text) => text === "A")[0] ?? "");
  const { trees } = await reproduce(target, lab.options());
  await assert.rejects(trees.texts.bytes("a.up.txt"), /is damaged and was quarantined/);
  ran.length = 0;
  const again = await reproduce(target, lab.options());
  assert.deepEqual(ran, ["upper a"]);
  assert.equal(await again.trees.texts.text("a.up.txt"), "A");
});

Deno.test("a whole stage that writes other bytes when it is repaired is followed downstream", async () => {
  using lab = openLab();
  let count = 0;
  const draw = defineStage({
    name: "draw",
    module: import.meta.url,
    inputs: {},
    output: "number",
    determinism: "seeded",
    run: ({ out }) => out.write("n.txt", `draw ${++count}`),
  });
  const copy = (name: string) =>
    defineStage({
      name,
      module: import.meta.url,
      inputs: { number: "number" },
      output: "number",
      determinism: "bitwise",
      run: async ({ inputs, out }) => out.write("c.txt", `${name} of ${await inputs.number.text("n.txt")}`),
    });
  const one = copy("one");
  await reproduce({ a: one({ number: draw({}) }) }, lab.options());
  Deno.removeSync(blobs(`${lab.root}/store`, (text) => text === "draw 1")[0] ?? "");
  const { trees } = await reproduce({ b: copy("two")({ number: draw({}) }) }, lab.options());
  assert.equal(await trees.b.text("c.txt"), "two of draw 2");
  const last = await reproduce({ a: one({ number: draw({}) }) }, lab.options());
  assert.equal(await last.trees.a.text("c.txt"), "one of draw 2");
});

/** Writes over a file without changing its length, as root can whatever the file's mode is. */
function scribble(path: string): void {
  Deno.chmodSync(path, 0o644);
  Deno.writeTextFileSync(path, "X".repeat(Deno.statSync(path).size));
  Deno.chmodSync(path, 0o444);
}

for (const kiB of [1, 3000]) {
  Deno.test(`a stage that writes over its stored input of ${kiB} KiB is named, and records nothing`, async () => {
    using lab = openLab();
    lab.put({ "a.txt": "a".repeat(kiB << 10) });
    const { upper } = textStages();
    const culprit = defineStage({
      name: "culprit",
      module: import.meta.url,
      inputs: { texts: "texts" },
      output: "out",
      determinism: "bitwise",
      run: ({ inputs, out }) => {
        scribble(inputs.texts.file("a.up.txt"));
        out.write("out.txt", Deno.readTextFileSync(inputs.texts.file("a.up.txt")).slice(0, 5));
      },
    });
    const texts = upper({ texts: sourceFolder(lab.source) });
    await assert.rejects(reproduce({ out: culprit({ texts }) }, lab.options()), {
      message: /stage "culprit": its stored input [0-9a-f]{64} was written over while it ran; .* a copy in scratch/,
    });
    const { trees } = await reproduce({ texts }, lab.options());
    assert.match(await trees.texts.text("a.up.txt"), /^AAAAA/);
    assert.ok((await fsck(`${lab.root}/store`)).clean);
  });

  for (const way of ["bytes", "file"] as const) {
    for (const when of ["before", "while"] as const) {
      Deno.test(`${kiB} KiB written over ${when} a stage runs: its ${way} are those of a fresh run`, async () => {
        using lab = openLab();
        lab.put({ "a.txt": "a".repeat(kiB << 10) });
        const { upper } = textStages();
        const harms: ("before" | "while")[] = [when];
        const harm = (now: "before" | "while") => {
          if (harms[0] !== now) return;
          harms.pop();
          const [path = ""] = blobs(`${lab.root}/store`, (text) => text.startsWith("AAAAA"));
          scribble(path);
        };
        const reader = defineStage({
          name: "reader",
          module: import.meta.url,
          inputs: { texts: "texts" },
          output: "out",
          determinism: "bitwise",
          run: async ({ inputs, out }) => {
            harm("while");
            const text = way === "bytes"
              ? await inputs.texts.text("a.up.txt")
              : Deno.readTextFileSync(inputs.texts.file("a.up.txt"));
            out.write("out.txt", text.slice(0, 5));
          },
        });
        const target = { out: reader({ texts: upper({ texts: sourceFolder(lab.source) }) }) };
        const reporter = (event: PipelineEvent) => {
          if (event.type === "done" && event.stage === "upper") harm("before");
        };
        const { trees } = await reproduce(target, lab.options({ reporter }));
        assert.deepEqual(harms, []);
        assert.equal(await trees.out.text("out.txt"), "AAAAA");
        assert.ok((await fsck(`${lab.root}/store`)).clean);
      });
    }
  }
}

Deno.test("an input edited while the stage runs is named and nothing is recorded", async () => {
  using lab = openLab();
  lab.put({ "a.txt": "before" });
  let edit = true;
  for (const way of ["bytes", "file"] as const) {
    const stage = defineStage({
      name: `slow-${way}`,
      module: import.meta.url,
      inputs: { texts: "folder" },
      output: "out",
      determinism: "bitwise",
      run: async ({ inputs, out }) => {
        const text = way === "bytes"
          ? await inputs.texts.text("a.txt")
          : Deno.readTextFileSync(inputs.texts.file("a.txt"));
        if (edit) lab.put({ "a.txt": `after ${way}` });
        out.write("out.txt", text);
      },
    });
    const target = { out: stage({ texts: sourceFolder(lab.source) }) };
    edit = true;
    await assert.rejects(reproduce(target, lab.options()), {
      name: "InputChangedError",
      message: /a\.txt changed while/,
    });
    edit = false;
    const { trees } = await reproduce(target, lab.options());
    assert.equal(await trees.out.text("out.txt"), `after ${way}`);
  }
});

Deno.test("code edited between its digest and its first result is named; later edits wait", async () => {
  using lab = openLab();
  lab.put({ "a.txt": "a", "b.txt": "b" });
  const ran: string[] = [];
  const edits = new Map([["a", "code 2"]]);
  const stage = defineStage({
    name: "edited",
    module: import.meta.url,
    inputs: { texts: "folder" },
    output: "out",
    each: ["texts"],
    determinism: "bitwise",
    run: ({ items }) => {
      for (const { key, out } of items) {
        lab.code = edits.get(key) ?? lab.code;
        ran.push(key);
        out.write(`${key}.txt`, key);
      }
    },
  });
  const target = { out: stage({ texts: sourceFolder(lab.source) }) };
  await assert.rejects(reproduce(target, lab.options({ jobs: 1 })), {
    name: "CodeChangedError",
    message: /stage "edited": stage\.ts changed while the run was on/,
  });
  assert.deepEqual(ran.splice(0), ["a"]);
  // what is loaded stays in memory as it was, so the run goes on
  edits.clear();
  edits.set("b", "code 3");
  const { summary } = await reproduce(target, lab.options({ jobs: 1 }));
  assert.deepEqual([ran.splice(0), summary.executed], [["a", "b"], 2]);
  assert.equal(
    (await reproduce(target, lab.options({ jobs: 1 }))).summary.executed,
    2,
    "the edited code has another key",
  );
});

function single(name: string, run: (out: { write(path: string, text: string): void }) => void): Artifact {
  return defineStage({
    name,
    module: import.meta.url,
    inputs: { texts: "folder" },
    output: "out",
    each: ["texts"],
    determinism: "bitwise",
    run: ({ items }) => items.forEach(({ out }) => run(out)),
  })({ texts: sourceFolder("in") });
}

Deno.test("a stage that breaks its contract is named with the item and the reason", async () => {
  using lab = openLab();
  lab.put({ "a.txt": "a" });
  const home = Deno.cwd();
  Deno.chdir(lab.root);
  try {
    const cases: [string, RegExp, Parameters<typeof single>[1]][] = [
      ["other", /stage "other" \(item a\): "b\.txt" does not belong to item "a"/, (out) => out.write("b.txt", "")],
      ["up", /the path "\.\.\/a\.txt" has "\.\." among its names/, (out) => out.write("../a.txt", "")],
      ["none", /stage "none" \(item a\): wrote no file; call item\.skip/, () => {}],
      ["twice", /"a\.x" was written twice/, (out) => [out.write("a.x", "1"), out.write("a.x", "2")]],
      ["throws", /stage "throws" \(item a\): no face/, () => {
        throw new Error("no face");
      }],
    ];
    for (const [name, message, run] of cases) {
      await assert.rejects(reproduce({ x: single(name, run) }, lab.options()), message);
    }
  } finally {
    Deno.chdir(home);
  }
});

Deno.test("a whole stage that skips one key twice is named with the key", async () => {
  using lab = openLab();
  const skips = defineStage({
    name: "skips",
    module: import.meta.url,
    inputs: {},
    output: "out",
    determinism: "bitwise",
    run: ({ out, skip }) => {
      out.write("b.txt", "b");
      skip("a", "one reason");
      skip("a", "another");
    },
  });
  await assert.rejects(reproduce({ out: skips({}) }, lab.options()), /stage "skips": skipped "a" twice/);
});

Deno.test("two stages with one name, a missing folder and a forged cycle are refused", async () => {
  using lab = openLab();
  const { upper } = textStages();
  const other = textStages().upper;
  const texts = sourceFolder(lab.source);
  await assert.rejects(
    reproduce({ a: upper({ texts }), b: other({ texts }) }, lab.options()),
    new PipelineError('two different stages are named "upper"; give one of them another name'),
  );
  await assert.rejects(
    reproduce({ a: upper({ texts: sourceFolder("/nowhere") }) }, lab.options()),
    /no such file or folder/,
  );
  const labels = statusOf({ a: upper({ texts }), b: upper({ texts }, { suffix: "!" }) }, lab.options());
  assert.deepEqual((await labels).map(({ label }) => label), ["upper", "upper-2"]);
  const forged = upper({ texts });
  assert.ok(forged.node.type === "stage");
  Object.assign(forged.node.inputs, { texts: forged.node });
  await assert.rejects(reproduce({ forged }, lab.options()), /the graph has a cycle through stage "upper"/);
});

Deno.test("one failing item keeps the others' results and fails the run", async () => {
  using lab = openLab();
  lab.put({ "a.txt": "a", "b.txt": "bad", "c.txt": "c" });
  let fail = true;
  const ran: string[] = [];
  const stage = defineStage({
    name: "fragile",
    module: import.meta.url,
    inputs: { texts: "folder" },
    output: "out",
    each: ["texts"],
    determinism: "bitwise",
    run: async ({ items: [item] }) => {
      if (item === undefined) return;
      ran.push(item.key);
      if (fail && await item.inputs.texts.text(`${item.key}.txt`) === "bad") throw new Error("bad text");
      item.out.write(`${item.key}.out`, "");
    },
  });
  const target = { x: stage({ texts: sourceFolder(lab.source) }) };
  await assert.rejects(reproduce(target, lab.options({ jobs: 1 })), {
    name: "StageError",
    message: /item b\): bad text/,
  });
  assert.deepEqual(ran.splice(0), ["a", "b"]);
  fail = false;
  await reproduce(target, lab.options({ jobs: 1 }));
  assert.deepEqual(ran, ["b", "c"]);
});

Deno.test("a damaged state database is set aside with a warning, and everything is recomputed", async () => {
  using lab = openLab();
  lab.put({ "a.txt": "a" });
  const { ran, upper } = textStages();
  const target = { texts: upper({ texts: sourceFolder(lab.source) }) };
  await reproduce(target, lab.options());
  Deno.writeTextFileSync(
    `${lab.root}/store/state.db`,
    "this is not a database, it is a text of some length".repeat(100),
  );
  for (const suffix of ["-wal", "-shm"]) await Deno.remove(`${lab.root}/store/state.db${suffix}`).catch(() => null);
  const { trees } = await reproduce(target, lab.options());
  assert.equal(await trees.texts.text("a.up.txt"), "A");
  assert.equal(ran.length, 2);
  assert.ok(lab.events.some((event) => event.type === "warning" && /damaged.*set aside/.test(event.message)));
});

Deno.test("a database damaged in the middle is named; fsck sets it aside, but not under a run", async () => {
  using lab = openLab();
  lab.put(Object.fromEntries(Array.from({ length: 60 }, (_, index) => [`${index}.txt`, `text ${index}`])));
  const { ran, upper } = textStages();
  const target = { texts: upper({ texts: sourceFolder(lab.source) }) };
  const store = `${lab.root}/store`;
  const { trees } = await reproduce(target, lab.options());
  const bytes = Deno.readFileSync(`${store}/state.db`);
  // all but the first page, which alone is read when a database is opened
  Deno.writeFileSync(`${store}/state.db`, bytes.fill(0xa5, 4096));
  await assert.rejects(reproduce(target, lab.options()), {
    name: "StoreError",
    message: /state\.db is damaged \(.*malformed.*\); run fsck: it sets the database aside/,
  });
  const warnings: string[] = [];
  const check = () => fsck(store, { warn: (message) => void warnings.push(message) });
  {
    using _ = waitLockSync(`${store}/state.use.lock`, { exclusive: false });
    await assert.rejects(check(), /is damaged, and another run is using it/);
  }
  const report = await check();
  assert.deepEqual([report.clean, report.blobs, report.corrupt], [false, 60, []]);
  assert.match(warnings.join(), /state\.db is damaged \(.*\); it was set aside as .*state\.db\.damaged-\d+/);
  ran.length = 0;
  const again = await reproduce(target, lab.options());
  assert.equal(ran.length, 60);
  assert.deepEqual(again.trees.texts.paths, trees.texts.paths);
  assert.ok((await check()).clean);
});

Deno.test("a store whose objects were all deleted is filled again", async () => {
  using lab = openLab();
  lab.put(Object.fromEntries(Array.from({ length: 60 }, (_, index) => [`${index}.txt`, `text ${index}`])));
  const { ran, upper, total } = textStages();
  const target = { total: total({ texts: upper({ texts: sourceFolder(lab.source) }) }) };
  const first = await reproduce(target, lab.options());
  Deno.removeSync(`${lab.root}/store/store`, { recursive: true });
  ran.length = 0;
  const again = await reproduce(target, lab.options());
  assert.equal(ran.length, 61);
  assert.deepEqual(again.trees.total.entry("total.json"), first.trees.total.entry("total.json"));
});

Deno.test("a store that cannot be written ends in a clear error", async () => {
  using lab = openLab();
  const { upper } = textStages();
  Deno.writeTextFileSync(`${lab.root}/flat`, "a file where the store should be");
  const target = { texts: upper({ texts: sourceFolder(lab.source) }) };
  await assert.rejects(reproduce(target, lab.options({ store: `${lab.root}/flat/store` })), {
    name: "StoreError",
    message: /flat\/store cannot be written .*choose another store/,
  });
});
