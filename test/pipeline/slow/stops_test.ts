import assert from "node:assert/strict";
import { defineStage, reproduce, sourceFolder, StageError, UnfinishedError } from "../../../pipeline/mod.ts";
import { openLab, textStages } from "../lab.ts";

const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

type Definition = Parameters<typeof defineStage<Record<never, never>, "out">>[0];

/** A stage without inputs. */
function stage(name: string, more: Partial<Definition> & Pick<Definition, "run">) {
  return defineStage({ name, module: import.meta.url, inputs: {}, output: "out", determinism: "bitwise", ...more });
}

Deno.test("time limit: a stage that listens, one that does not and one that blocks are dropped by name", async () => {
  const cases: Record<string, Definition["run"]> = {
    listens: async ({ signal, out }) => {
      while (!signal.aborted) await wait(2);
      out.write("a.txt", "half");
    },
    throws: async ({ signal }) => {
      while (!signal.aborted) await wait(2);
      signal.throwIfAborted();
    },
    deaf: async () => {
      await wait(20_000);
    },
    late: async ({ out }) => {
      await wait(300);
      out.write("a.txt", "late");
    },
    blocks: ({ out }) => {
      const end = performance.now() + 120;
      while (performance.now() < end);
      out.write("a.txt", "late");
    },
  };
  for (const [name, run] of Object.entries(cases)) {
    using lab = openLab();
    const limited = stage(name, { timeLimit: 0.1, run });
    const began = performance.now();
    await assert.rejects(reproduce({ out: limited({}) }, lab.options()), (error: Error) => {
      assert.ok(error instanceof StageError, name);
      assert.equal(error.message, `stage "${name}": ran longer than its limit of 0.1 s`);
      return true;
    });
    assert.ok(performance.now() - began < 4000, name);
    assert.deepEqual(lab.events.flatMap((event) => event.type === "failed" ? [event.stage] : []), [name]);
  }
});

Deno.test("time limit: who keeps it is not touched, and its signal still follows the run's", async () => {
  using lab = openLab();
  const quick = stage("quick", { timeLimit: 20, run: ({ out }) => out.write("a.txt", "a") });
  assert.equal(await (await reproduce({ out: quick({}) }, lab.options())).trees.out.text("a.txt"), "a");
  const stop = new AbortController();
  const long = stage("long", {
    timeLimit: 20,
    run: async ({ signal }) => {
      stop.abort();
      while (!signal.aborted) await wait(2);
    },
  });
  await assert.rejects(reproduce({ out: long({}) }, lab.options({ signal: stop.signal })), { name: "AbortError" });
  for (const timeLimit of [0, -1, NaN, Infinity, 1e9]) {
    assert.throws(() => stage("bad", { timeLimit, run: () => {} }), /stage "bad": its time limit must be/);
  }
  for (const retries of [-1, 0.5, NaN]) {
    assert.throws(() => stage("bad", { retries, run: () => {} }), /stage "bad": its retries must be/);
  }
});

Deno.test("retries: as often as allowed, with a new resource and none of what failed, and no more", async () => {
  for (const fails of [0, 1, 2, 3]) {
    using lab = openLab();
    let [opened, ran] = [0, 0];
    const flaky = stage("flaky", {
      retries: 2,
      open: () => {
        if (++opened === 1 && fails > 0) throw new Error("no network");
      },
      run: ({ out }) => {
        out.write(`${++ran}.txt`, "text");
        if (opened <= fails && ran < fails) throw new Error("no luck");
      },
    });
    const made = reproduce({ out: flaky({}) }, lab.options());
    if (fails <= 2) assert.deepEqual((await made).trees.out.paths, [`${Math.max(1, fails)}.txt`]);
    else await assert.rejects(made, /stage "flaky": no luck/);
    const retried = lab.events.flatMap((event) => event.type === "retry" ? [event.attempt] : []);
    assert.deepEqual(retried, [1, 2].slice(0, fails), `${fails} failures`);
  }
});

Deno.test("time limit: what an overdue attempt still writes does not reach the scratch of the next", async () => {
  using lab = openLab();
  const folders: string[] = [];
  let end = Promise.resolve();
  const slow = stage("slow", {
    timeLimit: 0.2,
    retries: 1,
    run: async ({ out, scratch }) => {
      folders.push(scratch);
      const path = `${scratch}/work.txt`;
      if (folders.length > 1) {
        assert.deepEqual([...Deno.readDirSync(scratch)], []);
        Deno.writeTextFileSync(path, "good");
        await wait(80);
        return out.write("a.txt", Deno.readTextFileSync(path));
      }
      const writing = setInterval(() => Deno.writeTextFileSync(path, "overdue"), 5);
      end = wait(3000).then(() => clearInterval(writing));
      Deno.writeTextFileSync(path, "overdue");
      await end;
    },
  });
  const { trees } = await reproduce({ out: slow({}) }, lab.options());
  assert.equal(await trees.out.text("a.txt"), "good");
  assert.equal(new Set(folders).size, 2);
  await end;
  await reproduce({ out: slow({}) }, lab.options());
  assert.deepEqual([...Deno.readDirSync(`${lab.root}/store/scratch`)], []);
});

