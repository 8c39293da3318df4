/** The user's files: what a stamp proves, on any file system and under any clock; what is no file; interruptions. */
import assert from "node:assert/strict";
import { defineStage, reproduce, sourceFile, sourceFolder } from "../../../pipeline/mod.ts";
import { openPause } from "../../../pipeline/pause.ts";
import { resolveSource } from "../../../pipeline/sources.ts";
import { openState } from "../../../pipeline/state.ts";
import { type Lab, openLab, textStages } from "../lab.ts";

const join = defineStage({
  name: "join",
  module: import.meta.url,
  inputs: { texts: "folder" },
  output: "text",
  determinism: "bitwise",
  run: async ({ inputs: { texts }, out }) => {
    out.write("all.txt", (await Promise.all(texts.paths.map((path) => texts.text(path)))).join(" "));
  },
});

async function joined(lab: Lab): Promise<string> {
  const { trees } = await reproduce({ all: join({ texts: sourceFolder(lab.source) }) }, lab.options());
  return await trees.all.text("all.txt");
}

/** Runs some work with files whose times, in ms, are not the system's. Counts the files of a lab that are read. */
async function withTimes(
  { lab, time }: { readonly lab: Lab; readonly time: (ms: number) => number },
  work: (reads: () => number) => Promise<void>,
): Promise<void> {
  const { statSync, readFileSync } = Deno;
  let count = 0;
  const shown = (date: Date | null) => date && new Date(time(date.getTime()));
  Deno.statSync = (path) => {
    const info = statSync(path);
    return { ...info, mtime: shown(info.mtime), ctime: shown(info.ctime) };
  };
  Deno.readFileSync = (path) => {
    if (String(path).startsWith(lab.source)) count++;
    return readFileSync(path);
  };
  try {
    await work(() => {
      const reads = count;
      count = 0;
      return reads;
    });
  } finally {
    Object.assign(Deno, { statSync, readFileSync });
  }
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const step = (ms: number) => (time: number) => Math.floor(time / ms) * ms;

for (const [name, time] of [["whole seconds", step(1000)], ["two seconds", step(2000)]] as const) {
  Deno.test(`an edit in the same tick of a file system that counts ${name} is noticed`, async () => {
    using lab = openLab();
    await withTimes({ lab, time }, async () => {
      // the run and both writes are within one tick
      await pause(time(Date.now()) + time(2000) - Date.now() + 5);
      lab.put({ "a.txt": "one" });
      await pause(200);
      assert.equal(await joined(lab), "one");
      lab.put({ "a.txt": "two" });
      assert.equal(await joined(lab), "two");
    });
  });
}

Deno.test("where times are whole seconds, files that are old enough are not read again", async () => {
  using lab = openLab();
  lab.put({ "a.txt": "one" });
  const minuteAgo = (ms: number) => step(1000)(ms) - 60_000;
  await withTimes({ lab, time: minuteAgo }, async (reads) => {
    await joined(lab);
    assert.ok(reads() > 0);
    await joined(lab);
    assert.equal(reads(), 0);
  });
});

Deno.test("a file whose mtime was set into the future is remembered, and its edits are noticed", async () => {
  using lab = openLab();
  const future = new Date(Date.now() + 1e8);
  const put = (text: string) => {
    lab.put({ "a.txt": text });
    Deno.utimeSync(`${lab.source}/a.txt`, future, future);
  };
  put("one");
  await pause(2100);
  await withTimes({ lab, time: (ms) => ms }, async (reads) => {
    assert.equal(await joined(lab), "one");
    reads();
    assert.equal(await joined(lab), "one");
    assert.equal(reads(), 0);
    put("two");
    assert.equal(await joined(lab), "two");
    put("six");
    assert.equal(await joined(lab), "six", "the same second, the same length, the same mtime");
  });
});

Deno.test("an edit that puts the time of a moment ago back is noticed", async () => {
  using lab = openLab();
  // both writes are within one second, of which Deno tells no parts in a ctime
  await pause(1000 - Date.now() % 1000 + 5);
  lab.put({ "a.txt": "one" });
  const { mtime } = Deno.statSync(`${lab.source}/a.txt`);
  await pause(100);
  assert.equal(await joined(lab), "one");
  lab.put({ "a.txt": "two" });
  Deno.utimeSync(`${lab.source}/a.txt`, mtime ?? 0, mtime ?? 0);
  assert.equal(await joined(lab), "two");
});

Deno.test("an edit that puts the time back is noticed among very many young files, too", async () => {
  using lab = openLab();
  await pause(1000 - Date.now() % 1000 + 5);
  lab.put(Object.fromEntries(Array.from({ length: 150 }, (_, i) => [`${1000 + i}.txt`, "one"])));
  const path = `${lab.source}/1077.txt`;
  const { mtime } = Deno.statSync(path);
  await pause(100);
  await joined(lab);
  Deno.writeTextFileSync(path, "two");
  Deno.utimeSync(path, mtime ?? 0, mtime ?? 0);
  assert.match(await joined(lab), /two/);
});

const clocks = { "an hour ahead": 3_600_000, "ahead, with whole seconds": 3_600_500 };
for (const [name, ms] of Object.entries(clocks)) {
  Deno.test(`files of a clock that is ${name} are remembered, and their edits are noticed`, async () => {
    using lab = openLab();
    const time = ms % 1000 === 0 ? (now: number) => now + ms : (now: number) => step(1000)(now + ms);
    lab.put({ "a.txt": "one", "b.txt": "1" });
    await withTimes({ lab, time }, async (reads) => {
      assert.equal(await joined(lab), "one 1");
      lab.put({ "a.txt": "two" });
      assert.equal(await joined(lab), "two 1", "edited right after it was hashed");
      reads();
      assert.equal(await joined(lab), "two 1");
      assert.equal(reads(), 0);
    });
  });
}

Deno.test("a pipe or a socket among the inputs is refused by name", async () => {
  using lab = openLab();
  lab.put({ "a.txt": "a", "deep/b.txt": "b" });
  const pipe = `${lab.source}/deep/pipe`;
  assert.ok((await new Deno.Command("mkfifo", { args: [pipe] }).output()).success);
  await assert.rejects(joined(lab), { message: /in\/deep\/pipe is neither a file nor a folder but a pipe, socket or/ });
  const one = join({ texts: { ...sourceFile(pipe), kind: "folder" } });
  await assert.rejects(reproduce({ one }, lab.options()), { message: `${pipe} is not a file` });
  Deno.renameSync(pipe, `${lab.source}/deep/.pipe`);
  Deno.symlinkSync("deep/.pipe", `${lab.source}/link`);
  await assert.rejects(joined(lab), { message: /in\/link is neither a file nor a folder/ });
  Deno.removeSync(`${lab.source}/link`);
  using _ = Deno.listen({ transport: "unix", path: `${lab.source}/socket` });
  await assert.rejects(joined(lab), { message: /in\/socket is neither a file nor a folder/ });
});

Deno.test("a link that leads nowhere or round in a circle is named in one line; others are followed", async () => {
  using lab = openLab();
  lab.put({ "a/x.txt": "x", "b/y.txt": "y" });
  const links: readonly (readonly [link: string, target: string, message: string])[] = [
    ["a/none", "nothing.txt", "/a/none is a link to nothing.txt, which is not there"],
    ["a/self", "self", "/a/self is a link to self, which leads back to it"],
    ["a/dot", ".", `/a/dot is a link to ${lab.source}/a, in which it lies itself: there is no end to following it`],
    ["a/up", "../..", `/a/up is a link to ${lab.root}, in which it lies itself: there is no end to following it`],
  ];
  for (const [link, target, message] of links) {
    Deno.symlinkSync(target, `${lab.source}/${link}`);
    await assert.rejects(joined(lab), { name: "PipelineError", message: lab.source + message });
    Deno.removeSync(`${lab.source}/${link}`);
  }
  // each leads into the other
  Deno.symlinkSync("../b", `${lab.source}/a/b`);
  assert.equal(await joined(lab), "y x y");
  Deno.symlinkSync("../a", `${lab.source}/b/a`);
  await assert.rejects(joined(lab), {
    message:
      `${lab.source}/a/b/a is a link to ${lab.source}/a, in which it lies itself: there is no end to following it`,
  });
});

Deno.test("hashing stops when it is told to, and lets others have a turn", async () => {
  using lab = openLab();
  lab.put({ "a.txt": "a" });
  using state = openState(lab.root, { warn: () => {} });
  const node = { type: "source", form: "folder", path: lab.source } as const;
  const stop = new AbortController();
  stop.abort();
  await assert.rejects(resolveSource(node, { state, jobs: 1, signal: stop.signal }), { name: "AbortError" });
  let ticks = 0;
  const timer = setInterval(() => ticks++, 10);
  const breathe = openPause(new AbortController().signal);
  for (const start = performance.now(); performance.now() - start < 400;) await breathe();
  clearInterval(timer);
  assert.ok(ticks >= 3, `${ticks} turns`);
});

Deno.test("a store inside a source folder is refused by name before anything is made", async () => {
  using lab = openLab();
  lab.put({ "a.txt": "1", "sub/b.txt": "2" });
  Deno.symlinkSync(lab.source, `${lab.root}/link`);
  const { upper } = textStages();
  const out = upper({ texts: sourceFolder(lab.source) });
  for (const store of [`${lab.source}/store`, `${lab.source}/sub/new/store`, lab.source, `${lab.root}/link/store`]) {
    await assert.rejects(reproduce({ out }, lab.options({ store })), (error: Error) => {
      assert.ok(error.message.includes(`the store ${store} lies in the source folder ${lab.source}`), error.message);
      return true;
    });
  }
  assert.deepEqual([...Deno.readDirSync(lab.source)].map(({ name }) => name).sort(), ["a.txt", "sub"]);
  for (const store of [`${lab.source}/.store`, `${lab.source}-2`]) {
    await reproduce({ out }, lab.options({ store }));
    assert.equal((await reproduce({ out }, lab.options({ store }))).summary.executed, 0);
  }
});