Deno.test("keepGoing: other branches come to their end; what failed and what was not made is named", async () => {
  for (const keepGoing of [true, false]) {
    using lab = openLab();
    const { upper, total } = textStages();
    lab.put({ "a.txt": "a" });
    const bad = defineStage({
      name: "bad",
      module: import.meta.url,
      inputs: { texts: "texts" },
      output: "texts",
      determinism: "bitwise",
      run: () => Promise.reject(new Error("broken")),
    });
    const after = stage("after", {
      run: async ({ out, signal }) => {
        for (let left = 50; left > 0 && !signal.aborted; left--) await wait(2);
        out.write("after.txt", "made");
      },
    });
    const texts = upper({ texts: sourceFolder(lab.source) });
    const targets = {
      lost: total({ texts: bad({ texts }) }),
      after: after({}),
      texts,
      gone: upper({ texts: sourceFolder(`${lab.root}/none`) }),
    };
    const run = reproduce(targets, lab.options({ keepGoing, jobs: 4 }));
    if (!keepGoing) {
      await assert.rejects(run, (error: Error) => !(error instanceof UnfinishedError));
      continue;
    }
    await assert.rejects(run, (error: Error) => {
      assert.ok(error instanceof UnfinishedError);
      assert.match(error.message, /stage "bad": broken\n/);
      assert.match(error.message, /\nfailed: .*bad.*; not made: total, upper-2$/);
      assert.deepEqual(Object.keys(error.made.trees), ["after", "texts"]);
      assert.equal(error.made.summary.status, "failed");
      assert.deepEqual(error.made.summary.failed.toSorted(), [`${lab.root}/none`, "bad"].toSorted());
      assert.deepEqual(error.made.summary.unfinished, ["total", "upper-2"]);
      return true;
    });
    const end = lab.events.at(-1);
    assert.ok(end?.type === "end" && end.status === "failed");
    assert.deepEqual(lab.events.flatMap((event) => event.type === "done" ? [event.stage] : []).sort(), [
      "after",
      "upper",
    ]);
  }
});

Deno.test("force: a recorded stage runs again; one that is bitwise and makes other bytes is named", async () => {
  using lab = openLab();
  let [drawn, texts] = ["a", "ok"];
  const ran: string[] = [];
  const draw = stage("draw", {
    run: ({ out }) => {
      ran.push("draw");
      out.write("n.txt", drawn);
      out.write("same.txt", texts);
    },
  });
  const seeded = stage("seeded", {
    determinism: "seeded",
    run: ({ out }) => {
      ran.push("seeded");
      out.write("n.txt", drawn);
    },
  });
  const near = stage("near", {
    determinism: { atol: 0.1, rtol: 0 },
    run: ({ out }) => out.json("n.json", [texts === "ok" ? 1 : 1.05]),
  });
  const copy = defineStage({
    name: "copy",
    module: import.meta.url,
    inputs: { from: "out" },
    output: "out",
    determinism: "bitwise",
    run: async ({ inputs, out }) => {
      ran.push("copy");
      out.write("c.txt", await inputs.from.text("n.txt"));
    },
  });
  const targets = { copy: copy({ from: draw({}) }), seeded: seeded({}), near: near({}) };
  const run = async (force: string[]) => {
    ran.length = 0;
    lab.events.length = 0;
    const { trees } = await reproduce(targets, lab.options({ force }));
    const warnings = lab.events.flatMap((event) => event.type === "warning" ? [event.message] : []);
    return { ran: ran.toSorted(), warnings, text: await trees.copy.text("c.txt") };
  };
  await run([]);
  assert.deepEqual(await run(["draw"]), { ran: ["draw"], warnings: [], text: "a" });
  [drawn, texts] = ["b", "no"];
  const again = await run(["draw", "seeded", "near"]);
  assert.deepEqual([again.ran, again.text], [["copy", "draw", "seeded"], "b"]);
  assert.deepEqual(again.warnings, [
    "draw: declared bitwise, but it made another result than the recorded one: " +
    "n.txt: byte 0 of 1 differs; same.txt: byte 0 of 2 differs",
  ]);
  assert.deepEqual(await run([]), { ran: [], warnings: [], text: "b" });
  await assert.rejects(run(["drw"]), /there is no stage "drw" to force; did you mean "draw"\?/);
  assert.deepEqual(ran, []);
});

Deno.test("force: every item of a stage, and all uses of its name", async () => {
  using lab = openLab();
  lab.put({ "a.txt": "a", "b.txt": "b" });
  const { ran, upper } = textStages();
  const texts = sourceFolder(lab.source);
  const targets = { one: upper({ texts }), two: upper({ texts }, { suffix: "!" }) };
  await reproduce(targets, lab.options());
  for (const [name, count] of [["upper", 4], ["upper-2", 2]] as const) {
    ran.length = 0;
    const { summary } = await reproduce(targets, lab.options({ force: [name] }));
    assert.deepEqual([ran.length, summary.executed, summary.cached], [count, count, 4 - count]);
  }
});
